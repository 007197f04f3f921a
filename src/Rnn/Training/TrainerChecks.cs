using System.Globalization;
using System.Numerics;

namespace Rnn.Training;

/// <summary>What is checked before the first step, so that no training of hours ends in an error or in nothing.</summary>
internal static class TrainerChecks
{
    // Marks everything that a run changes, so that no other run has any of it at the same time. What is frozen may be shared.
    internal static IDisposable Enter<T>(Trainer<T> trainer, TrainingTask<T> task)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var used = new List<object> { trainer.Model, trainer.Optimizer, task };
        used.AddRange(trainer.Model.NamedParameters.Concat(trainer.Optimizer.Block.NamedParameters).Select(pair => pair.Value).Where(parameter => !parameter.Frozen));
        used.AddRange(task.Sources);
        used.AddRange(new object?[] { trainer.Schedule as PlateauSchedule, trainer.AveragingTrigger, trainer.Processes }.OfType<object>());

        return RunRegister.TryEnter(used, out var taken) ?? throw new InvalidOperationException(
            task.Sources.Contains(taken) ? "FitAsync: another run reads from this batch source, which has one place; make a source of its own for each run."
            : taken == trainer.Processes ? "FitAsync: another run of this process trains with these Processes; one group has one run at a time."
            : taken == trainer.Schedule || taken == trainer.AveragingTrigger ? $"FitAsync: another run observes its validations by this {taken!.GetType().Name}, which has a state; make one for each run."
            : "FitAsync: this model, its optimiser, its task or one of its parameters is being trained by another run; wait for the end of that one.");
    }

    internal static void Check<T>(Trainer<T> trainer, TrainingTask<T> task, int? epochs)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (epochs is null && trainer.MaxUpdates is null && trainer.MaxTime is null && trainer.Patience is null)
        {
            throw new ArgumentException("epochs: nothing says when to end; give the epochs, or set MaxUpdates, MaxTime or Patience.", nameof(epochs));
        }

        if (epochs < 1)
        {
            throw new ArgumentOutOfRangeException(nameof(epochs), epochs, $"epochs: expected 1 or more but got {epochs}.");
        }

        if (!task.HasValidation && NeedsValidation(trainer) is { } option)
        {
            throw new InvalidOperationException($"{option}: it needs validation losses, but there is nothing to validate on; pass validation data, or leave {option} unset.");
        }

        if (trainer.AveragingTrigger is not null && trainer.Optimizer is not AveragedSgd<T>)
        {
            throw new InvalidOperationException(
                $"AveragingTrigger: it starts the averages of an AveragedSgd, but the optimiser is {trainer.Optimizer.GetType().Name.Split('`')[0]}, which has none.");
        }

        CheckParts(trainer, task);
        trainer.Optimizer.CheckHolds(trainer.Model);
        trainer.Optimizer.CheckOptions();
        if (trainer.Schedule?.Factor(trainer.ScheduleStart) is { } factor && !(factor >= 0 && double.IsFinite(factor)))
        {
            throw new InvalidOperationException(
                string.Create(CultureInfo.InvariantCulture, $"Schedule: expected a finite factor of zero or more at {trainer.ScheduleStart} but {trainer.Schedule.GetType().Name} gives {factor}."));
        }

        // Files are rank 0's: the others need have no such folder.
        if (trainer.ModelPath is { } modelPath && trainer.Processes is null or { Rank: 0 })
        {
            OutputFile.Check(modelPath, nameof(trainer.ModelPath));
        }

        CheckCheckpoint(trainer, task);
    }

    private static void CheckParts<T>(Trainer<T> trainer, TrainingTask<T> task)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (trainer.Processes is { } processes && trainer.BatchParts != 1 && trainer.BatchParts != processes.Size)
        {
            throw new InvalidOperationException($"BatchParts: a batch has one part for each of the {processes.Size} Processes, not {trainer.BatchParts}; leave BatchParts at 1.");
        }

        if (trainer.PartCount > 1 && !task.HasParts)
        {
            throw new InvalidOperationException(
                $"{(trainer.Processes is null ? nameof(trainer.BatchParts) : nameof(trainer.Processes))}: {task.GetType().Name.Split('`')[0]} computes its batches as a whole; override HasParts, NextParts and PartLoss in it, or train it without.");
        }
    }

    private static void CheckCheckpoint<T>(Trainer<T> trainer, TrainingTask<T> task)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (trainer.CheckpointPath is not { } path)
        {
            if (trainer.Resume || trainer.CheckpointEvery is not null)
            {
                throw new InvalidOperationException($"{(trainer.Resume ? nameof(trainer.Resume) : nameof(trainer.CheckpointEvery))}: it needs the file of a CheckpointPath, but there is none.");
            }

            return;
        }

        if (trainer.Processes is null or { Rank: 0 })
        {
            OutputFile.Check(path, nameof(trainer.CheckpointPath));
        }

        if (!task.CanResume)
        {
            throw new InvalidOperationException(
                "CheckpointPath: these data have no place to return to, so the training could not be resumed; pass a BatchSource in place of what is only enumerated, or a task whose CanResume is true.");
        }

        if (trainer.ModelPath is { } modelPath && Path.GetFullPath(modelPath) == Path.GetFullPath(path))
        {
            throw new InvalidOperationException($"CheckpointPath: it is the same file as ModelPath, '{path}'; choose another for one of them.");
        }
    }

    /// <summary>The option that does nothing without validation, or never ends, if one is set.</summary>
    internal static string? NeedsValidation<T>(Trainer<T> trainer)
        where T : unmanaged, IFloatingPointIeee754<T> =>
            trainer.Patience is not null ? nameof(trainer.Patience)
            : trainer.RestoreBest ? nameof(trainer.RestoreBest)
            : trainer.ValidateEvery is not null ? nameof(trainer.ValidateEvery)
            : trainer.Schedule is PlateauSchedule ? nameof(PlateauSchedule)
            : trainer.AveragingTrigger is not null ? nameof(trainer.AveragingTrigger)
            : null;
}
