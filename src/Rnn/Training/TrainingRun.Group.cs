using Rnn.Formats;

namespace Rnn.Training;

/// <content>Batches in parts, and a training together with other processes.</content>
internal sealed partial class TrainingRun<T>
{
    private readonly PartRun<T>? _parts = trainer.PartCount > 1 ? new(trainer, task) : null;
    private readonly RankSync? _sync = trainer.Processes is { Size: > 1 } group ? new(group) : null;
    private TimeSpan _groupTime;
    private bool _isCancelled;

    // Whether this process reports and writes.
    private bool IsMain => _sync is null or { Group.Rank: 0 };

    // Where this process is.
    private SyncRecord Here(SyncPoint point) => new()
    {
        Point = point,
        Epoch = _epoch.Number,
        Updates = _counts.Updates,
        Ticks = Elapsed.Ticks,
        Norm = _last.GradientNorm,
        IsCancelled = cancellationToken.IsCancellationRequested,
    };

    private void Begin()
    {
        if (_sync is null)
        {
            if (ReadCheckpoint() is { } saved)
            {
                Restore(saved);
            }

            return;
        }

        TrainerChecks.Check(trainer, task, epochs);
        var identity = TrainingIdentity.OfGroup(trainer, task, epochs);
        var text = string.Join('\t', identity.Select(pair => pair.Value));
        Meet(Here(SyncPoint.Start) with { TextLength = text.Length });
        CheckAlike(identity, _sync.Text(text, 0).Split('\t'));
        var resumed = IsMain ? ReadCheckpoint() : null;
        Meet(SyncPoint.Agreed);
        StateTree<T>? state = resumed ?? (IsMain ? CurrentState() : null);
        _sync.Transport(() => state = StateExchange.Broadcast(_sync.Group, state, 0));
        if (!IsMain || resumed is not null)
        {
            Restore(state!);
        }

        Meet(SyncPoint.Begun);
        _saved.At = _groupTime;
    }

    private static void CheckAlike(List<KeyValuePair<string, string>> own, string[] first)
    {
        var differences = TrainingCheckpoint.Differences(own.Zip(first, (pair, text) => KeyValuePair.Create(pair.Key, text)), own, "is", "here");
        if (differences.Length > 0)
        {
            throw new InvalidOperationException($"This process does not train what rank 0 trains; all need the same model, options and data.{differences}");
        }
    }

    private ReadOnlySpan<SyncRecord> Meet(SyncPoint point) => _sync is null ? default : Meet(Here(point));

    private ReadOnlySpan<SyncRecord> Meet(SyncRecord own)
    {
        var all = _sync!.Meet(own);
        _groupTime = TimeSpan.FromTicks(all[0].Ticks);
        foreach (var record in all)
        {
            _isCancelled |= record.IsCancelled;
        }

        return all;
    }

    // In a group all end after the same update: the one in which they have heard of it.
    private void ThrowIfCancelled()
    {
        if (_sync is null)
        {
            cancellationToken.ThrowIfCancellationRequested();
        }
        else if (_isCancelled)
        {
            throw Cancelled();
        }
    }

    private OperationCanceledException Cancelled() => cancellationToken.IsCancellationRequested
        ? new(cancellationToken)
        : new("Another process of the group was cancelled.");

    private void EndCancelled()
    {
        try
        {
            SaveCheckpoint();
            Meet(SyncPoint.End);
        }
        catch (Exception exception) when (_sync is not null)
        {
            _sync.Fail(exception);
            throw;
        }
    }

    // The gradients, losses and counts of all parts together, before anyone looks at them.
    private void AddUpParts(int batches, ref double lossSum, ref long count)
    {
        if (_parts is null)
        {
            return;
        }

        ReadOnlySpan<SyncRecord> others = default;
        if (_sync is not null)
        {
            var (loss, counted) = _parts.Own;
            others = Meet(Here(SyncPoint.Update) with { Batches = batches, Loss = loss, Count = counted });
            _sync.Transport(_parts.AddUp);
        }
        else
        {
            _parts.AddUp();
        }

        (lossSum, count) = _parts.TakeTotals(others);
    }

    private double? MeasureParts()
    {
        var sums = new LossSums(trainer.PartCount, _sync?.Group.Rank ?? -1);
        if (_sync is null)
        {
            task.ValidateParts(sums, cancellationToken);
            return sums.Total.Count == 0 ? null : sums.Mean;
        }

        var isBroken = false;
        try
        {
            task.ValidateParts(sums, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            isBroken = true;
        }

        var (sum, weight, count) = sums[_sync.Group.Rank];
        var all = Meet(Here(SyncPoint.Validation) with { IsCancelled = isBroken, Loss = sum, Weight = weight, Count = count });
        if (_isCancelled)
        {
            // It is made again by the same pass, as where one process is cancelled.
            if (!isBroken)
            {
                task.UndoValidation();
            }

            throw Cancelled();
        }

        for (var rank = 0; rank < all.Length; rank++)
        {
            sums[rank] = (all[rank].Loss, all[rank].Weight, all[rank].Count);
        }

        return sums.Total.Count == 0 ? null : sums.Mean;
    }

    // What the other processes carry comes to the task of rank 0, which saves it.
    private void CollectParts()
    {
        if (_sync is null)
        {
            return;
        }

        var (rank, size) = (_sync.Group.Rank, _sync.Group.Size);
        var own = new StateTree<T>();
        if (!IsMain)
        {
            task.SavePart(rank, size, own);
        }

        Meet(SyncPoint.Checkpoint);
        var states = new StateTree<T>[size];
        _sync.Transport(() =>
        {
            for (var root = 1; root < size; root++)
            {
                states[root] = StateExchange.Broadcast(_sync.Group, own, root);
            }
        });
        for (var part = 1; part < size && IsMain; part++)
        {
            task.RestorePart(part, size, states[part]);
        }
    }
}
