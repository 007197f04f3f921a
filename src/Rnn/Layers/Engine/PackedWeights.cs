using System.Numerics;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers.Engine;

/// <summary>
/// A matrix of weights in the form that the kernels read, packed anew only when the weights have changed. One for each product and way.
/// </summary>
internal sealed unsafe class PackedWeights<T> : WorkItem
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Below this many elements packing on one thread is quicker than waking another.
    private const int ElementsPerPart = 1 << 15;

    // Packing waits for memory, which one thread may get later than another: whoever is done takes another part.
    private const int PartsPerThread = 4;

    private T[] _packed = [];
    private object? _source;
    private object? _memory;
    private MatrixKernels<T>? _kernels;
    private int _version = -1;
    private T* _from;
    private int _stride;
    private int _inner;
    private int _outputs;
    private bool _transposed;
    private int _parts;

    /// <summary>The packed form; valid until the next <see cref="Update"/>, and pinned.</summary>
    internal T* Pointer => (T*)System.Runtime.CompilerServices.Unsafe.AsPointer(
        ref System.Runtime.InteropServices.MemoryMarshal.GetArrayDataReference(_packed));

    /// <summary>
    /// Makes sure that rows <paramref name="firstRow"/> … + <paramref name="rows"/> of <paramref name="weights"/> [·, columns] are packed:
    /// as W of x Wᵀ, or transposed as W of dA W.
    /// </summary>
    internal void Update(MatrixKernels<T> kernels, Tensor<T> weights, int firstRow, int rows, int columns, bool transposed)
    {
        if (ReferenceEquals(_source, weights) && ReferenceEquals(_memory, weights.Memory) && _version == weights.Version)
        {
            return;
        }

        _inner = transposed ? rows : columns;
        _outputs = transposed ? columns : rows;
        var length = kernels.PackedLength(_inner, _outputs);
        if (_packed.Length < length)
        {
            _packed = GC.AllocateUninitializedArray<T>(checked((int)length), pinned: true);
        }

        fixed (T* source = weights.AsReadOnlySpan())
        {
            _from = source + ((nint)firstRow * columns);
            _stride = columns;
            _transposed = transposed;
            var panels = kernels.PanelCount(_outputs);
            _parts = Math.Clamp((int)((long)rows * columns / ElementsPerPart), 1, Math.Min(PartsPerThread * Workers.MaxThreads, Math.Max(1, panels)));
            _kernels = kernels;
            Workers.Run(this, _parts);
        }

        _source = weights;
        _memory = weights.Memory;
        _version = weights.Version;
    }

    internal override void Execute(int part)
    {
        var panels = _kernels!.PanelCount(_outputs);
        _kernels.Pack(
            _from, _stride, _transposed, _inner, _outputs, Pointer, (int)((long)panels * part / _parts), (int)((long)panels * (part + 1) / _parts));
    }
}
