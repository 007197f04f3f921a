using System.Buffers;
using System.Numerics;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>
/// Cross-entropy over many rows of logits, there and back. Only two numbers a row are kept in between, the largest logit and the sum of
/// exponentials above it: to compute the exponentials again costs less than to write 50,000 probabilities a row to memory and read them.
/// </summary>
internal sealed unsafe class CrossEntropyPass<T> : WorkItem
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int ElementsPerPart = 1 << 15;

    private readonly Tensor<T> _logits;
    private readonly LossRegion _region;
    private readonly CrossEntropyOptions _options;
    private readonly int _classes;
    private readonly int _count;
    private readonly double _divisor;
    private readonly double _weightSum;
    private int[] _targets;
    private T[] _rows;
    private T[]? _weights;
    private int _parts;
    private T* _x;
    private T* _gradient;
    private double _scale;
    private bool _fresh;

    internal CrossEntropyPass(Tensor<T> logits, ReadOnlySpan<int> targets, LossRegion region, CrossEntropyOptions options)
    {
        _logits = logits;
        _region = region;
        _options = options;
        _classes = logits.Shape[^1];
        _count = targets.Length;
        _weightSum = CheckWeights();
        CheckTargets(targets);
        _targets = ArrayPool<int>.Shared.Rent(_count);
        _rows = TensorPool<T>.Rent(3 * _count);
        _weights = options.ClassWeights is { } weights ? TensorPool<T>.Rent(_classes) : null;
        for (var i = 0; i < _weights?.Length && i < _classes; i++)
        {
            _weights[i] = T.CreateTruncating(options.ClassWeights![i]);
        }

        _divisor = MarkTargets(targets);
    }

    /// <summary>The loss.</summary>
    internal double Forward()
    {
        _gradient = null;
        RunParts(default);
        var sum = 0.0;
        for (var i = 0; i < _count; i++)
        {
            if (_targets[i] >= 0)
            {
                sum += double.CreateTruncating(_rows[(2 * _count) + i]);
            }
        }

        return _divisor == 0 ? 0 : sum / _divisor;
    }

    /// <summary>Writes or adds the gradient of the logits.</summary>
    internal void Backward(T outputGradient, Span<T> gradient, bool fresh)
    {
        _scale = _divisor == 0 ? 0 : double.CreateTruncating(outputGradient) / _divisor;
        _fresh = fresh;
        RunParts(gradient);
    }

    /// <summary>Returns what was rented.</summary>
    internal void Release()
    {
        ArrayPool<int>.Shared.Return(_targets);
        TensorPool<T>.Return(_rows);
        if (_weights is { } weights)
        {
            TensorPool<T>.Return(weights);
        }

        (_targets, _rows, _weights) = ([], [], null);
    }

    /// <inheritdoc/>
    internal override void Execute(int part)
    {
        var (start, end) = ((int)((long)_count * part / _parts), (int)((long)_count * (part + 1) / _parts));
        for (var i = start; i < end; i++)
        {
            if (_gradient == null)
            {
                if (_targets[i] >= 0)
                {
                    ForwardRow(i);
                }
            }
            else if (_targets[i] >= 0)
            {
                BackwardRow(i);
            }
            else if (_fresh)
            {
                new Span<T>(_gradient + ((nint)i * _classes), _classes).Clear();
            }
        }
    }

    private void RunParts(Span<T> gradient)
    {
        _parts = (int)Math.Clamp((long)_count * _classes / ElementsPerPart, 1, Math.Min(Workers.MaxThreads, Math.Max(1, _count)));
        fixed (T* x = _logits.AsReadOnlySpan(), g = gradient)
        {
            _x = x;
            _gradient = g;
            Workers.Run(this, _parts);
            _x = _gradient = null;
        }
    }

    private void ForwardRow(int i)
    {
        var x = _x + ((nint)i * _classes);
        var (largest, sum) = RowKernels<T>.Current.SoftmaxStatistics(x, _classes);
        _rows[i] = largest;
        _rows[_count + i] = sum;
        var logarithm = Math.Log(double.CreateTruncating(sum));
        var smoothing = _options.LabelSmoothing;
        var weight = WeightOf(_targets[i]);
        var loss = (1 - smoothing) * weight * (logarithm - double.CreateTruncating(x[_targets[i]] - largest));
        if (smoothing > 0)
        {
            double dot;
            fixed (T* weights = _weights)
            {
                dot = double.CreateTruncating(RowKernels<T>.Current.WeightedSum(x, weights, largest, _classes));
            }

            loss += smoothing / _classes * ((_weightSum * logarithm) - dot);
        }

        _rows[(2 * _count) + i] = T.CreateTruncating(loss);
    }

    private void BackwardRow(int i)
    {
        var x = _x + ((nint)i * _classes);
        var gradient = _gradient + ((nint)i * _classes);
        var smoothing = _options.LabelSmoothing;
        var onTarget = _scale * (1 - smoothing) * WeightOf(_targets[i]);
        var onAll = _scale * smoothing / _classes;
        var factor = T.CreateTruncating((onTarget + (onAll * _weightSum)) / double.CreateTruncating(_rows[_count + i]));
        fixed (T* weights = _weights)
        {
            RowKernels<T>.Current.SoftmaxGradient(
                x, smoothing > 0 ? weights : null, _rows[i], factor, T.CreateTruncating(onAll), gradient, _classes, !_fresh);
        }

        gradient[_targets[i]] -= T.CreateTruncating(onTarget);
    }

    private double WeightOf(int target) => _weights is { } weights ? double.CreateTruncating(weights[target]) : 1;

    private double CheckWeights()
    {
        if (_options.ClassWeights is not { } weights)
        {
            return _classes;
        }

        if (weights.Count != _classes)
        {
            throw new ArgumentException($"ClassWeights: expected {_classes} weights, one for each class of logits {_logits.Shape}, but got {weights.Count}.", "options");
        }

        var sum = 0.0;
        for (var i = 0; i < weights.Count; i++)
        {
            if (!(weights[i] >= 0) || double.IsInfinity(weights[i]))
            {
                throw new ArgumentException($"ClassWeights: expected finite numbers of zero or more but class {i} has {weights[i]}.", "options");
            }

            sum += weights[i];
        }

        return sum;
    }

    private void CheckTargets(ReadOnlySpan<int> targets)
    {
        for (var i = 0; i < targets.Length; i++)
        {
            if ((uint)targets[i] >= (uint)_classes && targets[i] != _options.IgnoreIndex && IsWithinLength(i))
            {
                throw new ArgumentException(
                    $"targets: expected 0 to {_classes - 1}, or {_options.IgnoreIndex} to ignore a step, but got {targets[i]} at index {i}.", nameof(targets));
            }
        }
    }

    // Keeps the targets with −1 for those without a loss, and finds what the sum is divided by.
    private double MarkTargets(ReadOnlySpan<int> targets)
    {
        var (steps, weights) = (0L, 0.0);
        for (var i = 0; i < targets.Length; i++)
        {
            var counts = targets[i] != _options.IgnoreIndex && IsWithinLength(i);
            _targets[i] = counts ? targets[i] : -1;
            if (counts)
            {
                steps++;
                weights += WeightOf(targets[i]);
            }
        }

        return _options.Reduction switch
        {
            LossReduction.Mean => weights,
            LossReduction.SumOverFeaturesMeanOverSteps => steps,
            _ => _region.Divisor(_options.Reduction),
        };
    }

    private bool IsWithinLength(int index)
    {
        var perStep = Math.Max(1, _region.Features / _classes);
        var step = index / perStep;
        return step % _region.Steps < _region.LengthOf(step / _region.Steps);
    }
}
