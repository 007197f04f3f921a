using Rnn.Formats;

namespace Rnn.Training;

/// <content>The state of a training: written to its checkpoint, and taken back from it.</content>
internal sealed partial class TrainingRun<T>
{
    private TimeSpan _elapsedBefore;
    private (TimeSpan At, long Updates) _saved = (TimeSpan.Zero, -1);

    // False from the first batch of an update to its end, where no state is worth keeping.
    private bool _isBetweenUpdates = true;

    private TimeSpan Elapsed => _elapsedBefore + _clock.Elapsed;

    // What is decided by time: in a group by that of rank 0 where all met last.
    private TimeSpan DecisionTime => _group.HasOthers ? _group.Time : Elapsed;

    private void Begin()
    {
        if (_group.Begin(Here(SyncPoint.Start), epochs, ReadCheckpoint, CurrentState) is { } state)
        {
            Restore(state);
        }

        if (_group.HasOthers)
        {
            _group.Meet(Here(SyncPoint.Begun));
            _saved.At = DecisionTime;
        }
    }

    private void EndCancelled()
    {
        try
        {
            SaveCheckpoint();
            _group.Meet(Here(SyncPoint.End));
        }
        catch (Exception exception) when (_group.HasOthers)
        {
            _group.Fail(exception);
            throw;
        }
    }

    // Where this process is, for a meeting with the others.
    private SyncRecord Here(SyncPoint point) => new()
    {
        Point = point,
        Epoch = _epoch.Number,
        Updates = _counts.Updates,
        Ticks = Elapsed.Ticks,
        Norm = _last.GradientNorm,
        IsCancelled = cancellationToken.IsCancellationRequested,
    };

    private void SaveCheckpointWhereDue()
    {
        if (trainer.CheckpointPath is null || _counts.Updates == _saved.Updates)
        {
            return;
        }

        if ((trainer.CheckpointEvery is { } every && _counts.Updates % every == 0) || DecisionTime - _saved.At >= trainer.CheckpointInterval)
        {
            SaveCheckpoint();
        }
    }

    private void SaveCheckpoint()
    {
        if (trainer.CheckpointPath is not { } path || !_isBetweenUpdates || _counts.Updates == 0)
        {
            return;
        }

        // Of a group rank 0 gets what the others carry, and writes.
        _group.CollectParts(Here(SyncPoint.Checkpoint));
        if (_group.IsMain)
        {
            TrainingCheckpoint.Write(path, CurrentState(), TrainingIdentity.Of(trainer, task));
        }

        _saved = (DecisionTime, _counts.Updates);
    }

    private StateTree<T> CurrentState()
    {
        var state = new StateTree<T>();
        trainer.Model.SaveState(state.Branch("model"));
        _optimizer.SaveState(state.Branch("optimizer"));
        trainer.Schedule?.SaveState(state.Branch("schedule"));
        trainer.AveragingTrigger?.SaveState(state.Branch("trigger"));
        task.SaveState(state.Branch("data"));
        _best.SaveState(state.Branch("best"));
        _group.SaveState(state.Branch("gradients"));
        SaveCounters(state.Branch("run"));
        return state;
    }

    // Null where the training begins.
    private StateTree<T>? ReadCheckpoint() =>
        trainer.Resume && trainer.CheckpointPath is { } path && File.Exists(path) ? TrainingCheckpoint.Read<T>(path, TrainingIdentity.Of(trainer, task)) : null;

    private void Restore(StateTree<T> state)
    {

        // Data and model may share a random source; then the model's state of it is the right one, so it is restored after the data's.
        task.RestoreState(state.Branch("data"));
        trainer.Model.RestoreState(state.Branch("model"));
        _optimizer.RestoreState(state.Branch("optimizer"));
        trainer.Schedule?.RestoreState(state.Branch("schedule"));
        trainer.AveragingTrigger?.RestoreState(state.Branch("trigger"));
        _best.RestoreState(state.Branch("best"));
        _group.RestoreState(state.Branch("gradients"));
        RestoreCounters(state.Branch("run"));
        _saved = (Elapsed, _counts.Updates == 0 ? -1 : _counts.Updates);
    }

    private void SaveCounters(StateValues state)
    {
        state.Set("updates", _counts.Updates);
        state.Set("skipped", _counts.Skipped);
        state.Set("non_finite_losses", _counts.NonFiniteLosses);
        state.Set("epoch", _epoch.Number);
        state.Set("in_epoch", _epoch.HasBegun ? 1 : 0);
        state.Set("epoch_start", _epoch.FirstUpdate);
        state.Set("tokens", _counts.Tokens);
        _smoothedLoss.SaveState(state);
        state.Set("validated_at", _validatedAt);
        state.Set("validation_loss", _validationLoss);
        state.Set("schedule_start", _scheduleStart);
        state.Set("elapsed", Elapsed.Ticks);

        // A validation that is still to come reports these again.
        state.Set("last_loss", _last.Loss);
        state.Set("last_norm", _last.GradientNorm);
        state.Set("last_rate", _last.LearningRate);
        state.Set("last_skipped", _last.IsSkipped ? 1 : 0);
    }

    private void RestoreCounters(StateValues state)
    {
        _counts = new()
        {
            Updates = state.GetInt64("updates"),
            Skipped = state.GetInt64("skipped"),
            NonFiniteLosses = state.GetInt64("non_finite_losses"),
            Tokens = state.GetInt64("tokens"),
        };
        _epoch = new() { Number = (int)state.GetInt64("epoch"), FirstUpdate = state.GetInt64("epoch_start"), HasBegun = state.GetInt64("in_epoch") != 0 };
        _smoothedLoss.RestoreState(state);
        (_validatedAt, _validationLoss) = (state.GetInt64("validated_at"), state.FindDouble("validation_loss"));
        _scheduleStart = state.GetDouble("schedule_start");
        _elapsedBefore = TimeSpan.FromTicks(state.GetInt64("elapsed"));
        _last = new()
        {
            Update = _counts.Updates,
            Epoch = _epoch.Number,
            Loss = state.GetDouble("last_loss"),
            SmoothedLoss = _smoothedLoss.Value,
            LearningRate = state.GetDouble("last_rate"),
            GradientNorm = state.GetDouble("last_norm"),
            IsSkipped = state.GetInt64("last_skipped") != 0,
            Tokens = _counts.Tokens,
            TokensPerSecond = 0,
            Elapsed = Elapsed,
            BestValidationLoss = _best.Loss,
        };
    }
}
