using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>The inputs of the last steps of N rows in a ring, from which a step of a causal convolution takes its patches without moving anything.</summary>
internal sealed class DelayLine<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly int _size;
    private readonly int _kernel;
    private readonly int _dilation;
    private readonly int _reach;
    private T[] _ring = [];
    private int _rows;

    // Where the input of the present step goes, in the place of the oldest one.
    private int _next;

    internal DelayLine(int rows, int size, int kernel, int dilation)
    {
        (_size, _kernel, _dilation, _reach) = (size, kernel, dilation, checked((kernel - 1) * dilation));
        Resize(rows);
    }

    /// <summary>Writes the patches of a step, K·I numbers each at some distance from row to row, and takes the step's input.</summary>
    /// <param name="input">[N, I].</param>
    /// <param name="patches">Where the patches go.</param>
    /// <param name="stride">The numbers from one patch to the next.</param>
    internal void Step(ReadOnlySpan<T> input, Span<T> patches, int stride)
    {
        var size = _size;
        for (var row = 0; row < _rows; row++)
        {
            var ring = _ring.AsSpan(row * _reach * size, _reach * size);
            var patch = patches[(row * stride)..];
            var newest = input.Slice(row * size, size);
            for (var (tap, at) = (0, _next); tap < _kernel - 1; tap++)
            {
                ring.Slice(at * size, size).CopyTo(patch);
                patch = patch[size..];
                at += _dilation;
                at -= at >= _reach ? _reach : 0;
            }

            newest.CopyTo(patch);
            if (_reach > 0)
            {
                newest.CopyTo(ring[(_next * size)..]);
            }
        }

        _next = _next + 1 >= _reach ? 0 : _next + 1;
    }

    /// <summary>The inputs of the last steps, the oldest first, [N, (K − 1)·d, I].</summary>
    internal Tensor<T> ToTensor()
    {
        var values = new T[_rows * _reach * _size];
        for (var row = 0; row < _rows; row++)
        {
            var ring = _ring.AsSpan(row * _reach * _size, _reach * _size);
            var target = values.AsSpan(row * _reach * _size);
            ring[(_next * _size)..].CopyTo(target);
            ring[..(_next * _size)].CopyTo(target[((_reach - _next) * _size)..]);
        }

        return Tensor<T>.From(values, _rows, _reach, _size);
    }

    /// <summary>Takes what <see cref="ToTensor"/> gave, of any number of rows.</summary>
    internal void Set(Tensor<T> history)
    {
        Resize(history.Shape[0]);
        history.AsReadOnlySpan().CopyTo(_ring);
        _next = 0;
    }

    /// <summary>Forgets the inputs of some rows.</summary>
    internal void Clear(ReadOnlySpan<bool> rows)
    {
        for (var row = 0; row < rows.Length; row++)
        {
            if (rows[row])
            {
                _ring.AsSpan(row * _reach * _size, _reach * _size).Clear();
            }
        }
    }

    /// <summary>Forgets all inputs.</summary>
    internal void Clear() => _ring.AsSpan().Clear();

    private void Resize(int rows)
    {
        _rows = rows;
        if (_ring.Length < checked(rows * _reach * _size))
        {
            _ring = new T[rows * _reach * _size];
        }
    }
}
