using System.Numerics;
using Rnn.Formats;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>Training on batches of any type by a function that computes the loss of one.</summary>
internal sealed class BatchTask<T, TBatch> : TrainingTask<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly IEnumerable<TBatch> _batches;
    private readonly BatchSource<TBatch>? _source;
    private readonly Func<TBatch, Tensor<T>> _loss;
    private readonly IEnumerable<TBatch>? _validation;
    private readonly Func<TBatch, long> _count;
    private readonly bool _isSum;
    private IEnumerator<TBatch>? _enumerator;
    private (TBatch Batch, bool IsEmpty)[] _parts = [];

    internal BatchTask(IEnumerable<TBatch> batches, Func<TBatch, Tensor<T>> loss, IEnumerable<TBatch>? validation, Func<TBatch, long>? count, LossReduction reduction = LossReduction.Mean)
    {
        (_batches, _loss, _validation, _count) = (batches, loss, validation, count ?? (static batch => RowParts.RowsOf<T>(batch)));
        _isSum = reduction == LossReduction.Sum;
        _source = batches as BatchSource<TBatch>;
    }

    /// <inheritdoc/>
    public override bool HasValidation => _validation is not null;

    /// <inheritdoc/>
    public override bool CanResume => _source is not null && (_validation is null or BatchSource<TBatch> or IReadOnlyCollection<TBatch>);

    /// <inheritdoc/>
    public override string Identity => $"{_source?.Identity}{(_validation is BatchSource<TBatch> source ? $", validated on {source.Identity}" : string.Empty)}";

    /// <inheritdoc/>
    public override bool HasParts => true;

    /// <inheritdoc/>
    internal override object[] Sources => [.. new object?[] { _source?.Root, (_validation as BatchSource<TBatch>)?.Root }.OfType<object>()];

    /// <inheritdoc/>
    public override void BeginEpoch(int epoch)
    {
        if (_source is not null)
        {
            _source.BeginPass();
            return;
        }

        _enumerator?.Dispose();
        _enumerator = _batches.GetEnumerator();
    }

    /// <inheritdoc/>
    public override BatchLoss<T>? NextLoss() => MoveNext(out var batch) ? new(_loss(batch), _count(batch)) : null;

    /// <inheritdoc/>
    public override double[]? NextParts(int parts)
    {
        if (!MoveNext(out var batch))
        {
            return null;
        }

        // Cut before counting: what a part counts is asked of the part.
        var (rows, whole) = (RowParts.RowsOf<T>(batch), 0L);
        var counts = new long[parts];
        _parts = new (TBatch, bool)[parts];
        for (var part = 0; part < parts; part++)
        {
            var (start, count) = RowParts.Of(rows, part, parts);
            _parts[part] = count > 0 ? (RowParts.Take<T, TBatch>(batch, start, count), false) : (batch, true);
            counts[part] = count > 0 ? _count(_parts[part].Batch) : 0;
            whole += counts[part];
        }

        return Array.ConvertAll(counts, count => _isSum ? 1 : whole > 0 ? (double)count / whole : 0);
    }

    /// <inheritdoc/>
    public override BatchLoss<T>? PartLoss(int part) => _parts[part].IsEmpty ? null : new(_loss(_parts[part].Batch), _count(_parts[part].Batch));

    /// <inheritdoc/>
    public override void EndStep(bool skipped) => _parts = [];

    /// <inheritdoc/>
    public override void EndTraining()
    {
        var enumerator = _enumerator;
        _enumerator = null;
        enumerator?.Dispose();
    }

    /// <inheritdoc/>
    public override void SaveState(StateTree<T> state)
    {
        _source?.SaveState(state);
        (_validation as BatchSource<TBatch>)?.SaveState(state.Branch("validation"));
    }

    /// <inheritdoc/>
    public override void RestoreState(StateTree<T> state)
    {
        _source?.RestoreState(state);
        (_validation as BatchSource<TBatch>)?.RestoreState(state.Branch("validation"));
    }

    /// <inheritdoc/>
    public override double? Validate(CancellationToken cancellationToken)
    {
        if (_validation is null)
        {
            return null;
        }

        var sums = new LossSums(1);
        ValidateParts(sums, cancellationToken);
        return sums.Mean;
    }

    /// <inheritdoc/>
    public override void ValidateParts(LossSums sums, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sums);
        if (_validation is null)
        {
            return;
        }

        var batches = 0;
        var ended = false;
        try
        {
            foreach (var batch in _validation)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var part = batches++ % sums.Parts;
                if (sums.Wants(part))
                {
                    using (TensorScope.Enter())
                    {
                        // The loss of what does not count is not even computed.
                        var weight = _count(batch);
                        sums.Add(part, weight == 0 ? 0 : double.CreateTruncating(_loss(batch).Item()), weight);
                    }
                }
            }

            ended = true;
        }
        finally
        {
            // A validation that was broken off is made again, by the same pass.
            if (!ended)
            {
                (_validation as BatchSource<TBatch>)?.UndoPass();
            }
        }

        if (batches == 0)
        {
            throw new InvalidOperationException("FitAsync: there are no batches to validate on; what can be enumerated only once is empty the second time.");
        }
    }

    /// <inheritdoc/>
    internal override void UndoValidation() => (_validation as BatchSource<TBatch>)?.UndoPass();

    private bool MoveNext(out TBatch batch)
    {
        if (_source is not null)
        {
            var any = _source.MoveNext();
            batch = any ? _source.Current : default!;
            return any;
        }

        if (!_enumerator!.MoveNext())
        {
            EndTraining();
            batch = default!;
            return false;
        }

        batch = _enumerator.Current;
        return true;
    }
}
