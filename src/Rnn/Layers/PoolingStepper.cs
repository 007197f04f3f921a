using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Layers;

/// <summary>What a <see cref="SequencePooling{T}"/> gives for the steps of one sequence so far, after each of them, in memory that does not grow.</summary>
internal sealed class PoolingStepper<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Counts are kept as two numbers, so that single precision holds them exactly up to 2⁴⁴ steps.
    private const long CountUnit = 1 << 22;

    private readonly SequencePooling<T> _pooling;
    private readonly T[] _hidden;
    private readonly T[] _pooled;
    private readonly T[] _sums;
    private long _steps;
    private T _largest;
    private T _total;

    internal PoolingStepper(SequencePooling<T> pooling)
    {
        _pooling = pooling;
        _hidden = new T[pooling.Hidden?.OutputSize ?? 0];
        _pooled = new T[pooling.Size];
        _sums = pooling.Hidden is null ? [] : new T[pooling.Size];
    }

    /// <summary>Starts a new sequence.</summary>
    internal void Reset()
    {
        _steps = 0;
        Array.Clear(_sums);
    }

    /// <summary>Everything that later steps read, as numbers.</summary>
    internal T[] Save() => [T.CreateSaturating(_steps % CountUnit), T.CreateSaturating(_steps / CountUnit), _largest, _total, .. _pooled, .. _sums];

    /// <summary>Goes on from what <see cref="Save"/> gave.</summary>
    internal void Restore(ReadOnlySpan<T> saved)
    {
        (_steps, _largest, _total) = (long.CreateSaturating(saved[0]) + (CountUnit * long.CreateSaturating(saved[1])), saved[2], saved[3]);
        saved.Slice(4, _pooled.Length).CopyTo(_pooled);
        saved[(4 + _pooled.Length)..].CopyTo(_sums);
    }

    /// <summary>Takes the output of the next step in.</summary>
    /// <returns>The pooled steps, [size]; they change with the next one.</returns>
    internal ReadOnlySpan<T> Step(ReadOnlySpan<T> output)
    {
        _steps++;
        if (_pooling.Kind == PoolingKind.Attention)
        {
            Attend(output);
        }
        else if (_pooling.Kind == PoolingKind.Last || _steps == 1)
        {
            output.CopyTo(_pooled);
        }
        else if (_pooling.Kind == PoolingKind.Max)
        {
            SpanKernels<T>.Extreme(output, _pooled, largest: true);
        }
        else
        {
            // The mean itself and no sum, which would grow until it takes nothing small in any more.
            var count = T.CreateSaturating(_steps);
            for (var i = 0; i < _pooled.Length; i++)
            {
                _pooled[i] += (output[i] - _pooled[i]) / count;
            }
        }

        return _pooled;
    }

    // Softmax over steps that are still coming: all weights so far are relative to the largest score so far (Milakov and Gimelshein 2018, arXiv:1805.02867).
    private void Attend(ReadOnlySpan<T> output)
    {
        _pooling.Hidden!.StepRows(1, output, _hidden);
        for (var i = 0; i < _hidden.Length; i++)
        {
            _hidden[i] = T.Tanh(_hidden[i]);
        }

        var score = SpanKernels<T>.Dot(_hidden, _pooling.Score!.Value.AsReadOnlySpan());
        if (_steps == 1)
        {
            (_largest, _total) = (score, T.Zero);
        }
        else if (score > _largest)
        {
            var factor = T.Exp(_largest - score);
            SpanKernels<T>.Scale(_sums, factor, _sums);
            (_largest, _total) = (score, _total * factor);
        }

        var weight = T.Exp(score - _largest);
        SpanKernels<T>.AddScaled(output, weight, _sums);
        _total += weight;
        SpanKernels<T>.Scale(_sums, T.One / _total, _pooled);
    }
}
