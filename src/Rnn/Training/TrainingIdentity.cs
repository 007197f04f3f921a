using System.Globalization;
using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Training;

/// <summary>Everything that decides the next update of a training apart from its state: a checkpoint is resumed only where all of it is the same.</summary>
internal static class TrainingIdentity
{
    /// <summary>What must be the same on all processes of a group: the identity, when the training ends, how numbers are computed.</summary>
    internal static List<KeyValuePair<string, string>> OfGroup<T>(Trainer<T> trainer, TrainingTask<T> task, int? epochs)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var identity = Of(trainer, task);
        identity.AddRange(new KeyValuePair<string, string>[]
        {
            new("Library", $"{typeof(Trainer<T>).Assembly.GetName().Version}"),
            new("Vectors", $"{Simd.VectorBits} bits{(Simd.HasFusedMultiplyAdd ? string.Empty : " without fused multiply-add")}"),
            new(nameof(trainer.Communication), $"{trainer.Communication}"),
            new("Epochs", $"{epochs}"),
            new(nameof(trainer.MaxUpdates), $"{trainer.MaxUpdates}"),
            new(nameof(trainer.MaxTime), $"{trainer.MaxTime}"),
            new(nameof(trainer.Patience), $"{trainer.Patience}"),
            new("Validation", task.HasValidation ? "yes" : "no"),
            new(nameof(trainer.CheckpointPath), trainer.CheckpointPath is null ? "none" : "set"),
            new(nameof(trainer.CheckpointEvery), $"{trainer.CheckpointEvery}"),
            new(nameof(trainer.CheckpointInterval), $"{trainer.CheckpointInterval}"),
        });
        return identity;
    }

    internal static List<KeyValuePair<string, string>> Of<T>(Trainer<T> trainer, TrainingTask<T> task)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // Records print their numbers in the current culture.
        var culture = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        try
        {
            return
            [
                new("Precision", typeof(T).Name),
                new("Model", trainer.Model.Identity),
                new("Frozen", string.Join(' ', trainer.Model.NamedParameters.Where(pair => pair.Value.Frozen).Select(pair => pair.Key))),
                new("Optimizer", trainer.Optimizer.Identity),
                new("Data", task.Identity),
                new(nameof(trainer.TokenLoss), $"{trainer.TokenLoss}{string.Concat((trainer.TokenLoss.ClassWeights ?? []).Select(weight => $" {weight}"))}"),
                new(nameof(trainer.PartLosses), $"{trainer.PartLosses}"),
                new(nameof(trainer.AccumulationSteps), $"{trainer.AccumulationSteps}"),
                new(nameof(trainer.MaxGradientNorm), $"{trainer.MaxGradientNorm}"),
                new(nameof(trainer.MaxGradientValue), $"{trainer.MaxGradientValue}"),
                new(nameof(trainer.NonFiniteGradients), $"{trainer.NonFiniteGradients}"),
                new(nameof(trainer.Schedule), $"{trainer.Schedule}"),
                new(nameof(trainer.ScheduleUnit), $"{trainer.ScheduleUnit}"),
                new(nameof(trainer.ValidateEvery), $"{trainer.ValidateEvery}"),
                new(nameof(trainer.MinImprovement), $"{trainer.MinImprovement}"),
                new(nameof(trainer.RestoreBest), $"{trainer.RestoreBest}"),
                new(nameof(trainer.AveragingTrigger), $"{trainer.AveragingTrigger?.Interval}"),
                new(nameof(trainer.LossSmoothing), $"{trainer.LossSmoothing}"),
            ];
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }
    }
}
