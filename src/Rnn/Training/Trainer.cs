using System.Numerics;
using Rnn.Layers;
using Rnn.Sequences;

namespace Rnn.Training;

/// <summary>
/// Trains a model: batches, clipping, learning rates, validation, early stopping, the best parameters, progress, cancellation, checkpoints. The work
/// runs away from the caller's thread; in steady state a step allocates next to nothing.
/// </summary>
/// <remarks>
/// A model in evaluation mode is trained as if in training mode; in one in training mode, parts that are in evaluation mode stay so, such as a
/// dropout layer that is to be left out. Afterwards, however training ended, each module has the mode that it had before.
/// </remarks>
/// <example>
/// <code>
/// var trainer = new Trainer&lt;float&gt;(model, new Adam&lt;float&gt; { LearningRate = 2e-3 }) { BatchSize = 32, SequenceLength = 64, MaxGradientNorm = 1 };
/// var result = await trainer.FitAsync(training, validation, epochs: 10, progress, cancellationToken);
/// </code>
/// </example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed partial class Trainer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private CheckpointOptions _checkpoints = new() { Interval = TimeSpan.FromMinutes(10) };
    private ValidationOptions _validation;

    /// <summary>A trainer of a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="optimizer">The optimiser; attached to the model here unless it has its parameters already.</param>
    public Trainer(Module<T> model, Optimizer<T> optimizer)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(optimizer);
        Model = model;
        Optimizer = optimizer;
        if (!optimizer.IsAttached)
        {
            optimizer.Attach(model);
        }
    }

    /// <summary>The model.</summary>
    public Module<T> Model { get; }

    /// <summary>The optimiser.</summary>
    public Optimizer<T> Optimizer { get; }

    /// <summary>N, the parallel rows of a batch of tokens; 32 by default.</summary>
    public int BatchSize
    {
        get;
        init => field = OptionRange.AtLeast(1, value, nameof(BatchSize));
    } = 32;

    /// <summary>k₂, the steps that the gradient runs back through a stream of tokens; 64 by default.</summary>
    public int SequenceLength
    {
        get;
        init => field = OptionRange.AtLeast(1, value, nameof(SequenceLength));
    } = 64;

    /// <summary>k₁, the steps between two updates on a stream of tokens; null for <see cref="SequenceLength"/>.</summary>
    public int? SequenceStride
    {
        get;
        init => field = OptionRange.AtLeast(1, value, nameof(SequenceStride));
    }

    /// <summary>
    /// How the loss over tokens becomes one number; also what label smoothing and class weights it has. A token that is its
    /// <see cref="CrossEntropyOptions.IgnoreIndex"/>, such as a padding, is read but not predicted, in training and in validation.
    /// </summary>
    public CrossEntropyOptions TokenLoss
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(TokenLoss));
    } = new();

    /// <summary>The limit of the gradients' global norm; null for none. The norm is reported either way.</summary>
    public double? MaxGradientNorm
    {
        get;
        init => field = AboveZero(value, nameof(MaxGradientNorm));
    }

    /// <summary>The limit of every single gradient's absolute value, applied before the norm; null for none.</summary>
    public double? MaxGradientValue
    {
        get;
        init => field = AboveZero(value, nameof(MaxGradientValue));
    }

    /// <summary>What to do when a gradient is infinite, not a number or too large for the optimiser to square, before it is clipped by value; to throw by default.</summary>
    public NonFinitePolicy NonFiniteGradients
    {
        get;
        init => field = value is NonFinitePolicy.Throw or NonFinitePolicy.SkipStep
            ? value
            : throw new ArgumentOutOfRangeException(nameof(NonFiniteGradients), value, $"NonFiniteGradients: expected Throw or SkipStep but got {value}.");
    }

    /// <summary>The learning rate over time; null for constant. A <see cref="PlateauSchedule"/> observes every validation.</summary>
    public Schedule? Schedule { get; init; }

    /// <summary>What the schedule counts; updates by default.</summary>
    public ScheduleUnit ScheduleUnit
    {
        get;
        init => field = value is >= ScheduleUnit.Updates and <= ScheduleUnit.Seconds
            ? value
            : throw new ArgumentOutOfRangeException(nameof(ScheduleUnit), value, $"ScheduleUnit: expected one of the units of the list but got {value}.");
    }

    /// <summary>
    /// What the schedule counts from, in its unit: 0 at first, and advanced by every run, so that a second <c>FitAsync</c> continues where the first one
    /// ended, however it ended. Set it to 0 to begin the schedule again, or to what was read here to go on in another process.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or not finite.</exception>
    public double ScheduleStart
    {
        get;
        set => field = OptionRange.NotNegative(value, nameof(ScheduleStart));
    }

    /// <summary>The updates after which training ends; null for no limit.</summary>
    public long? MaxUpdates
    {
        get;
        init => field = OptionRange.AtLeast(1, value, nameof(MaxUpdates));
    }

    /// <summary>The time after which training ends; null for no limit. The step under way is finished.</summary>
    public TimeSpan? MaxTime
    {
        get;
        init => field = OptionRange.AboveZero(value, nameof(MaxTime));
    }

    /// <summary>The updates between two validations; null for one after every epoch. It needs something to validate on. The last update is always followed by one.</summary>
    public long? ValidateEvery
    {
        get => _validation.Every;
        init => _validation.Every = OptionRange.AtLeast(1, value, nameof(ValidateEvery));
    }

    /// <summary>The parallel rows of validation on a stream of tokens; null for <see cref="BatchSize"/>. One is exact, see <see cref="SequenceEvaluation.MeanLoss"/>.</summary>
    public int? ValidationRows
    {
        get => _validation.Rows;
        init => _validation.Rows = OptionRange.AtLeast(1, value, nameof(ValidationRows));
    }

    /// <summary>The validations in a row that may fail to improve before training ends early; null for no early end.</summary>
    public int? Patience
    {
        get => _validation.Patience;
        init => _validation.Patience = OptionRange.AtLeast(0, value, nameof(Patience));
    }

    /// <summary>How much smaller a validation loss must be than the best one to count as an improvement; 0 by default.</summary>
    public double MinImprovement
    {
        get => _validation.MinImprovement;
        init => _validation.MinImprovement = OptionRange.NotNegative(value, nameof(MinImprovement));
    }

    /// <summary>Whether the model ends with the parameters of the smallest validation loss, not with the last ones, also where training is cancelled or fails.</summary>
    public bool RestoreBest
    {
        get => _validation.RestoreBest;
        init => _validation.RestoreBest = value;
    }

    /// <summary>
    /// A safetensors file of the model that the parameters of the smallest validation loss so far are saved to, whole or not at all; null for none. Without
    /// validation the parameters are saved after every epoch and at the end. Its folder must exist; whether it can be written to is tried before the first step.
    /// </summary>
    public string? ModelPath
    {
        get => _validation.ModelPath;
        init => _validation.ModelPath = value;
    }

    /// <summary>Starts the averages of an <see cref="AveragedSgd{T}"/> when it fires; null to leave that to its options.</summary>
    public NonMonotoneTrigger? AveragingTrigger
    {
        get => _validation.AveragingTrigger;
        init => _validation.AveragingTrigger = value;
    }

    /// <summary>The decay of the running mean of losses, m = d m + (1 − d) loss; 0.98 by default.</summary>
    public double LossSmoothing
    {
        get;
        init => field = OptionRange.BelowOne(value, nameof(LossSmoothing));
    } = 0.98;

    /// <summary>
    /// The batches whose gradients are averaged into one update; 1 by default. Where losses are means over batches of equal size this is the update of one batch of all their rows,
    /// without its memory. What is left at the end of an epoch makes an update of fewer.
    /// </summary>
    public int AccumulationSteps
    {
        get;
        init => field = OptionRange.AtLeast(1, value, nameof(AccumulationSteps));
    } = 1;

    /// <summary>
    /// P, the parts that every batch is cut into by rows and that are computed one after another; 1 by default. The update is that of the whole batch, without its memory. Part 0 has the first rows, and sizes differ by one at most;
    /// each part's gradient is computed from zero, and they are added up in order, weighted by what their losses are means over. With N <see cref="Processes"/> a batch always has N parts, one for each, and gives the bits of one process with N parts.
    /// </summary>
    /// <remarks>
    /// Before a batch is computed each of the model's random sources (<see cref="Module{T}.NamedRandomSources"/>) draws one number; part p draws from a source made of that number and p
    /// (<c>new RandomSource(number).Split(p)</c>). So no part's numbers depend on another's, and a training goes on with another number of parts from where the sources stand. What is random and not registered with the model is no longer the same
    /// from one number of processes to another. With <see cref="AccumulationSteps"/> above 1 one process keeps P gradients.
    /// </remarks>
    public int BatchParts
    {
        get;
        init => field = OptionRange.AtLeast(1, value, nameof(BatchParts));
    } = 1;

    /// <summary>
    /// How the losses of a batch's parts make that of the batch, where batches come with a loss function: of means, the default, weighted by what is counted of each part, or as sums. Losses over tokens follow
    /// <see cref="TokenLoss"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is neither <see cref="LossReduction.Mean"/> nor <see cref="LossReduction.Sum"/>.</exception>
    public LossReduction PartLosses
    {
        get;
        init => field = value is LossReduction.Mean or LossReduction.Sum
            ? value
            : throw new ArgumentOutOfRangeException(nameof(PartLosses), value, $"PartLosses: expected Mean or Sum but got {value}.");
    }

    /// <summary>
    /// The processes that train this model together, each by a trainer made alike of a model, an optimiser and data made alike; null, the default, for this one alone. Batches stay as they are: each process computes its share
    /// of the rows, see <see cref="BatchParts"/>, and gradients are added up before <see cref="AfterBackward"/>. So all have the same parameters to the bit after every update.
    /// </summary>
    /// <remarks>
    /// Parameters, optimiser, schedule and random sources at the start are those of rank 0, or of the checkpoint that it reads. Rank 0 alone reports progress and writes <see cref="ModelPath"/> and <see cref="CheckpointPath"/>; its clock decides whatever
    /// is decided by time. Validation is shared out. An exception on one process, or its cancellation after the update under way, ends the training of all. Hooks and schedules run on every process and must do the same on each.
    /// A group of one process is as none.
    /// </remarks>
    public ProcessGroup? Processes { get; init; }

    /// <summary>What the <see cref="Processes"/> send each other; without others it does nothing.</summary>
    public CommunicationOptions Communication
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(Communication));
    } = new();

    /// <summary>The parts of a batch.</summary>
    internal int PartCount => Processes?.Size ?? BatchParts;

    /// <summary>
    /// Called for each update when all its gradients are there, added up over all <see cref="Processes"/>, before they are looked at, clipped and used. It may write to
    /// <see cref="UpdateContext{T}.Gradients"/>.
    /// </summary>
    public UpdateHook<T>? AfterBackward { get; init; }

    /// <summary>Called after each update, skipped ones too, and before it is reported.</summary>
    public UpdateHook<T>? AfterUpdate { get; init; }

    /// <summary>
    /// A file from which this training can be resumed to the bit: parameters, optimiser, schedule, early stopping, best parameters, random sources, place in the data. It is written
    /// whole or not at all: at intervals, on cancellation and at the end; null for none. Its data must come from a <see cref="BatchSource{TBatch}"/>, from tokens or from a task that
    /// can be resumed. What is saved of <see cref="Model"/> alone goes to <see cref="ModelPath"/>.
    /// </summary>
    public string? CheckpointPath
    {
        get => _checkpoints.Path;
        init => _checkpoints.Path = value;
    }

    /// <summary>
    /// Whether <c>FitAsync</c> resumes from <see cref="CheckpointPath"/> if that file exists; if not, it starts from the beginning. Model, optimiser, options and data must be made as for
    /// the first run. Epochs, <see cref="MaxUpdates"/> and <see cref="MaxTime"/> count from the beginning of the training and may be larger than before.
    /// </summary>
    public bool Resume
    {
        get => _checkpoints.Resume;
        init => _checkpoints.Resume = value;
    }

    /// <summary>The updates between two checkpoints; null, the default, to go by <see cref="CheckpointInterval"/> alone.</summary>
    public long? CheckpointEvery
    {
        get => _checkpoints.Every;
        init => _checkpoints.Every = OptionRange.AtLeast(1, value, nameof(CheckpointEvery));
    }

    /// <summary>The longest time between two checkpoints; ten minutes by default, null for none.</summary>
    public TimeSpan? CheckpointInterval
    {
        get => _checkpoints.Interval;
        init => _checkpoints.Interval = OptionRange.AboveZero(value, nameof(CheckpointInterval));
    }

    private static double? AboveZero(double? value, string name)
    {
        if (value is { } number)
        {
            GradientClipping.CheckLimit<T>(number, name);
        }

        return value;
    }
}
