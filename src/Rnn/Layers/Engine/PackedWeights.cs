using System.Diagnostics;
using System.Numerics;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers.Engine;

/// <summary>
/// The packed forms of one matrix of weights: the one of the present values, made anew when they have changed. Any number of threads may
/// lease it, since what is published is never written to while anyone reads it.
/// </summary>
/// <param name="gate">Guards what is published and the counts of leases; one for all matrices that a run leases together.</param>
/// <param name="transposed">Whether it is packed as W of dA W, for backward passes; else as W of x Wᵀ.</param>
internal sealed unsafe class PackedWeights<T>(Lock gate, bool transposed = false)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private PackedMatrix<T>? _current;

    /// <summary>Guards what is published and the counts of leases.</summary>
    internal Lock Gate => gate;

    /// <summary>The place of the weights among the parameters of a recurrent layer's direction.</summary>
    internal int Slot { get; init; }

    /// <summary>The first of the rows that are packed.</summary>
    internal int FirstRow { get; init; }

    /// <summary>How many rows are packed; 0 for all.</summary>
    internal int Rows { get; init; }

    /// <summary>Whether the weights are read as they lie: biases, per-unit weights and gains.</summary>
    internal bool IsVector { get; init; }

    /// <summary>Whether they multiply only states of earlier steps or, in the backward pass, lead only to their gradients.</summary>
    internal bool NeedsState { get; init; }

    /// <summary>Leases the packed form of the present values. The gate must be held. Give the lease back with <see cref="PackedMatrix{T}.Release"/>.</summary>
    internal PackedMatrix<T> Lease(Tensor<T> weights)
    {
        Debug.Assert(gate.IsHeldByCurrentThread, "What is published changes under the gate.");
        if (_current?.IsOf(weights) != true)
        {
            _current = IsVector ? Copied(weights) : Packed(weights);
        }

        _current.AddLease();
        return _current;
    }

    private PackedMatrix<T> Packed(Tensor<T> weights)
    {
        var kernels = MatrixKernels<T>.Current;
        var version = weights.Version;
        var columns = weights.Shape[1];
        var rows = Rows == 0 ? weights.Shape[0] : Rows;
        var (inner, outputs) = transposed ? (rows, columns) : (columns, rows);

        // Backward passes read what the compressed numbers are in full.
        var format = transposed ? PackedFormat.Full : weights.Memory.Format;
        var matrix = Room(kernels.PackedLength(inner, outputs, format), format);
        matrix.Pack(kernels, weights, version, FirstRow, columns, inner, outputs, transposed);
        return matrix;
    }

    private PackedMatrix<T> Copied(Tensor<T> weights)
    {
        var version = weights.Version;
        var copy = Room(weights.Length, PackedFormat.Full);
        copy.Copy(weights, version);
        return copy;
    }

    // Who still reads the old form keeps it; a training step, which nobody overlaps with, packs into the same memory again.
    private PackedMatrix<T> Room(nint length, PackedFormat format)
    {
        if (length > Array.MaxLength)
        {
            throw new InvalidOperationException($"A matrix of weights takes {length} numbers when it is packed, more than an array can hold ({Array.MaxLength}); use a smaller layer.");
        }

        var room = _current is { IsLeased: false } idle && idle.Format == format && idle.Capacity >= length ? idle : new PackedMatrix<T>((int)length, format);
        _current = null;
        return room;
    }
}

