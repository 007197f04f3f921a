using System.Globalization;

namespace Rnn.Training;

/// <content>What is checked before the first step, so that no training of hours ends in an error or in nothing.</content>
public sealed partial class Trainer<T>
{
    // Marks everything that a run changes, so that no other run has any of it at the same time. What is frozen may be shared.
    private IDisposable Enter(TrainingTask<T> task)
    {
        var used = new List<object> { Model, Optimizer, task };
        used.AddRange(Model.NamedParameters.Concat(Optimizer.Block.NamedParameters).Select(pair => pair.Value).Where(parameter => !parameter.Frozen));
        used.AddRange(task.Sources);
        if (Schedule is PlateauSchedule)
        {
            used.Add(Schedule);
        }

        if (AveragingTrigger is not null)
        {
            used.Add(AveragingTrigger);
        }

        return RunRegister.TryEnter(used, out var taken) ?? throw new InvalidOperationException(
            task.Sources.Contains(taken) ? "FitAsync: another run reads from this batch source, which has one place; make a source of its own for each run."
            : taken == Schedule || taken == AveragingTrigger ? $"FitAsync: another run observes its validations by this {taken!.GetType().Name}, which has a state; make one for each run."
            : "FitAsync: this model, its optimiser, its task or one of its parameters is being trained by another run; wait for the end of that one.");
    }

    private void Check(TrainingTask<T> task, int? epochs)
    {
        if (epochs is null && MaxUpdates is null && MaxTime is null && Patience is null)
        {
            throw new ArgumentException("epochs: nothing says when to end; give the epochs, or set MaxUpdates, MaxTime or Patience.", nameof(epochs));
        }

        if (epochs < 1)
        {
            throw new ArgumentOutOfRangeException(nameof(epochs), epochs, $"epochs: expected 1 or more but got {epochs}.");
        }

        if (!task.HasValidation && NeedsValidation is { } option)
        {
            throw new InvalidOperationException($"{option}: it needs validation losses, but there is nothing to validate on; pass validation data, or leave {option} unset.");
        }

        if (AveragingTrigger is not null && Optimizer is not AveragedSgd<T>)
        {
            throw new InvalidOperationException(
                $"AveragingTrigger: it starts the averages of an AveragedSgd, but the optimiser is {Optimizer.GetType().Name.Split('`')[0]}, which has none.");
        }

        Optimizer.CheckHolds(Model);
        Optimizer.CheckOptions();
        if (Schedule?.Factor(ScheduleStart) is { } factor && !(factor >= 0 && double.IsFinite(factor)))
        {
            throw new InvalidOperationException(
                string.Create(CultureInfo.InvariantCulture, $"Schedule: expected a finite factor of zero or more at {ScheduleStart} but {Schedule.GetType().Name} gives {factor}."));
        }

        if (ModelPath is { } modelPath)
        {
            OutputFile.Check(modelPath, nameof(ModelPath));
        }

        CheckCheckpoint(task);
    }

    private void CheckCheckpoint(TrainingTask<T> task)
    {
        if (CheckpointPath is not { } path)
        {
            if (Resume || CheckpointEvery is not null)
            {
                throw new InvalidOperationException($"{(Resume ? nameof(Resume) : nameof(CheckpointEvery))}: it needs the file of a CheckpointPath, but there is none.");
            }

            return;
        }

        OutputFile.Check(path, nameof(CheckpointPath));
        if (!task.CanResume)
        {
            throw new InvalidOperationException(
                "CheckpointPath: these data have no place to return to, so the training could not be resumed; pass a BatchSource in place of what is only enumerated, or a task whose CanResume is true.");
        }

        if (ModelPath is { } modelPath && Path.GetFullPath(modelPath) == Path.GetFullPath(path))
        {
            throw new InvalidOperationException($"CheckpointPath: it is the same file as ModelPath, '{path}'; choose another for one of them.");
        }
    }

    /// <summary>The option that does nothing without validation, or never ends, if one is set.</summary>
    internal string? NeedsValidation =>
        Patience is not null ? nameof(Patience)
        : RestoreBest ? nameof(RestoreBest)
        : ValidateEvery is not null ? nameof(ValidateEvery)
        : Schedule is PlateauSchedule ? nameof(PlateauSchedule)
        : AveragingTrigger is not null ? nameof(AveragingTrigger)
        : null;
}
