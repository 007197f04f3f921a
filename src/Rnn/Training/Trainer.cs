using System.Globalization;
using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>
/// Trains a model: batches, clipping, learning rates, validation, early stopping, the best parameters, progress, cancellation. The work
/// runs away from the caller's thread; in steady state a step allocates next to nothing.
/// </summary>
/// <remarks>
/// A model in evaluation mode is trained as if in training mode; in one in training mode, parts that are in evaluation mode stay so, such as a
/// dropout layer that is to be left out. Afterwards, however training ended, each module has the mode that it had before.
/// </remarks>
/// <example>
/// <code>
/// var trainer = new Trainer&lt;float&gt;(model, new Adam&lt;float&gt; { LearningRate = 2e-3 }) { BatchSize = 32, Steps = 64, MaxGradientNorm = 1 };
/// var result = await trainer.FitAsync(training, validation, epochs: 10, progress, cancellationToken);
/// </code>
/// </example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed partial class Trainer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int ValidationSteps = 128;

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
        init => field = OneOrMore(value, nameof(BatchSize));
    } = 32;

    /// <summary>k₂, the steps that the gradient runs back through a stream of tokens; 64 by default.</summary>
    public int Steps
    {
        get;
        init => field = OneOrMore(value, nameof(Steps));
    } = 64;

    /// <summary>k₁, the steps between two updates on a stream of tokens; null for <see cref="Steps"/>.</summary>
    public int? Stride
    {
        get;
        init => field = OneOrMore(value, nameof(Stride));
    }

    /// <summary>
    /// How the loss over tokens becomes one number; also what label smoothing and class weights it has. A token that is its
    /// <see cref="CrossEntropyOptions.IgnoreIndex"/>, such as a padding, is read but not to be foretold, in training and in validation.
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
        init => field = value is >= ScheduleUnit.Iterations and <= ScheduleUnit.Seconds
            ? value
            : throw new ArgumentOutOfRangeException(nameof(ScheduleUnit), value, $"ScheduleUnit: expected one of the units of the list but got {value}.");
    }

    /// <summary>
    /// What the schedule counts from, in its unit: 0 at first, and moved on by every run, so that a second <c>FitAsync</c> goes on where the first one
    /// ended, however it ended. Set it to 0 to begin the schedule again, or to what was read here to go on in another process.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or not finite.</exception>
    public double ScheduleStart
    {
        get;
        set => field = value >= 0 && double.IsFinite(value)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(ScheduleStart), value, string.Create(CultureInfo.InvariantCulture, $"ScheduleStart: expected a finite number of 0 or more but got {value}."));
    }

    /// <summary>The updates after which training ends; null for no limit.</summary>
    public long? MaxIterations
    {
        get;
        init => field = OneOrMore(value, nameof(MaxIterations));
    }

    /// <summary>The time after which training ends; null for no limit. The step under way is finished.</summary>
    public TimeSpan? MaxTime
    {
        get;
        init => field = value is null || value > TimeSpan.Zero
            ? value
            : throw new ArgumentOutOfRangeException(nameof(MaxTime), value, $"MaxTime: expected a time above zero but got {value}.");
    }

    /// <summary>The updates between two validations; null for one after every epoch; refused where there is nothing to validate on. A last one follows the last update in any case.</summary>
    public long? ValidateEvery
    {
        get;
        init => field = OneOrMore(value, nameof(ValidateEvery));
    }

    /// <summary>The parallel rows of validation on a stream of tokens; null for <see cref="BatchSize"/>. One is exact, see <see cref="SequenceEvaluation.MeanLoss"/>.</summary>
    public int? ValidationRows
    {
        get;
        init => field = OneOrMore(value, nameof(ValidationRows));
    }

    /// <summary>The validations in a row that may fail to improve before training ends early; null for no early end.</summary>
    public int? Patience
    {
        get;
        init => field = value is null or >= 0
            ? value
            : throw new ArgumentOutOfRangeException(nameof(Patience), value, $"Patience: expected 0 or more but got {value}.");
    }

    /// <summary>How much smaller a validation loss must be than the best one to count as an improvement; 0 by default.</summary>
    public double MinImprovement
    {
        get;
        init => field = value >= 0 && double.IsFinite(value)
            ? value
            : throw new ArgumentOutOfRangeException(nameof(MinImprovement), value, string.Create(CultureInfo.InvariantCulture, $"MinImprovement: expected a finite number of 0 or more but got {value}."));
    }

    /// <summary>Whether the model ends with the parameters of the smallest validation loss, not with the last ones, also where training is cancelled or fails.</summary>
    public bool RestoreBest { get; init; }

    /// <summary>
    /// A safetensors file that the parameters of the smallest validation loss so far are saved to, whole or not at all; null for none. Without
    /// validation the parameters are saved after every epoch and at the end. Its folder must exist; whether it can be written to is tried before the first step.
    /// </summary>
    public string? CheckpointPath { get; init; }

    /// <summary>Starts the averages of an <see cref="AveragedSgd{T}"/> when it fires; null to leave that to its options.</summary>
    public NonMonotoneTrigger? AveragingTrigger { get; init; }

    /// <summary>How much of the running mean of losses is kept at each step; 0.98 by default.</summary>
    public double LossSmoothing
    {
        get;
        init => field = value is >= 0 and < 1
            ? value
            : throw new ArgumentOutOfRangeException(nameof(LossSmoothing), value, string.Create(CultureInfo.InvariantCulture, $"LossSmoothing: expected a number from 0 up to but not including 1 but got {value}."));
    } = 0.98;

    /// <summary>Trains on one stream of tokens by truncated backpropagation through time.</summary>
    /// <param name="tokens">The stream; the model foretells each token from those before.</param>
    /// <param name="epochs">The passes over the stream; null to go on until <see cref="MaxIterations"/>, <see cref="MaxTime"/> or <see cref="Patience"/> ends it.</param>
    /// <param name="progress">Hears of every step.</param>
    /// <param name="cancellationToken">Ends the training after the step under way, see the exception.</param>
    /// <exception cref="ArgumentException">The stream is shorter than one window, or nothing says when to end.</exception>
    /// <exception cref="InvalidOperationException">
    /// The model is no <see cref="ISequenceModel{T}"/>; the optimiser does not hold all its parameters that are not frozen; an option needs validation; or a run of it is under way.
    /// </exception>
    /// <exception cref="IOException"><see cref="CheckpointPath"/> cannot be written to.</exception>
    /// <exception cref="NonFiniteGradientException">A gradient is not finite and the policy is to throw.</exception>
    /// <exception cref="OperationCanceledException">Training was cancelled. The model holds the parameters of the last finished step, or with <see cref="RestoreBest"/> the best ones.</exception>
    public Task<TrainingResult> FitAsync(
        ReadOnlyMemory<int> tokens, int? epochs = null, IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default) =>
        FitAsync(tokens, default, epochs, progress, cancellationToken);

    /// <summary>Trains on one stream of tokens by truncated backpropagation through time and validates on another.</summary>
    /// <param name="tokens">The stream; the model foretells each token from those before.</param>
    /// <param name="validation">The stream to validate on, its state carried; empty for no validation.</param>
    /// <param name="epochs">The passes over the stream; null to go on until <see cref="MaxIterations"/>, <see cref="MaxTime"/> or <see cref="Patience"/> ends it.</param>
    /// <param name="progress">Hears of every step.</param>
    /// <param name="cancellationToken">Ends the training after the step under way, see the exception.</param>
    /// <exception cref="ArgumentException">A stream is too short, or nothing says when to end.</exception>
    /// <exception cref="InvalidOperationException">
    /// The model is no <see cref="ISequenceModel{T}"/>; the optimiser does not hold all its parameters that are not frozen; an option needs validation; or a run of it is under way.
    /// </exception>
    /// <exception cref="IOException"><see cref="CheckpointPath"/> cannot be written to.</exception>
    /// <exception cref="NonFiniteGradientException">A gradient is not finite and the policy is to throw.</exception>
    /// <exception cref="OperationCanceledException">Training was cancelled. The model holds the parameters of the last finished step, or with <see cref="RestoreBest"/> the best ones.</exception>
    public Task<TrainingResult> FitAsync(
        ReadOnlyMemory<int> tokens,
        ReadOnlyMemory<int> validation,
        int? epochs = null,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default) => FitTokensAsync(
            TokenModel(), new StreamBatcher(tokens, BatchSize, Steps, Stride), validation, epochs, progress, cancellationToken);

    /// <summary>
    /// Trains on separate sequences of tokens, <see cref="BatchSize"/> at once: through whole sequences, or truncated where they are longer
    /// than <see cref="Steps"/>. A truncated row that begins a new sequence beside others that go on starts from the model's initial state, see
    /// <see cref="ISequenceModel{T}.InitialState"/>.
    /// </summary>
    /// <param name="sequences">The sequences; the model foretells each token from those before in its sequence.</param>
    /// <param name="random">The source of the order; null to keep the order given.</param>
    /// <param name="validation">The stream to validate on; empty for no validation.</param>
    /// <param name="epochs">The passes over the sequences; null to go on until another limit ends it.</param>
    /// <param name="progress">Hears of every step.</param>
    /// <param name="cancellationToken">Ends the training after the step under way, see the exception.</param>
    /// <exception cref="ArgumentException">No sequence has two tokens, a <see cref="Stride"/> is set, or nothing says when to end.</exception>
    /// <exception cref="InvalidOperationException">
    /// The model is no <see cref="ISequenceModel{T}"/>; the optimiser does not hold all its parameters that are not frozen; an option needs validation; or a run of it is under way.
    /// </exception>
    /// <exception cref="IOException"><see cref="CheckpointPath"/> cannot be written to.</exception>
    /// <exception cref="NonFiniteGradientException">A gradient is not finite and the policy is to throw.</exception>
    /// <exception cref="OperationCanceledException">Training was cancelled. The model holds the parameters of the last finished step, or with <see cref="RestoreBest"/> the best ones.</exception>
    public Task<TrainingResult> FitAsync(
        IReadOnlyList<int[]> sequences,
        RandomSource? random = null,
        ReadOnlyMemory<int> validation = default,
        int? epochs = null,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default) => Stride is null
            ? FitTokensAsync(TokenModel(), new SequenceBatcher(sequences, BatchSize, Steps), validation, epochs, progress, cancellationToken, random)
            : throw new ArgumentException("Stride: windows of separate sequences do not overlap; leave it null, or train on one stream.", nameof(sequences));

    /// <summary>Trains on a task of your own.</summary>
    /// <param name="task">The task.</param>
    /// <param name="epochs">The passes over the task's data; null to go on until another limit ends it.</param>
    /// <param name="progress">Hears of every step.</param>
    /// <param name="cancellationToken">Ends the training after the step under way, see the exception.</param>
    /// <exception cref="ArgumentException">Nothing says when to end.</exception>
    /// <exception cref="InvalidOperationException">
    /// The task has no batches; the optimiser does not hold all parameters that are not frozen; an option needs validation; or a run of it is under way.
    /// </exception>
    /// <exception cref="IOException"><see cref="CheckpointPath"/> cannot be written to.</exception>
    /// <exception cref="NonFiniteGradientException">A gradient is not finite and the policy is to throw.</exception>
    /// <exception cref="OperationCanceledException">Training was cancelled. The model holds the parameters of the last finished step, or with <see cref="RestoreBest"/> the best ones.</exception>
    public Task<TrainingResult> FitAsync(
        TrainingTask<T> task, int? epochs = null, IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(task);
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<TrainingResult>(cancellationToken);
        }

        var mark = RunRegister.TryEnter(Used(task)) ?? throw new InvalidOperationException(
            "FitAsync: this model, its optimiser, its task or one of its parameters is being trained by another run; wait for the end of that one.");
        try
        {
            Check(task, epochs);

            // A thread of its own: a training of hours is nothing for the pool.
            var run = new TrainingRun<T>(this, task, mark, epochs ?? int.MaxValue, progress, cancellationToken);
            var result = Task.Factory.StartNew(run.Execute, cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);

            // Where it is cancelled before it begins, the run itself cannot say that it has ended.
            _ = result.ContinueWith(
                static (_, state) => ((IDisposable)state!).Dispose(), mark, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            return result;
        }
        catch
        {
            mark.Dispose();
            throw;
        }
    }

    private ISequenceModel<T> TokenModel() => Model as ISequenceModel<T> ?? throw new InvalidOperationException(
        $"FitAsync: training on tokens needs a model that is an ISequenceModel, which {Model.GetType().Name.Split('`')[0]} is not; use the form with batches and a loss function.");

    private Task<TrainingResult> FitTokensAsync(
        ISequenceModel<T> model,
        TokenBatcher batcher,
        ReadOnlyMemory<int> validation,
        int? epochs,
        IProgress<TrainingProgress>? progress,
        CancellationToken cancellationToken,
        RandomSource? random = null)
    {
        if (validation.Length == 1)
        {
            throw new ArgumentException("validation: expected two tokens or more, or none for no validation, but got 1.", nameof(validation));
        }

        Func<CancellationToken, double>? validate = validation.IsEmpty
            ? null
            : token => SequenceEvaluation.Measure(model, validation, ValidationRows ?? BatchSize, ValidationSteps, TokenLoss.IgnoreIndex, token);
        return FitAsync(new TokenTask<T>(model, batcher, TokenLoss, validate, random), epochs, progress, cancellationToken);
    }

    private static TNumber OneOrMore<TNumber>(TNumber value, string name)
        where TNumber : IBinaryInteger<TNumber> => value >= TNumber.One
            ? value
            : throw new ArgumentOutOfRangeException(name, value, $"{name}: expected 1 or more but got {value}.");

    private static TNumber? OneOrMore<TNumber>(TNumber? value, string name)
        where TNumber : struct, IBinaryInteger<TNumber> => value is { } number ? OneOrMore(number, name) : null;

    private static double? AboveZero(double? value, string name)
    {
        if (value is { } number)
        {
            GradientClipping.CheckLimit<T>(number, name);
        }

        return value;
    }
}
