using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Rnn.Kernels;

namespace Rnn.Layers.Engine;

/// <summary>
/// Where one direction's rows of input, output and initial hidden state lie: users' batch-first tensors, seen in the order in which the engine
/// runs rows and steps. The pointers hold while the tensors are pinned.
/// </summary>
internal sealed unsafe class SequenceRows<T>(CellShape shape, BatchPlan plan, bool reverse)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private nint[] _inputOffsets = [];
    private nint[] _outputOffsets = [];
    private nint[] _stateOffsets = [];

    /// <summary>Whether the direction runs back in time.</summary>
    internal bool IsReverse => reverse;

    /// <summary>The input [N, T, I].</summary>
    internal StepMap<T> Input { get; private set; }

    /// <summary>The output of this direction, columns of [N, T, D·size].</summary>
    internal StepMap<T> Output { get; private set; }

    /// <summary>The initial hidden state [N, size], or rows of zeros.</summary>
    internal Rows<T> InitialHidden { get; private set; }

    /// <summary>Whether the initial hidden state is zero.</summary>
    internal bool StartsFromZeros { get; private set; }

    /// <summary>The length of all tables of offsets, which grow with the batch and stay.</summary>
    internal long TableLength => (long)_inputOffsets.Length + _outputOffsets.Length + _stateOffsets.Length;

    /// <summary>Says where input, output and initial hidden state lie.</summary>
    /// <param name="input">The input [N, T, I].</param>
    /// <param name="output">The first column of this direction in the output [N, T, outputWidth].</param>
    /// <param name="outputWidth">The width of a row of the output, all directions together.</param>
    /// <param name="initialHidden">The initial hidden state [N, output size], or null for zeros.</param>
    /// <param name="zeros">As many zeros as the hidden state is wide.</param>
    internal void Bind(T* input, T* output, int outputWidth, T* initialHidden, T* zeros)
    {
        Input = View(input, shape.InputSize, ref _inputOffsets);
        Output = View(output, outputWidth, ref _outputOffsets);
        StartsFromZeros = initialHidden == null;
        InitialHidden = initialHidden == null ? new(zeros, 0) : StateRows(initialHidden, shape.OutputSize);
    }

    /// <summary>The rows of a batch-first tensor [N, T, width] from <paramref name="start"/> on.</summary>
    internal StepMap<T> View(T* start, int width, ref nint[] offsets)
    {
        var row = (nint)plan.Steps * width;
        var delta = reverse ? -(nint)width : width;
        if (plan.IsFull)
        {
            return new(start + (reverse ? row - width : 0), row, null, delta);
        }

        if (plan.InOrder && !reverse)
        {
            return new(start, row, null, delta);
        }

        var table = Table(ref offsets, plan.Rows);
        for (var r = 0; r < plan.Rows; r++)
        {
            table[r] = (plan.Order(r) * row) + (reverse ? (nint)(plan.Length(r) - 1) * width : 0);
        }

        return new(start, 0, table, delta);
    }

    /// <summary>A pinned table of at least so many offsets, which stays for the next batch.</summary>
    internal static nint* Table(ref nint[] array, int length)
    {
        if (array.Length < length)
        {
            array = GC.AllocateUninitializedArray<nint>(Math.Max(length, 2 * array.Length), pinned: true);
        }

        return (nint*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(array));
    }

    // The rows of a state [N, size] in the engine's order.
    private Rows<T> StateRows(T* start, int size)
    {
        if (plan.InOrder)
        {
            return new(start, size);
        }

        var table = Table(ref _stateOffsets, plan.Rows);
        for (var r = 0; r < plan.Rows; r++)
        {
            table[r] = (nint)plan.Order(r) * size;
        }

        return new(start, 0, table);
    }
}
