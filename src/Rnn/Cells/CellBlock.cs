using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>Where the rows of one step lie: everything a pointwise sweep reads and writes. All strides are in elements.</summary>
internal unsafe struct CellBlock<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The most states that a cell may have.</summary>
    internal const int MaxStates = 4;

    /// <summary>The number of batch rows.</summary>
    internal int Rows;

    /// <summary>The number of hidden units H.</summary>
    internal int Units;

    /// <summary>The gates' columns [rows, gates·H]: pre-activations, then gate values, then their gradients.</summary>
    internal Rows<T> Columns;

    /// <summary>The states before the step [rows, H] each.</summary>
    internal RowSet<T> Previous;

    /// <summary>The states after the step [rows, H] each.</summary>
    internal RowSet<T> Next;

    /// <summary>Further kept values [rows, kept·H].</summary>
    internal Rows<T> Kept;

    /// <summary>Made values [rows, made·H].</summary>
    internal Rows<T> Made;

    /// <summary>Gradients of made values [rows, made·H].</summary>
    internal Rows<T> MadeGradient;

    /// <summary>The per-unit vectors [vectors, H].</summary>
    internal T* Vectors;

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