/// <summary>
/// A matrix of weights in the form that the kernels read, as it was when it was packed. While it is leased nothing changes it; numbers too
/// small to matter are zero in it (<see cref="IVector{TSelf, T}.FlushToZero"/>).
/// </summary>
internal sealed unsafe class PackedMatrix<T> : WorkItem
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Below this many elements packing on one thread is quicker than waking another.
    private const int ElementsPerPart = 1 << 15;

    // Packing is bound by memory; more parts than threads balance it.
    private const int PartsPerThread = 4;

    private readonly T[] _packed;
    private int _leases;
    private Tensor<T>? _source;
    private object? _memory;
    private int _version;
    private MatrixKernels<T>? _kernels;
    private T* _from;
    private int _stride;
    private int _inner;
    private int _outputs;
    private bool _transposed;
    private int _parts;

    /// <summary>Makes room.</summary>
    /// <param name="length">The elements of the packed form.</param>
    /// <param name="format">How numbers are stored in it.</param>
    internal PackedMatrix(int length, PackedFormat format = PackedFormat.Full)
    {
        _packed = GC.AllocateUninitializedArray<T>(length, pinned: true);
        Format = format;
    }

    /// <summary>How numbers are stored in it.</summary>
    internal PackedFormat Format { get; }

    /// <summary>The packed form as products read it; good while this is leased.</summary>
    internal PackedPanels<T> Panels => new(Pointer, Format);

    /// <summary>The packed form, pinned; good while this is leased.</summary>
    internal T* Pointer => (T*)System.Runtime.CompilerServices.Unsafe.AsPointer(
        ref System.Runtime.InteropServices.MemoryMarshal.GetArrayDataReference(_packed));

    /// <summary>The elements that there is room for.</summary>
    internal int Capacity => _packed.Length;

    /// <summary>Whether anyone reads it. The owner's gate must be held, as for all that changes it.</summary>
    internal bool IsLeased => _leases > 0;

    /// <summary>Whether these are the present values of <paramref name="weights"/>.</summary>
    internal bool IsOf(Tensor<T> weights) =>
        ReferenceEquals(_source, weights) && ReferenceEquals(_memory, weights.Memory) && _version == weights.Version;

    internal void AddLease() => _leases++;

    /// <summary>Gives a lease back. The owner's gate must be held.</summary>
    internal void Release() => _leases--;

    /// <summary>Packs; nobody else may know of this matrix yet. The version is the one before: a write from another thread meanwhile counts as a change.</summary>
    internal void Pack(MatrixKernels<T> kernels, Tensor<T> weights, int version, int firstRow, int columns, int inner, int outputs, bool transposed)
    {
        (_source, _memory, _version) = (weights, weights.Memory, version);
        (_inner, _outputs, _transposed, _stride, _kernels) = (inner, outputs, transposed, columns, kernels);
        fixed (T* source = Flushed(weights, version))
        {
            _from = source + ((nint)firstRow * columns);
            var panels = kernels.PanelCount(outputs);
            _parts = Math.Clamp((int)((long)inner * outputs / ElementsPerPart), 1, Math.Min(PartsPerThread * Workers.MaxThreads, Math.Max(1, panels)));
            Workers.Run(this, _parts);
            _from = null;
        }
    }

    // The weights, or a copy with zeros for what is too small to matter. Looked for once a version, and never after an optimiser's step.
    private static ReadOnlySpan<T> Flushed(Tensor<T> weights, int version)
    {
        var values = weights.AsReadOnlySpan();
        if (weights.Memory.CleanVersion == version)
        {
            return values;
        }

        fixed (T* source = values)
        {
            if (!Tiny<T>.IsAny(source, values.Length))
            {
                weights.Memory.CleanVersion = version;
                return values;
            }

            var copy = new T[values.Length];
            fixed (T* to = copy)
            {
                Tiny<T>.CopyFlushed(source, to, values.Length);
            }

            return copy;
        }
    }

    /// <summary>Copies; nobody else may know of this matrix yet.</summary>
    internal void Copy(Tensor<T> weights, int version)
    {
        (_source, _memory, _version) = (weights, weights.Memory, version);
        fixed (T* source = weights.AsReadOnlySpan())
        {
            Tiny<T>.CopyFlushed(source, Pointer, weights.Length);
        }
    }

    internal override void Execute(int part)
    {
        var panels = _kernels!.PanelCount(_outputs);
        var (first, end) = ((int)((long)panels * part / _parts), (int)((long)panels * (part + 1) / _parts));
        if (Format == PackedFormat.Full)
        {
            _kernels.Pack(_from, _stride, _transposed, _inner, _outputs, Pointer, first, end);
        }
        else
        {
            _kernels.PackCompressed(_from, _stride, _inner, _outputs, Panels, first, end);
        }
    }
}
