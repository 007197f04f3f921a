using System.Buffers;
using System.Numerics;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>
/// What cross-entropy knows besides the logits, the checked targets and class weights, and what it computes for one row, forward and backward. Only
/// two numbers a row are kept in between, the largest logit and the sum of exponentials above it.
/// </summary>
internal sealed unsafe class CrossEntropyRows<T> : IRecordedMemory
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly LossRegion _region;
    private readonly CrossEntropyOptions _options;
    private readonly int _classes;
    private readonly double _divisor;
    private readonly double _weightSum;
    private int[] _targets;
    private T[] _rows;
    private T[]? _weights;
    private double _scale;

    /// <summary>Checks targets and options for logits of a shape.</summary>
    internal CrossEntropyRows(Shape logits, ReadOnlySpan<int> targets, LossRegion region, CrossEntropyOptions options)
    {
        _region = region;
        _options = options;
        _classes = logits[^1];
        Count = targets.Length;
        if (Count > Array.MaxLength / 3)
        {
            throw new ArgumentException($"targets: expected at most {Array.MaxLength / 3} steps but got {Count}.", nameof(targets));
        }

        _weightSum = CheckWeights(options, logits);
        CheckTargets(targets);
        if (!Enum.IsDefined(options.Reduction))
        {
            throw new ArgumentException($"Reduction: expected one of the reductions of the list but got {options.Reduction}.", nameof(options));
        }

        _targets = ArrayPool<int>.Shared.Rent(Count);
        _rows = TensorPool<T>.Rent(3 * Count);
        _weights = options.ClassWeights is { } weights ? TensorPool<T>.Rent(_classes) : null;
        for (var i = 0; i < _weights?.Length && i < _classes; i++)
        {
            _weights[i] = T.CreateTruncating(options.ClassWeights![i]);
        }

        _divisor = MarkTargets(targets);
    }

    /// <summary>The number of rows.</summary>
    internal int Count { get; }

    /// <summary>The bytes that are rented.</summary>
    internal long KeptBytes => ((long)_targets.Length * sizeof(int)) + (((long)_rows.Length + (_weights?.Length ?? 0)) * sizeof(T));

    /// <summary>The loss, after every row has been through <see cref="Forward"/>.</summary>
    internal double Loss()
    {
        var sum = 0.0;
        for (var i = 0; i < Count; i++)
        {
            if (_targets[i] >= 0)
            {
                sum += double.CreateTruncating(_rows[(2 * Count) + i]);
            }
        }

        return _divisor == 0 ? 0 : sum / _divisor;
    }

    /// <summary>Sets the gradient of the loss; to be called before <see cref="Backward"/>.</summary>
    internal void SetGradient(T lossGradient) => _scale = _divisor == 0 ? 0 : double.CreateTruncating(lossGradient) / _divisor;

    /// <summary>Returns what was rented.</summary>
    internal void Release()
    {
        if (_rows.Length == 0)
        {
            return;
        }

        ArrayPool<int>.Shared.Return(_targets);
        TensorPool<T>.Return(_rows);
        if (_weights is { } weights)
        {
            TensorPool<T>.Return(weights);
        }

        (_targets, _rows, _weights) = ([], [], null);
    }

    void IRecordedMemory.GiveBack() => Release();

    /// <summary>Computes the loss of row i from its logits.</summary>
    internal void Forward(int i, T* x)
    {
        if (_targets[i] < 0)
        {
            return;
        }

        var (largest, sum) = RowKernels<T>.Current.SoftmaxStatistics(x, _classes);
        _rows[i] = largest;
        _rows[Count + i] = sum;
        var logarithm = Math.Log(double.CreateTruncating(sum));
        var smoothing = _options.LabelSmoothing;
        var weight = WeightOf(_targets[i]);
        var onTarget = (1 - smoothing) * weight;

        // What does not count adds nothing, also where its loss is infinite.
        var loss = onTarget == 0 ? 0 : onTarget * (logarithm - double.CreateTruncating(x[_targets[i]] - largest));
        if (smoothing > 0)
        {
            double dot;
            fixed (T* weights = _weights)
            {
                dot = double.CreateTruncating(RowKernels<T>.Current.WeightedSum(x, weights, largest, _classes));
            }

            // A logit of −∞ is a class that cannot be; where it has no weight either, 0·∞ is to be 0.
            if (double.IsNaN(dot) && _weights is not null)
            {
                dot = WeightedSum(x, largest);
            }

            loss += smoothing / _classes * ((_weightSum * logarithm) - dot);
        }

        _rows[(2 * Count) + i] = T.CreateTruncating(loss);
    }

    /// <summary>Computes the loss of row i and writes the gradient of its logits over them: as <see cref="Forward"/> and <see cref="Backward"/>, with the exponentials computed once.</summary>
    internal void ForwardAndBackward(int i, T* x)
    {
        var target = _targets[i];
        if (target < 0 || _options.LabelSmoothing > 0)
        {
            Forward(i, x);
            Backward(i, x, x, overwrite: true);
            return;
        }

        var logit = x[target];
        var (largest, sum) = RowKernels<T>.Current.SoftmaxStatistics(x, _classes, x);
        var (weight, total) = (WeightOf(target), double.CreateTruncating(sum));

        // What does not count adds nothing, also where its loss is infinite.
        _rows[(2 * Count) + i] = T.CreateTruncating(weight == 0 ? 0 : weight * (Math.Log(total) - double.CreateTruncating(logit - largest)));
        var onTarget = _scale * weight;
        var row = new Span<T>(x, _classes);
        SpanKernels<T>.Scale(row, T.CreateTruncating(onTarget / total), row);
        x[target] -= T.CreateTruncating(onTarget);
    }

    /// <summary>Writes the gradient of row i of the logits, perhaps over them, or adds it.</summary>
    internal void Backward(int i, T* x, T* gradient, bool overwrite)
    {
        if (_targets[i] < 0)
        {
            if (overwrite)
            {
                new Span<T>(gradient, _classes).Clear();
            }

            return;
        }

        var smoothing = _options.LabelSmoothing;
        var onTarget = _scale * (1 - smoothing) * WeightOf(_targets[i]);
        var onAll = _scale * smoothing / _classes;
        var factor = T.CreateTruncating((onTarget + (onAll * _weightSum)) / double.CreateTruncating(_rows[Count + i]));
        fixed (T* weights = _weights)
        {
            RowKernels<T>.Current.SoftmaxGradient(
                x, smoothing > 0 ? weights : null, _rows[i], factor, T.CreateTruncating(onAll), gradient, _classes, !overwrite);
        }

        gradient[_targets[i]] -= T.CreateTruncating(onTarget);
    }

    private double WeightedSum(T* x, T largest)
    {
        var sum = 0.0;
        for (var i = 0; i < _classes; i++)
        {
            var weight = double.CreateTruncating(_weights![i]);
            sum += weight == 0 && T.IsInfinity(x[i]) ? 0 : weight * double.CreateTruncating(x[i] - largest);
        }

        return sum;
    }

    private double WeightOf(int target) => _weights is { } weights ? double.CreateTruncating(weights[target]) : 1;

    private static double CheckWeights(CrossEntropyOptions options, Shape logits)
    {
        var classes = logits[^1];
        if (options.ClassWeights is not { } weights)
        {
            return classes;
        }

        if (weights.Count != classes)
        {
            throw new ArgumentException($"ClassWeights: expected {classes} weights, one for each class of logits {logits}, but got {weights.Count}.", nameof(options));
        }

        var sum = 0.0;
        for (var i = 0; i < weights.Count; i++)
        {
            if (!(weights[i] >= 0) || !T.IsFinite(T.CreateTruncating(weights[i])))
            {
                throw new ArgumentException(LossOptions.WrongWeight(nameof(options.ClassWeights), "class", i, weights[i]), nameof(options));
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
