using System.Globalization;

namespace Rnn.Training;

/// <summary>What a <see cref="Trainer{T}"/> reports after a step.</summary>
public readonly struct TrainingProgress
{
    /// <summary>The updates so far, this one included; skipped ones count.</summary>
    public required long Update { get; init; }

    /// <summary>The number of the current pass over the data, from 1.</summary>
    public required int Epoch { get; init; }

    /// <summary>The loss of this step's batch.</summary>
    public required double Loss { get; init; }

    /// <summary>The running mean of the losses that are finite, see <see cref="Trainer{T}.LossSmoothing"/>.</summary>
    public required double SmoothedLoss { get; init; }

    /// <summary>The optimiser's learning rate times the schedule's factor.</summary>
    public required double LearningRate { get; init; }

    /// <summary>The norm of all gradients before clipping of either kind.</summary>
    public required double GradientNorm { get; init; }

    /// <summary>Whether the update was left out because a gradient was not finite.</summary>
    public bool IsSkipped { get; init; }

    /// <summary>The tokens, steps or rows of all batches so far.</summary>
    public required long Tokens { get; init; }

    /// <summary>The speed over about the last second of training, without validation.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>The time since the training began.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>The validation loss in the second report of a step that was followed by a validation, else null.</summary>
    public double? ValidationLoss { get; init; }

    /// <summary>The smallest validation loss so far, null before the first.</summary>
    public double? BestValidationLoss { get; init; }

    /// <summary>One line: update, epoch, running mean of the loss, speed and, where there is one, the validation loss.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"update {Update}, epoch {Epoch}, loss {SmoothedLoss:g6}, {TokensPerSecond:f0} tokens/s{(ValidationLoss is { } loss ? string.Create(CultureInfo.InvariantCulture, $", validation loss {loss:g6}") : string.Empty)}");
}

/// <summary>How a training ended.</summary>
public sealed class TrainingResult
{
    /// <summary>Why it ended.</summary>
    public required TrainingStop Stop { get; init; }

    /// <summary>The updates made, skipped ones included.</summary>
    public required long Updates { get; init; }

    /// <summary>The updates left out because a gradient was not finite.</summary>
    public required long SkippedUpdates { get; init; }

    /// <summary>The passes over the data begun.</summary>
    public required int Epochs { get; init; }

    /// <summary>The tokens, steps or rows of all batches.</summary>
    public required long Tokens { get; init; }

    /// <summary>The running mean of the losses at the end, of those that were finite.</summary>
    public required double SmoothedLoss { get; init; }

    /// <summary>The updates whose loss was infinite or NaN though all gradients were finite: made, but left out of <see cref="SmoothedLoss"/>.</summary>
    public long NonFiniteLosses { get; init; }

    /// <summary>The last validation loss, null where there was no validation.</summary>
    public double? ValidationLoss { get; init; }

    /// <summary>The smallest validation loss, null where there was no validation.</summary>
    public double? BestValidationLoss { get; init; }

    /// <summary>The update after which the smallest validation loss was measured.</summary>
    public long? BestUpdate { get; init; }

    /// <summary>The time taken.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>One line: why it ended, updates, epochs, loss and, where there is one, the best validation loss.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"ended by {Stop} after {Updates} updates, {Epochs} epochs, loss {SmoothedLoss:g6}{(BestValidationLoss is { } loss ? string.Create(CultureInfo.InvariantCulture, $", best validation loss {loss:g6}") : string.Empty)}");
}

/// <summary>Why a training ended.</summary>
public enum TrainingStop
{
    /// <summary>All epochs were done.</summary>
    Epochs,

    /// <summary>The number of updates was reached.</summary>
    Updates,

    /// <summary>The time was up.</summary>
    Time,

    /// <summary>The validation loss stopped improving.</summary>
    EarlyStop,
}

/// <summary>What a schedule counts.</summary>
public enum ScheduleUnit
{
    /// <summary>Updates, skipped ones included.</summary>
    Updates,

    /// <summary>Completed passes over the data; one that a limit or cancellation ends is not completed.</summary>
    Epochs,

    /// <summary>Seconds of training; such a training is not repeated to the bit.</summary>
    Seconds,
}
