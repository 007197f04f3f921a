using System.Diagnostics;
using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>One training from its first update to its end.</summary>
internal sealed partial class TrainingRun<T>(
    Trainer<T> trainer, TrainingTask<T> task, IDisposable mark, int epochs, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Optimizer<T> _optimizer = trainer.Optimizer;
    private readonly BestParameters<T> _best = new(trainer);
    private readonly SpeedMeter _speed = new();
    private readonly Stopwatch _clock = new();
    private TrainingProgress _last;
    private long _updates;
    private double _scheduleStart = trainer.ScheduleStart;
    private long _skipped;
    private long _nonFiniteLosses;
    private int _epoch;
    private bool _inEpoch;
    private long _epochStart;
    private bool _dataEnded;
    private long _tokens;
    private double _lossSum;
    private double _lossWeight;
    private long _validatedAt = -1;
    private double? _validationLoss;

    private double SmoothedLoss => _lossWeight > 0 ? _lossSum / _lossWeight : double.NaN;

    /// <summary>Trains until a limit is reached.</summary>
    internal TrainingResult Execute()
    {
        // Recording may be off where the run was started from; the training is a flow of its own.
        using var end = mark;
        using var recording = NoGradient.Suspend();
        _clock.Start();
        TrainingStop stop;
        using var training = Evaluation.Suspend();
        var modes = trainer.Model.SaveModes();
        try
        {
            // In a model that is in training mode, parts that the user has put into evaluation stay there.
            if (!trainer.Model.IsTraining)
            {
                trainer.Model.Train();
            }

            _optimizer.ZeroGradients();
            Resume();
            stop = RunEpochs();
            SaveCheckpoint();
            Validate();
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            SaveCheckpoint();
            throw;
        }
        finally
        {
            _optimizer.LearningRateFactor = 1;
            Module<T>.RestoreModes(modes);
            try
            {
                _best.Restore();
            }
            finally
            {
                task.EndTraining();
            }
        }

        return new()
        {
            Stop = stop,
            Updates = _updates,
            SkippedUpdates = _skipped,
            NonFiniteLosses = _nonFiniteLosses,
            Epochs = _epoch,
            Tokens = _tokens,
            SmoothedLoss = SmoothedLoss,
            ValidationLoss = _validationLoss,
            BestValidationLoss = _best.Loss,
            BestUpdate = _best.Update,
            Elapsed = Elapsed,
        };
    }

    private TrainingStop RunEpochs()
    {
        while (true)
        {
            if (_best.IsPatienceOver)
            {
                return TrainingStop.EarlyStop;
            }

            if (!_inEpoch)
            {
                if (_epoch >= epochs)
                {
                    return TrainingStop.Epochs;
                }

                // What has been unfrozen since must be somebody's too.
                trainer.CheckParameters();
                _epoch++;
                _epochStart = _updates;
                _dataEnded = false;
                task.BeginEpoch(_epoch);
                _inEpoch = true;
            }

            do
            {
                if (trainer.ValidateEvery is { } every && _updates % every == 0 && Validate())
                {
                    return TrainingStop.EarlyStop;
                }

                cancellationToken.ThrowIfCancellationRequested();
                if (LimitReached() is { } limit)
                {
                    return limit;
                }

                SaveCheckpointWhereDue();
            }
            while (Step());

            if (_updates == _epochStart)
            {
                throw new InvalidOperationException(
                    "FitAsync: there are no batches to train on; what can be enumerated only once is empty in the second epoch.");
            }

            MoveSchedule(_epoch);
            var isOver = trainer.ValidateEvery is null && Validate();
            _inEpoch = false;
            if (isOver)
            {
                return TrainingStop.EarlyStop;
            }
        }
    }

    private TrainingStop? LimitReached() =>
        _updates >= trainer.MaxUpdates ? TrainingStop.Updates
        : Elapsed >= trainer.MaxTime ? TrainingStop.Time
        : null;

    // One update, of as many batches as it takes; false where the data of the epoch have come to their end.
    private bool Step()
    {
        _speed.Start();
        _isBetweenUpdates = false;
        var (lossSum, count, batches) = (0.0, 0L, 0);
        (double Norm, bool Skipped)? update = null;
        while (update is null && !_dataEnded)
        {
            using var scope = TensorScope.Enter();
            if (task.NextLoss() is not { } batch)
            {
                _dataEnded = true;
                break;
            }

            lossSum += double.CreateTruncating(batch.Loss.Item()) / batch.ReportDivisor;
            batch.Loss.Backward();
            count += batch.Count;
            update = ++batches == trainer.AccumulationSteps ? Update(batches, lossSum / batches) : null;
            task.EndStep(update is { Skipped: true });
        }

        if (batches == 0)
        {
            _isBetweenUpdates = true;
            return false;
        }

        if (update is null)
        {
            // The epoch has ended before the last batch of this update.
            update = Update(batches, lossSum / batches);
            if (update.Value.Skipped)
            {
                task.EndStep(skipped: true);
            }
        }

        Report(lossSum / batches, count, update.Value.Norm, update.Value.Skipped);
        return true;
    }

    private void Report(double loss, long count, double norm, bool skipped)
    {
        _updates++;
        _tokens += count;
        _speed.Stop(count);
        MoveSchedule(_epoch - 1);
        if (!skipped && !double.IsFinite(loss))
        {
            _nonFiniteLosses++;
        }
        else if (!skipped && count > 0)
        {
            _lossSum = (trainer.LossSmoothing * _lossSum) + ((1 - trainer.LossSmoothing) * loss);
            _lossWeight = (trainer.LossSmoothing * _lossWeight) + (1 - trainer.LossSmoothing);
        }

        _last = new()
        {
            Update = _updates,
            Epoch = _epoch,
            Loss = loss,
            SmoothedLoss = SmoothedLoss,
            LearningRate = _optimizer.LearningRate * _optimizer.LearningRateFactor,
            GradientNorm = norm,
            IsSkipped = skipped,
            Tokens = _tokens,
            TokensPerSecond = _speed.PerSecond,
            Elapsed = Elapsed,
            BestValidationLoss = _best.Loss,
        };
        trainer.AfterUpdate?.Invoke(new(trainer, _updates, loss, skipped));
        _isBetweenUpdates = true;
        progress?.Report(_last);
    }

    // Gradients are looked at before anything hides what is wrong with them; then limit values, measure what is left, update and clear.
    private (double Norm, bool Skipped) Update(int batches, double loss)
    {
        if (batches > 1)
        {
            GradientClipping.Scale(_optimizer, 1.0 / batches);
        }

        if (trainer.AfterBackward is { } hook)
        {
            hook(new(trainer, _updates + 1, loss));
            _optimizer.Block.MarkGradientsWritten();
        }

        var norm = GradientClipping.Norm(_optimizer);
        var reported = norm.Value;
        if (!norm.IsFinite)
        {
            return Skip(reported, GradientClipping.FindNonFinite(_optimizer));
        }

        if (trainer.MaxGradientValue is { } limit)
        {
            GradientClipping.Clamp(_optimizer, limit);
            norm = trainer.MaxGradientNorm is null ? new(limit, 1) : GradientClipping.Norm(_optimizer);
        }

        var scale = trainer.MaxGradientNorm is { } maxNorm ? norm.Clip(maxNorm) : 1;
        if (_optimizer.FindUnusable(scale, norm.Value) is { } unusable)
        {
            return Skip(reported, unusable);
        }

        if (!GradientSweeps.IsExact<T>(scale))
        {
            GradientClipping.Scale(_optimizer, scale);
            scale = 1;
        }

        if (trainer.Schedule is { } schedule)
        {
            MoveSchedule(_epoch - 1);
            _optimizer.LearningRateFactor = schedule.Factor(trainer.ScheduleStart);
        }

        _optimizer.Step(scale, clearGradients: true, norm.Value);
        return (reported, false);
    }

    private (double Norm, bool Skipped) Skip(double norm, NonFiniteGradient? found)
    {
        if (trainer.NonFiniteGradients == NonFinitePolicy.Throw)
        {
            throw found is not null
                ? new NonFiniteGradientException(found)
                : new NonFiniteGradientException($"The gradients' norm is {norm}.");
        }

        _optimizer.ZeroGradients();
        _skipped++;
        return (norm, true);
    }

    // The trainer keeps the place, so that the next run goes on from it.
    private void MoveSchedule(int epochs) => trainer.ScheduleStart = _scheduleStart + trainer.ScheduleUnit switch
    {
        ScheduleUnit.Epochs => epochs,
        ScheduleUnit.Seconds => Elapsed.TotalSeconds,
        _ => _updates,
    };

    // Measures the model as it is, once after an update; true when patience is over.
    private bool Validate()
    {
        if (_validatedAt == _updates || _updates == 0)
        {
            return false;
        }

        var averaged = _optimizer as AveragedSgd<T>;
        using (averaged?.UseAverages())
        {
            if (Measure() is not { } loss)
            {
                if (trainer.NeedsValidation is { } option)
                {
                    throw new InvalidOperationException($"{option}: it needs validation losses, but Validate of {task.GetType().Name.Split('`')[0]} gave none.");
                }

                _best.SaveLast();
                _validatedAt = _updates;
                return false;
            }

            // From here on nothing ends it half way.
            _validatedAt = _updates;

            _validationLoss = loss;
            _best.Observe(loss, _updates);
        }

        if (trainer.AveragingTrigger?.Observe(_validationLoss.Value) == true)
        {
            averaged?.StartAveraging();
        }

        (trainer.Schedule as PlateauSchedule)?.Observe(_validationLoss.Value);
        _last = _last with { ValidationLoss = _validationLoss, BestValidationLoss = _best.Loss, Elapsed = Elapsed };
        progress?.Report(_last);
        return _best.IsPatienceOver;
    }

    private double? Measure()
    {
        using var evaluation = Evaluation.Enter();
        using var noGradient = NoGradient.Enter();
        return task.Validate(cancellationToken);
    }
}
