using System.Numerics;
using Rnn.Formats;

namespace Rnn.Training;

/// <summary>The side of a training that is shared out: batches in parts, and the meetings with the other processes. Alone, and with batches as a whole, it does nothing.</summary>
internal sealed class RunGroup<T>(Trainer<T> trainer, TrainingTask<T> task, CancellationToken cancellationToken)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly PartRun<T>? _parts = trainer.PartCount > 1 ? new(trainer, task) : null;
    private readonly RankSync? _sync = trainer.Processes is { Size: > 1 } group ? new(group) : null;
    private StateTree<T>[] _collected = [];
    private bool _isCancelled;

    /// <summary>Whether this process reports and writes.</summary>
    internal bool IsMain => _sync is null or { Group.Rank: 0 };

    /// <summary>Whether there are other processes.</summary>
    internal bool HasOthers => _sync is not null;

    /// <summary>Whether batches are computed in parts.</summary>
    internal bool HasParts => _parts is not null;

    /// <summary>The time of rank 0 where all met last: what is decided by time is decided by it.</summary>
    internal TimeSpan Time { get; private set; }

    /// <summary>Whether a cancellation is one that all know of, so that the training ends as it should.</summary>
    internal bool IsCancelled => _sync is null ? cancellationToken.IsCancellationRequested : _isCancelled;

    /// <summary>The next batch in parts, forward and back; false at the end of the pass.</summary>
    internal bool Compute() => _parts!.Compute();

    /// <summary>Agrees with the others on what is trained, and gives all what rank 0 begins with.</summary>
    /// <param name="here">Where this process is.</param>
    /// <param name="epochs">The passes over the data.</param>
    /// <param name="read">Reads the checkpoint; null where there is none.</param>
    /// <param name="current">The state of this process.</param>
    /// <returns>What to restore; null for nothing.</returns>
    internal StateTree<T>? Begin(SyncRecord here, int? epochs, Func<StateTree<T>?> read, Func<StateTree<T>> current)
    {
        if (_sync is null)
        {
            return read();
        }

        TrainerChecks.Check(trainer, task, epochs);
        var identity = TrainingIdentity.OfGroup(trainer, task, epochs);
        var text = string.Join('\t', identity.Select(pair => pair.Value));
        Meet(here with { Point = SyncPoint.Start, TextLength = text.Length });
        CheckAlike(identity, _sync.Text(text, 0).Split('\t'));
        var resumed = IsMain ? read() : null;
        Meet(here with { Point = SyncPoint.Agreed });
        var state = resumed ?? (IsMain ? current() : null);
        _sync.Transport(() => state = StateExchange.Broadcast(_sync.Group, state, 0));
        return IsMain ? resumed : state;
    }

    /// <summary>Waits for the others and learns what they say.</summary>
    internal ReadOnlySpan<SyncRecord> Meet(SyncRecord here)
    {
        if (_sync is null)
        {
            return default;
        }

        var all = _sync.Meet(here);
        Time = TimeSpan.FromTicks(all[0].Ticks);
        foreach (var record in all)
        {
            _isCancelled |= record.IsCancelled;
        }

        return all;
    }

    /// <summary>Tells the others that this process cannot go on.</summary>
    internal void Fail(Exception exception) => _sync?.Fail(exception);

    /// <summary>Throws where training is cancelled; in a group on all after the same update, that in which they have heard of it.</summary>
    internal void ThrowIfCancelled()
    {
        if (IsCancelled)
        {
            throw Cancelled();
        }
    }

    /// <summary>Puts the gradients, losses and counts of all parts together, before anyone looks at them.</summary>
    internal void AddUp(SyncRecord here, ref double lossSum, ref long count)
    {
        if (_parts is null)
        {
            return;
        }

        ReadOnlySpan<SyncRecord> others = default;
        if (_sync is not null)
        {
            var (loss, counted) = _parts.Own;
            others = Meet(here with { Loss = loss, Count = counted });
            _sync.Transport(_parts.AddUp);
        }
        else
        {
            _parts.AddUp();
        }

        (lossSum, count) = _parts.TakeTotals(others);
    }

    /// <summary>The validation loss over all parts, the same on all processes.</summary>
    internal double? Measure(SyncRecord here)
    {
        if (_parts is null)
        {
            return task.Validate(cancellationToken);
        }

        var sums = new LossSums(trainer.PartCount, _sync?.Group.Rank ?? -1);
        if (_sync is null)
        {
            task.ValidateParts(sums, cancellationToken);
        }
        else
        {
            MeasureTogether(here, sums);
        }

        return sums.Total.Count == 0 ? null : sums.Mean;
    }

    /// <summary>Brings what the other processes carry to the task of rank 0, which saves it.</summary>
    internal void CollectParts(SyncRecord here)
    {
        if (_sync is null)
        {
            return;
        }

        var (rank, size) = (_sync.Group.Rank, _sync.Group.Size);
        var own = new StateTree<T>();
        if (!IsMain)
        {
            task.SavePart(rank, size, own.Branch("carried"));
        }

        _parts!.Compressed?.SaveState(own.Branch("sum"));

        Meet(here);
        var states = new StateTree<T>[size];
        _sync.Transport(() =>
        {
            for (var root = 1; root < size; root++)
            {
                states[root] = StateExchange.Broadcast(_sync.Group, own, root);
            }
        });
        states[0] = own;
        for (var part = 1; part < size && IsMain; part++)
        {
            task.RestorePart(part, size, states[part].Branch("carried"));
        }

        _collected = states;
    }

    /// <summary>Saves what of the other processes belongs into a checkpoint beside the data: the errors of rounded gradients. After <see cref="CollectParts"/>.</summary>
    internal void SaveState(StateTree<T> state)
    {
        if (_parts?.Compressed is not null && _collected.Length > 0)
        {
            state.Set("processes", _collected.Length);
            foreach (var (rank, collected) in _collected.Index())
            {
                foreach (var (path, tensor) in collected.Tensors.Where(pair => pair.Key.StartsWith("sum.", StringComparison.Ordinal)))
                {
                    state.Branch(CompressedSum<T>.Name(rank)).Add(path["sum.".Length..], tensor);
                }
            }

            _collected = [];
        }
    }

    /// <summary>Takes back what <see cref="SaveState"/> saved; nothing where no errors were saved, or none are kept here.</summary>
    internal void RestoreState(StateTree<T> state)
    {
        if (_parts?.Compressed is { } compressed && state.Contains("processes"))
        {
            compressed.RestoreState(state, (int)state.GetInt64("processes"));
        }
    }

    private static void CheckAlike(List<KeyValuePair<string, string>> own, string[] first)
    {
        var differences = TrainingCheckpoint.Differences(own.Zip(first, (pair, text) => KeyValuePair.Create(pair.Key, text)), own, "is", "here");
        if (differences.Length > 0)
        {
            throw new InvalidOperationException($"This process does not train what rank 0 trains; all need the same model, options and data.{differences}");
        }
    }

    private void MeasureTogether(SyncRecord here, LossSums sums)
    {
        var isBroken = false;
        try
        {
            task.ValidateParts(sums, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            isBroken = true;
        }

        var (sum, weight, count) = sums[_sync!.Group.Rank];
        var all = Meet(here with { IsCancelled = isBroken, Loss = sum, Weight = weight, Count = count });
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
    }

    private OperationCanceledException Cancelled() => cancellationToken.IsCancellationRequested
        ? new(cancellationToken)
        : new("Another process of the group was cancelled.");
}
