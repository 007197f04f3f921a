using System.Numerics;

namespace Rnn.Kernels;

/// <summary>
/// One product of a few rows shared among threads: each takes some panels of the packed weights. Few rows are as slow as the weights can be
/// read, and each core reads its share from its own cache. The bits are those of one thread.
/// </summary>
internal sealed unsafe class SharedGemm<T> : WorkItem
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The smallest packed weights, in bytes, that are worth sharing: fewer are read by one thread before another has woken.</summary>
    internal const int MinimumBytes = 1 << 18;

    private readonly MatrixKernels<T> _kernels = MatrixKernels<T>.Current;
    private Product _first;
    private Product _second;
    private int _rows;
    private int _outputs;
    private int _parts;

    /// <summary>Whether a product of these sizes is worth sharing.</summary>
    internal static bool ShouldShare(long weights) => ShouldShare(weights, 8 * sizeof(T));

    /// <summary>The same of weights of some bits each.</summary>
    internal static bool ShouldShare(long weights, int bits) => Workers.MaxThreads > 1 && weights * bits / 8 >= MinimumBytes;

    /// <summary>C = A B, or C += A B, or C = A B + bias, as <see cref="MatrixKernels{T}.Multiply"/>.</summary>
    internal void Multiply(Rows<T> a, int rows, PackedPanels<T> packed, int inner, int outputs, Rows<T> c, bool accumulate, T* bias)
    {
        _first = new(a, packed, inner, c, accumulate, bias);
        _second = default;
        Run(rows, outputs);
    }

    /// <summary>C = A B + bias, then C += A′ B′ for weights of the same columns, in one go.</summary>
    internal void MultiplyTwo(Rows<T> a, PackedPanels<T> packed, int inner, Rows<T> a2, PackedPanels<T> packed2, int inner2, int rows, int outputs, Rows<T> c, T* bias)
    {
        _first = new(a, packed, inner, c, accumulate: false, bias);
        _second = new(a2, packed2, inner2, c, accumulate: true, null);
        Run(rows, outputs);
    }

    internal override void Execute(int part)
    {
        var panels = _kernels.PanelCount(_outputs);
        var from = (int)((long)panels * part / _parts);
        var to = (int)((long)panels * (part + 1) / _parts);
        _first.Run(_kernels, _rows, _outputs, from, to);
        if (_second.Packed.Pointer != null)
        {
            _second.Run(_kernels, _rows, _outputs, from, to);
        }
    }

    private void Run(int rows, int outputs)
    {
        _rows = rows;
        _outputs = outputs;
        _parts = Math.Min(Workers.MaxThreads, _kernels.PanelCount(outputs));
        Workers.Run(this, _parts);
    }

    private readonly struct Product(Rows<T> a, PackedPanels<T> packed, int inner, Rows<T> c, bool accumulate, T* bias)
    {
        internal PackedPanels<T> Packed => packed;

        internal void Run(MatrixKernels<T> kernels, int rows, int outputs, int from, int to) => kernels.Multiply(
            a, rows, packed, inner, outputs, c, accumulate, bias, from, to, Scratch<T>.GetForShare(kernels.MultiplyScratch(rows, inner)));
    }
}
