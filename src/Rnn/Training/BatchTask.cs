using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>Training on batches of any type by a function that computes the loss of one.</summary>
internal sealed class BatchTask<T, TBatch> : TrainingTask<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly IEnumerable<TBatch> _batches;
    private readonly Func<TBatch, Tensor<T>> _loss;
    private readonly IEnumerable<TBatch>? _validation;
    private readonly Func<TBatch, long> _count;
    private IEnumerator<TBatch>? _enumerator;

    internal BatchTask(IEnumerable<TBatch> batches, Func<TBatch, Tensor<T>> loss, IEnumerable<TBatch>? validation, Func<TBatch, long>? count)
    {
        (_batches, _loss, _validation, _count) = (batches, loss, validation, count ?? (static _ => 1));
    }

    /// <inheritdoc/>
    public override void BeginEpoch(int epoch)
    {
        _enumerator?.Dispose();
        _enumerator = _batches.GetEnumerator();
    }

    /// <inheritdoc/>
    public override BatchLoss<T>? NextLoss()
    {
        if (!_enumerator!.MoveNext())
        {
            _enumerator.Dispose();
            _enumerator = null;
            return null;
        }

        return new(_loss(_enumerator.Current), _count(_enumerator.Current));
    }

    /// <inheritdoc/>
    public override double? Validate(CancellationToken cancellationToken)
    {
        if (_validation is null)
        {
            return null;
        }

        var (sum, count) = (0.0, 0.0);
        foreach (var batch in _validation)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using (TensorScope.Enter())
            {
                var weight = _count(batch);
                sum += double.CreateTruncating(_loss(batch).Item()) * weight;
                count += weight;
            }
        }

        return count > 0 ? sum / count : null;
    }
}
