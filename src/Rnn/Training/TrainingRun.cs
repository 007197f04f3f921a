using System.Diagnostics;
using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>One training from its first step to its end.</summary>
internal sealed class TrainingRun<T>(
    Trainer<T> trainer, TrainingTask<T> task, IDisposable mark, int epochs, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Optimizer<T> _optimizer = trainer.Optimizer;
    private readonly BestParameters<T> _best = new(trainer);
    private readonly SpeedMeter _speed = new();
    private readonly Stopwatch _clock = new();
    private TrainingProgress _last;
    private long _iteration;
    private readonly double _scheduleStart = trainer.ScheduleStart;
    private long _skipped;
    private long _nonFiniteLosses;
    private int _epoch;
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
            stop = RunEpochs();
            Validate();
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
            Iterations = _iteration,
            SkippedIterations = _skipped,
            NonFiniteLosses = _nonFiniteLosses,
            Epochs = _epoch,
            Tokens = _tokens,
            SmoothedLoss = SmoothedLoss,
            ValidationLoss = _validationLoss,
            BestValidationLoss = _best.Loss,
            BestIteration = _best.Iteration,
            Elapsed = _clock.Elapsed,
        };
    }

    private TrainingStop RunEpochs()
    {
        while (true)
        {
            // What has been unfrozen since must be somebody's too.
            trainer.CheckParameters();
            _epoch++;
            task.BeginEpoch(_epoch);
            var before = _iteration;
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (LimitReached() is { } limit)
                {
                    return limit;
                }

                if (!Step())
                {
                    break;
                }

                progress?.Report(_last);
                if (trainer.ValidateEvery is { } every && _iteration % every == 0 && Validate())
                {
                    return TrainingStop.EarlyStop;
                }
            }

            if (_iteration == before)
            {
                throw new InvalidOperationException(
                    "FitAsync: there are no batches to train on; what can be enumerated only once is empty in the second epoch.");
            }

            MoveSchedule(_epoch);
            if (trainer.ValidateEvery is null && Validate())
            {
                return TrainingStop.EarlyStop;
            }

            if (_epoch >= epochs)
            {
                return TrainingStop.Epochs;
            }
        }
    }

    private TrainingStop? LimitReached() =>
        _iteration >= trainer.MaxIterations ? TrainingStop.Iterations
        : _clock.Elapsed >= trainer.MaxTime ? TrainingStop.Time
        : null;

    // One update; false where the data of the epoch have come to their end.
    private bool Step()
    {
        using var scope = TensorScope.Enter();
        _speed.Start();
        if (task.NextLoss() is not { } batch)
        {
            return false;
        }

        var loss = double.CreateTruncating(batch.Loss.Item()) / batch.ReportDivisor;
        batch.Loss.Backward();
        var (norm, skipped) = Update();
        task.EndStep(skipped);
        _iteration++;
        _tokens += batch.Count;
        _speed.Stop(batch.Count);
        MoveSchedule(_epoch - 1);
        if (!skipped && !double.IsFinite(loss))
        {
            _nonFiniteLosses++;
        }
        else if (!skipped && batch.Count > 0)
        {
            _lossSum = (trainer.LossSmoothing * _lossSum) + ((1 - trainer.LossSmoothing) * loss);
            _lossWeight = (trainer.LossSmoothing * _lossWeight) + (1 - trainer.LossSmoothing);
        }

        _last = new()
        {
            Iteration = _iteration,
            Epoch = _epoch,
            Loss = loss,
            SmoothedLoss = SmoothedLoss,
            LearningRate = _optimizer.LearningRate * _optimizer.LearningRateFactor,
            GradientNorm = norm,
            IsSkipped = skipped,
            Tokens = _tokens,
            TokensPerSecond = _speed.PerSecond,
            Elapsed = _clock.Elapsed,
            BestValidationLoss = _best.Loss,
        };
        return true;
    }

    // Gradients are looked at before anything hides what is wrong with them; then limit values, measure what is left, update and clear.
    private (double Norm, bool Skipped) Update()
    {
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
        ScheduleUnit.Seconds => _clock.Elapsed.TotalSeconds,
        _ => _iteration,
    };

    // Measures the model as it is, once after an update; true when patience is over.
    private bool Validate()
    {
        if (_validatedAt == _iteration || _iteration == 0)
        {
            return false;
        }

        _validatedAt = _iteration;
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
                return false;
            }

            _validationLoss = loss;
            _best.Observe(loss, _iteration);
        }

        if (trainer.AveragingTrigger?.Observe(_validationLoss.Value) == true)
        {
            averaged?.StartAveraging();
        }

        (trainer.Schedule as PlateauSchedule)?.Observe(_validationLoss.Value);
        _last = _last with { ValidationLoss = _validationLoss, BestValidationLoss = _best.Loss, Elapsed = _clock.Elapsed };
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
