using System.Diagnostics;
using System.Numerics;
using Rnn.Autograd;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>One training from its first step to its end.</summary>
internal sealed class TrainingRun<T>(
    Trainer<T> trainer, TrainingTask<T> task, int epochs, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Optimizer<T> _optimizer = trainer.Optimizer;
    private readonly BestParameters<T> _best = new(trainer);
    private readonly SpeedMeter _speed = new();
    private readonly Stopwatch _clock = new();
    private TrainingProgress _last;
    private long _iteration;
    private long _skipped;
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

            _optimizer.ClearGradients();
            stop = RunEpochs();
            Validate();
        }
        finally
        {
            _optimizer.LearningRateFactor = 1;
            Module<T>.RestoreModes(modes);
        }

        _best.Restore();
        return new()
        {
            Stop = stop,
            Iterations = _iteration,
            SkippedIterations = _skipped,
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
        if (!skipped)
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

    // Three passes over the block at most: limit values, measure the norm, update and clear.
    private (double Norm, bool Skipped) Update()
    {
        if (trainer.MaxGradientValue is { } limit)
        {
            GradientClipping.ByValue(_optimizer, limit);
        }

        var norm = GradientClipping.GlobalNorm(_optimizer);
        if (!double.IsFinite(norm))
        {
            if (trainer.NonFiniteGradients == NonFinitePolicy.Throw)
            {
                throw GradientClipping.FindNonFinite(_optimizer) is { } found
                    ? new NonFiniteGradientException(found)
                    : new NonFiniteGradientException($"The gradients' norm is {norm}.");
            }

            _optimizer.ClearGradients();
            _skipped++;
            return (norm, true);
        }

        if (trainer.Schedule is { } schedule)
        {
            _optimizer.LearningRateFactor = schedule.Factor(trainer.ScheduleUnit switch
            {
                ScheduleUnit.Epochs => _epoch - 1,
                ScheduleUnit.Seconds => _clock.Elapsed.TotalSeconds,
                _ => _iteration,
            });
        }

        _optimizer.Step(trainer.MaxGradientNorm is { } maxNorm ? GradientClipping.ScaleFor(norm, maxNorm) : 1, clearGradients: true);
        return (norm, false);
    }

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
        using var noGradient = NoGradient.Scope();
        return task.Validate(cancellationToken);
    }
}
