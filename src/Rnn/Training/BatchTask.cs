using System.Numerics;
using System.Runtime.CompilerServices;
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
    private IEnumerator<TBatch>? _enumerator;

    internal BatchTask(IEnumerable<TBatch> batches, Func<TBatch, Tensor<T>> loss, IEnumerable<TBatch>? validation, Func<TBatch, long>? count)
    {
        (_batches, _loss, _validation, _count) = (batches, loss, validation, count ?? (static batch => RowsOf(batch)));
        _source = batches as BatchSource<TBatch>;
    }

    /// <inheritdoc/>
    public override bool HasValidation => _validation is not null;

    /// <inheritdoc/>
    public override bool CanResume => _source is not null && (_validation is null or BatchSource<TBatch> or IReadOnlyCollection<TBatch>);

    /// <inheritdoc/>
    public override string Identity => $"{_source?.Identity}{(_validation is BatchSource<TBatch> source ? $", validated on {source.Identity}" : string.Empty)}";

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
    public override BatchLoss<T>? NextLoss()
    {
        if (_source is not null)
        {
            return _source.MoveNext() ? new(_loss(_source.Current), _count(_source.Current)) : null;
        }

        if (!_enumerator!.MoveNext())
        {
            EndTraining();
            return null;
        }

        return new(_loss(_enumerator.Current), _count(_enumerator.Current));
    }

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

        var (sum, count, batches) = (0.0, 0.0, 0);
        var ended = false;
        try
        {
            foreach (var batch in _validation)
            {
                cancellationToken.ThrowIfCancellationRequested();
                using (TensorScope.Enter())
                {
                    var weight = _count(batch);
                    sum += weight == 0 ? 0 : double.CreateTruncating(_loss(batch).Item()) * weight;
                    count += weight;
                    batches++;
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

        return count > 0 ? sum / count : throw new InvalidOperationException(batches == 0
            ? "FitAsync: there are no batches to validate on; what can be enumerated only once is empty the second time."
            : $"FitAsync: the validation batches count for {count} rows or steps together; a mean needs one or more.");
    }

    // Rows where the library knows them: of its own batches, of tensors, and of tuples that begin with one.
    private static long RowsOf(object? batch) => batch switch
    {
        IRowBatch rows => rows.Rows,
        Tensor<T> tensor => tensor.Rank > 0 ? tensor.Shape[0] : 1,
        ITuple { Length: > 0 } tuple => RowsOf(tuple[0]),
        _ => 1,
    };
}
