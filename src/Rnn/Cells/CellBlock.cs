using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>Where the rows of one step lie: everything an element-wise kernel reads and writes. All strides are in elements.</summary>
internal unsafe struct CellBlock<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The most states that a cell may have.</summary>
    internal const int MaxStates = 4;

    /// <summary>The number of batch rows.</summary>
    internal int Rows;

    /// <summary>The number of hidden units H.</summary>
    internal int Units;

    /// <summary>The gates [rows, gates·H]: pre-activations, then gate values, then gradients of the pre-activations.</summary>
    internal Rows<T> Gates;

    /// <summary>The states before the step [rows, H] each.</summary>
    internal RowSet<T> Previous;

    /// <summary>The states after the step [rows, H] each.</summary>
    internal RowSet<T> Next;

    /// <summary>Further saved values [rows, values·H].</summary>
    internal Rows<T> Saved;

    /// <summary>Intermediates [rows, intermediates·H].</summary>
    internal Rows<T> Intermediates;

    /// <summary>Gradients of intermediates [rows, intermediates·H].</summary>
    internal Rows<T> IntermediateGradient;

    /// <summary>The per-unit weights [vectors, H].</summary>
    internal T* UnitWeights;

    /// <summary>The gradient of the step's output [rows, H].</summary>
    internal Rows<T> OutputGradient;

    /// <summary>The gradients of the states [rows, H] each: of the next on entry, of the previous on exit.</summary>
    internal RowSet<T> Gradient;
}

/// <summary>The rows of each state.</summary>
[InlineArray(CellBlock<float>.MaxStates)]
internal struct RowSet<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private Rows<T> _first;
}
