using Rnn.Formats;

namespace Rnn.Training;

/// <content>The state of a training: written to its checkpoint, and taken back from it.</content>
internal sealed partial class TrainingRun<T>
{
    private TimeSpan _elapsedBefore;
    private TimeSpan _savedAt;
    private long _savedUpdates = -1;

    // False from the first batch of an update to its end, where no state is worth keeping.
    private bool _isBetweenUpdates = true;

    private TimeSpan Elapsed => _elapsedBefore + _clock.Elapsed;

    private void SaveCheckpointWhereDue()
    {
        if (trainer.CheckpointPath is null || _updates == _savedUpdates)
        {
            return;
        }

        if ((trainer.CheckpointEvery is { } every && _updates % every == 0) || Elapsed - _savedAt >= trainer.CheckpointInterval)
        {
            SaveCheckpoint();
        }
    }

    private void SaveCheckpoint()
    {
        if (trainer.CheckpointPath is not { } path || !_isBetweenUpdates || _updates == 0)
        {
            return;
        }

        var state = new StateTree<T>();
        trainer.Model.SaveState(state.Branch("model"));
        _optimizer.SaveState(state.Branch("optimizer"));
        trainer.Schedule?.SaveState(state.Branch("schedule"));
        trainer.AveragingTrigger?.SaveState(state.Branch("trigger"));
        task.SaveState(state.Branch("data"));
        _best.SaveState(state.Branch("best"));
        SaveCounters(state.Branch("run"));
        TrainingCheckpoint.Write(path, state, TrainingIdentity.Of(trainer, task));
        (_savedAt, _savedUpdates) = (Elapsed, _updates);
    }

    private void Resume()
    {
        if (!trainer.Resume || trainer.CheckpointPath is not { } path || !File.Exists(path))
        {
            return;
        }

        var state = TrainingCheckpoint.Read<T>(path, TrainingIdentity.Of(trainer, task));

        // A random source of the data may be the model's too: of both, what the model draws next is right.
        task.RestoreState(state.Branch("data"));
        trainer.Model.RestoreState(state.Branch("model"));
        _optimizer.RestoreState(state.Branch("optimizer"));
        trainer.Schedule?.RestoreState(state.Branch("schedule"));
        trainer.AveragingTrigger?.RestoreState(state.Branch("trigger"));
        _best.RestoreState(state.Branch("best"));
        RestoreCounters(state.Branch("run"));
        (_savedAt, _savedUpdates) = (Elapsed, _updates);
    }

    private void SaveCounters(StateValues state)
    {
        state.Set("updates", _updates);
        state.Set("skipped", _skipped);
        state.Set("non_finite_losses", _nonFiniteLosses);
        state.Set("epoch", _epoch);
        state.Set("in_epoch", _inEpoch ? 1 : 0);
        state.Set("epoch_start", _epochStart);
        state.Set("tokens", _tokens);
        state.Set("loss_sum", _lossSum);
        state.Set("loss_weight", _lossWeight);
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
        _updates = state.GetInt64("updates");
        _skipped = state.GetInt64("skipped");
        _nonFiniteLosses = state.GetInt64("non_finite_losses");
        _epoch = (int)state.GetInt64("epoch");
        _inEpoch = state.GetInt64("in_epoch") != 0;
        _epochStart = state.GetInt64("epoch_start");
        _tokens = state.GetInt64("tokens");
        (_lossSum, _lossWeight) = (state.GetDouble("loss_sum"), state.GetDouble("loss_weight"));
        (_validatedAt, _validationLoss) = (state.GetInt64("validated_at"), state.FindDouble("validation_loss"));
        _scheduleStart = state.GetDouble("schedule_start");
        _elapsedBefore = TimeSpan.FromTicks(state.GetInt64("elapsed"));
        _last = new()
        {
            Update = _updates,
            Epoch = _epoch,
            Loss = state.GetDouble("last_loss"),
            SmoothedLoss = SmoothedLoss,
            LearningRate = state.GetDouble("last_rate"),
            GradientNorm = state.GetDouble("last_norm"),
            IsSkipped = state.GetInt64("last_skipped") != 0,
            Tokens = _tokens,
            TokensPerSecond = 0,
            Elapsed = Elapsed,
            BestValidationLoss = _best.Loss,
        };
    }
}
