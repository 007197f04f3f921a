using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>One training from its first update to its end.</summary>
internal sealed partial class TrainingRun<T>(
    Trainer<T> trainer, TrainingTask<T> task, IDisposable mark, int? epochs, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Optimizer<T> _optimizer = trainer.Optimizer;
    private readonly BestParameters<T> _best = new(trainer);
    private readonly RunGroup<T> _group = new(trainer, task, cancellationToken);
    private readonly SpeedMeter _speed = new();
    private readonly Stopwatch _clock = new();
    private TrainingProgress _last;
    private RunningMean _smoothedLoss = new(trainer.LossSmoothing);
    private Counts _counts;
    private EpochState _epoch;
    private double _scheduleStart = trainer.ScheduleStart;
    private long _validatedAt = -1;
    private double? _validationLoss;

    /// <summary>Trains until a limit is reached.</summary>
    internal TrainingResult Execute()
    {
        // Recording may be off where FitAsync was called; that does not concern the training.
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
            Begin();
            stop = RunEpochs();
            SaveCheckpoint();
            Validate();
            _group.Meet(Here(SyncPoint.End));
        }
        catch (OperationCanceledException) when (_group.IsCancelled)
        {
            EndCancelled();
            throw;
        }
        catch (Exception exception) when (_group.HasOthers)
        {
            _group.Fail(exception);
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
            Updates = _counts.Updates,
            SkippedUpdates = _counts.Skipped,
            NonFiniteLosses = _counts.NonFiniteLosses,
            Epochs = _epoch.Number,
            Tokens = _counts.Tokens,
            SmoothedLoss = _smoothedLoss.Value,
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

            if (!_epoch.HasBegun)
            {
                if (_epoch.Number >= (epochs ?? int.MaxValue))
                {
                    return TrainingStop.Epochs;
                }

                // What has been unfrozen since must be somebody's too.
                trainer.Optimizer.CheckHolds(trainer.Model);
                _epoch = new() { Number = _epoch.Number + 1, FirstUpdate = _counts.Updates };
                task.BeginEpoch(_epoch.Number);
                _epoch.HasBegun = true;
            }

            do
            {
                if (trainer.ValidateEvery is { } every && _counts.Updates % every == 0 && Validate())
                {
                    return TrainingStop.EarlyStop;
                }

                _group.ThrowIfCancelled();
                if (LimitReached() is { } limit)
                {
                    return limit;
                }

                SaveCheckpointWhereDue();
            }
            while (Step());

            if (_counts.Updates == _epoch.FirstUpdate)
            {
                throw new InvalidOperationException(
                    "FitAsync: there are no batches to train on; what can be enumerated only once is empty in the second epoch.");
            }

            MoveSchedule(_epoch.Number);
            var isOver = trainer.ValidateEvery is null && Validate();
            _epoch.HasBegun = false;
            if (isOver)
            {
                return TrainingStop.EarlyStop;
            }
        }
    }

    private TrainingStop? LimitReached() =>
        _counts.Updates >= trainer.MaxUpdates ? TrainingStop.Updates
        : DecisionTime >= trainer.MaxTime ? TrainingStop.Time
        : null;

    // One update, of as many batches as it takes; false where the data of the epoch have come to their end.
    private bool Step()
    {
        _speed.Start();
        _isBetweenUpdates = false;
        var (lossSum, count, batches) = (0.0, 0L, 0);
        (double Norm, bool Skipped)? update = null;
        while (update is null && !_epoch.DataEnded)
        {
            using var scope = TensorScope.Enter();
            if (_group.HasParts ? !_group.Compute() : !Compute(ref lossSum, ref count))
            {
                _epoch.DataEnded = true;
                break;
            }

            update = ++batches == trainer.AccumulationSteps ? Update(batches, ref lossSum, ref count) : null;
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
            update = Update(batches, ref lossSum, ref count);
            if (update.Value.Skipped)
            {
                task.EndStep(skipped: true);
            }
        }

        Report(lossSum / batches, count, update.Value.Norm, update.Value.Skipped);
        return true;
    }

    private bool Compute(ref double lossSum, ref long count)
    {
        if (task.NextLoss() is not { } batch)
        {
            return false;
        }

        lossSum += double.CreateTruncating(batch.Loss.Item()) / batch.ReportDivisor;
        batch.Loss.Backward();
        count += batch.Count;
        return true;
    }

    private void Report(double loss, long count, double norm, bool skipped)
    {
        _counts.Updates++;
        _counts.Tokens += count;
        _speed.Stop(count);
        MoveSchedule(_epoch.Number - 1);
        if (!skipped && !double.IsFinite(loss))
        {
            _counts.NonFiniteLosses++;
        }
        else if (!skipped && count > 0)
        {
            _smoothedLoss.Add(loss);
        }

        _last = new()
        {
            Update = _counts.Updates,
            Epoch = _epoch.Number,
            Loss = loss,
            SmoothedLoss = _smoothedLoss.Value,
            LearningRate = _optimizer.LearningRate * _optimizer.LearningRateFactor,
            GradientNorm = norm,
            IsSkipped = skipped,
            Tokens = _counts.Tokens,
            TokensPerSecond = _speed.PerSecond,
            Elapsed = Elapsed,
            BestValidationLoss = _best.Loss,
        };
        trainer.AfterUpdate?.Invoke(new(trainer, _counts.Updates, loss, skipped));
        _isBetweenUpdates = true;
        ReportProgress();
    }

    private void ReportProgress()
    {
        if (_group.IsMain)
        {
            progress?.Report(_last);
        }
    }

    // Gradients are looked at before anything hides what is wrong with them; then limit values, measure what is left, update and clear.
    private (double Norm, bool Skipped) Update(int batches, ref double lossSum, ref long count)
    {
        _group.AddUp(Here(SyncPoint.Update) with { Batches = batches }, ref lossSum, ref count);
        if (batches > 1)
        {
            GradientClipping.Scale(_optimizer.Block.NamedParameters, 1.0 / batches);
        }

        if (trainer.AfterBackward is { } hook)
        {
            hook(new(trainer, _counts.Updates + 1, lossSum / batches));
            _optimizer.Block.MarkGradientsWritten();
        }

        var norm = GradientClipping.Norm(_optimizer.Block.NamedParameters);
        var reported = norm.Value;
        if (!norm.IsFinite)
        {
            return Skip(reported, GradientClipping.FindNonFinite(_optimizer));
        }

        if (trainer.MaxGradientValue is { } limit)
        {
            GradientClipping.Clamp(_optimizer.Block.NamedParameters, limit);
            norm = trainer.MaxGradientNorm is null ? new(limit, 1) : GradientClipping.Norm(_optimizer.Block.NamedParameters);
        }

        var scale = trainer.MaxGradientNorm is { } maxNorm ? norm.Clip(maxNorm) : 1;
        if (_optimizer.FindUnusable(scale, norm.Value) is { } unusable)
        {
            return Skip(reported, unusable);
        }

        if (!GradientKernels.IsExact<T>(scale))
        {
            GradientClipping.Scale(_optimizer.Block.NamedParameters, scale);
            scale = 1;
        }

        if (trainer.Schedule is { } schedule)
        {
            MoveSchedule(_epoch.Number - 1);
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
                : new NonFiniteGradientException(string.Create(CultureInfo.InvariantCulture, $"The gradients' norm is {norm}."));
        }

        _optimizer.ZeroGradients();
        _counts.Skipped++;
        return (norm, true);
    }

    // The trainer keeps the position, so that the next run continues from it.
    private void MoveSchedule(int epochs) => trainer.ScheduleStart = _scheduleStart + trainer.ScheduleUnit switch
    {
        ScheduleUnit.Epochs => epochs,
        ScheduleUnit.Seconds => DecisionTime.TotalSeconds,
        _ => _counts.Updates,
    };

    // Measures the model as it is, once after an update; true when patience is over.
    private bool Validate()
    {
        if (_validatedAt == _counts.Updates || _counts.Updates == 0)
        {
            return false;
        }

        var averaged = _optimizer as AveragedSgd<T>;
        using (averaged?.EnterAverages())
        {
            if (Measure() is not { } loss)
            {
                if (TrainerChecks.NeedsValidation(trainer) is { } option)
                {
                    throw new InvalidOperationException($"{option}: it needs validation losses, but Validate of {task.GetType().Name.Split('`')[0]} gave none.");
                }

                _best.SaveLast();
                _validatedAt = _counts.Updates;
                return false;
            }

            // Nothing below is cancelled half-way.
            _validatedAt = _counts.Updates;

            _validationLoss = loss;
            _best.Observe(loss, _counts.Updates);
        }

        if (trainer.AveragingTrigger?.Observe(_validationLoss.Value) == true)
        {
            averaged?.StartAveraging();
        }

        (trainer.Schedule as PlateauSchedule)?.Observe(_validationLoss.Value);
        _last = _last with { ValidationLoss = _validationLoss, BestValidationLoss = _best.Loss, Elapsed = Elapsed };
        ReportProgress();
        return _best.IsPatienceOver;
    }

    private double? Measure()
    {
        using var evaluation = Evaluation.Enter();
        using var noGradient = NoGradient.Enter();
        return _group.Measure(Here(SyncPoint.Validation));
    }

    // Of the whole training, kept from run to run by its checkpoint.
    private struct Counts
    {
        internal long Updates;
        internal long Skipped;
        internal long NonFiniteLosses;
        internal long Tokens;
    }

    // Of one pass over the data; HasBegun is false between two.
    private struct EpochState
    {
        internal int Number;
        internal long FirstUpdate;
        internal bool HasBegun;
        internal bool DataEnded;
    }
}
