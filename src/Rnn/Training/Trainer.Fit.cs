using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Training;

/// <content>What can be trained on. Everywhere: the data, what computes from them, what to validate on, epochs, progress, cancellation.</content>
public sealed partial class Trainer<T>
{
    /// <summary>Trains on one stream of tokens by truncated backpropagation through time, in <see cref="BatchSize"/> parallel rows.</summary>
    /// <param name="tokens">The stream; the model predicts each token from those before.</param>
    /// <param name="validation">The stream to validate on, its state carried; empty for no validation.</param>
    /// <param name="epochs">The passes over the data; null to go on until <see cref="MaxUpdates"/>, <see cref="MaxTime"/> or <see cref="Patience"/> ends it.</param>
    /// <param name="progress">Receives a report after every update and every validation.</param>
    /// <param name="cancellationToken">Ends the training after the update under way, see the exception.</param>
    /// <exception cref="ArgumentException">A stream is too short, or nothing says when to end.</exception>
    /// <exception cref="InvalidOperationException">
    /// The model is no <see cref="ISequenceModel{T}"/>; the optimiser does not hold all parameters that are not frozen; an option needs validation; there is a <see cref="CheckpointPath"/> for data without a place to return
    /// to; or another run trains this model or reads from its batch source.
    /// </exception>
    /// <exception cref="IOException"><see cref="ModelPath"/> or <see cref="CheckpointPath"/> cannot be written to.</exception>
    /// <exception cref="InvalidDataException"><see cref="Resume"/> is set and the checkpoint is damaged or of another training.</exception>
    /// <exception cref="NonFiniteGradientException">A gradient is not finite and the policy is to throw.</exception>
    /// <exception cref="OperationCanceledException">Training was cancelled. The model holds the parameters of the last finished update, or with <see cref="RestoreBest"/> the best ones.</exception>
    public Task<TrainingResult> FitAsync(
        ReadOnlyMemory<int> tokens,
        ReadOnlyMemory<int> validation = default,
        int? epochs = null,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
            FitTokensAsync(TokenModel(), new TokenStreamSource(tokens, BatchSize, SequenceLength, SequenceStride), validation, epochs, progress, cancellationToken);

    /// <summary>
    /// Trains on separate sequences of tokens in the order given, <see cref="BatchSize"/> at once: through whole sequences, or truncated where they are longer
    /// than <see cref="SequenceLength"/>. To shuffle them make a <see cref="TokenSequenceSource"/>.
    /// </summary>
    /// <param name="sequences">The sequences; the model predicts each token from those before in its sequence.</param>
    /// <param name="validation">The stream to validate on; empty for no validation.</param>
    /// <param name="epochs">The passes over the data; null to go on until <see cref="MaxUpdates"/>, <see cref="MaxTime"/> or <see cref="Patience"/> ends it.</param>
    /// <param name="progress">Receives a report after every update and every validation.</param>
    /// <param name="cancellationToken">Ends the training after the update under way, see the exception.</param>
    /// <exception cref="ArgumentException">No sequence has two tokens, a <see cref="SequenceStride"/> is set, or nothing says when to end.</exception>
    /// <inheritdoc cref="FitAsync(ReadOnlyMemory{int}, ReadOnlyMemory{int}, int?, IProgress{TrainingProgress}?, CancellationToken)" path="/exception[not(contains(@cref,'ArgumentException'))]"/>
    public Task<TrainingResult> FitAsync(
        IReadOnlyList<int[]> sequences,
        ReadOnlyMemory<int> validation = default,
        int? epochs = null,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default) => SequenceStride is null
            ? FitTokensAsync(TokenModel(), new TokenSequenceSource(sequences, BatchSize, SequenceLength), validation, epochs, progress, cancellationToken)
            : throw new ArgumentException("SequenceStride: windows of separate sequences do not overlap; leave it null, or train on one stream.", nameof(sequences));

    /// <summary>
    /// Trains on windows of tokens by truncated backpropagation through time: the state of each row is carried to the next window. A row that begins a new sequence beside
    /// others that go on starts from the model's initial state, see <see cref="ISequenceModel{T}.InitialState"/>.
    /// </summary>
    /// <param name="windows">The windows; <see cref="BatchSize"/>, <see cref="SequenceLength"/> and <see cref="SequenceStride"/> do not matter here.</param>
    /// <param name="validation">The stream to validate on; empty for no validation.</param>
    /// <param name="epochs">The passes over the data; null to go on until <see cref="MaxUpdates"/>, <see cref="MaxTime"/> or <see cref="Patience"/> ends it.</param>
    /// <param name="progress">Receives a report after every update and every validation.</param>
    /// <param name="cancellationToken">Ends the training after the update under way, see the exception.</param>
    /// <exception cref="ArgumentException">The stream to validate on has one token, or nothing says when to end.</exception>
    /// <inheritdoc cref="FitAsync(ReadOnlyMemory{int}, ReadOnlyMemory{int}, int?, IProgress{TrainingProgress}?, CancellationToken)" path="/exception[not(contains(@cref,'ArgumentException'))]"/>
    public Task<TrainingResult> FitAsync(
        BatchSource<TokenWindow> windows,
        ReadOnlyMemory<int> validation = default,
        int? epochs = null,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(windows);
        return FitTokensAsync(TokenModel(), windows, validation, epochs, progress, cancellationToken);
    }

    /// <summary>Trains on batches of any type.</summary>
    /// <param name="batches">
    /// The batches: a <see cref="BatchSource{TBatch}"/>, whose place a <see cref="CheckpointPath"/> keeps, or those of one epoch, enumerated anew for each; then what enumerates them is
    /// disposed, however training ends, and the training cannot be resumed.
    /// </param>
    /// <param name="loss">Computes the loss of a batch from the model.</param>
    /// <param name="validation">The batches to validate on, not the same source; null for no validation.</param>
    /// <param name="count">
    /// The rows or steps of a batch, to count speed and to weigh validation losses. Null for the rows where they are known, of an <see cref="IRowBatch"/>, a
    /// tensor [N, …], or a tuple that begins with one of them, and else for 1.
    /// </param>
    /// <param name="epochs">The passes over the data; null to go on until <see cref="MaxUpdates"/>, <see cref="MaxTime"/> or <see cref="Patience"/> ends it.</param>
    /// <param name="progress">Receives a report after every update and every validation.</param>
    /// <param name="cancellationToken">Ends the training after the update under way, see the exception.</param>
    /// <exception cref="ArgumentException">Nothing says when to end, or batches and validation are one source.</exception>
    /// <exception cref="InvalidOperationException">
    /// There are no batches; the optimiser does not hold all parameters that are not frozen; an option needs validation; there is a <see cref="CheckpointPath"/> for data without a place to return
    /// to; or another run trains this model or reads from its batch source.
    /// </exception>
    /// <exception cref="IOException"><see cref="ModelPath"/> or <see cref="CheckpointPath"/> cannot be written to.</exception>
    /// <exception cref="InvalidDataException"><see cref="Resume"/> is set and the checkpoint is damaged or of another training.</exception>
    /// <exception cref="NonFiniteGradientException">A gradient is not finite and the policy is to throw.</exception>
    /// <exception cref="OperationCanceledException">Training was cancelled. The model holds the parameters of the last finished update, or with <see cref="RestoreBest"/> the best ones.</exception>
    public Task<TrainingResult> FitAsync<TBatch>(
        IEnumerable<TBatch> batches,
        Func<TBatch, Tensor<T>> loss,
        IEnumerable<TBatch>? validation = null,
        Func<TBatch, long>? count = null,
        int? epochs = null,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batches);
        ArgumentNullException.ThrowIfNull(loss);
        CheckApart((batches as BatchSource<TBatch>)?.Root, (validation as BatchSource<TBatch>)?.Root);
        if (validation is BatchSource<TBatch> { IsEndless: true } endless)
        {
            throw new ArgumentException($"validation: {endless.Identity} has no end; keep some of its batches and validate on those, such as source.Take(8).ToArray(), or set its PassLength.", nameof(validation));
        }

        return FitAsync(new BatchTask<T, TBatch>(batches, loss, validation, count, PartLosses), epochs, progress, cancellationToken);
    }

    /// <summary>
    /// Trains on batches that come asynchronously, such as from a file, a network or a channel: as the form with an <see cref="IEnumerable{T}"/>, enumerated anew for each epoch, on the training's own thread. What enumerates them gets the
    /// cancellation token, as by <c>WithCancellation</c>.
    /// </summary>
    /// <inheritdoc cref="FitAsync{TBatch}(IEnumerable{TBatch}, Func{TBatch, Tensor{T}}, IEnumerable{TBatch}?, Func{TBatch, long}?, int?, IProgress{TrainingProgress}?, CancellationToken)"/>
    public Task<TrainingResult> FitAsync<TBatch>(
        IAsyncEnumerable<TBatch> batches,
        Func<TBatch, Tensor<T>> loss,
        IAsyncEnumerable<TBatch>? validation = null,
        Func<TBatch, long>? count = null,
        int? epochs = null,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default) =>
            FitAsync(new AsyncBatches<TBatch>(batches, cancellationToken), loss, validation is null ? null : new AsyncBatches<TBatch>(validation, cancellationToken), count, epochs, progress, cancellationToken);

    /// <summary>Trains on a long series of features by truncated backpropagation through time, the state carried from window to window.</summary>
    /// <param name="series">The windows, see <see cref="SeriesSource{T}"/>; <see cref="BatchSize"/>, <see cref="SequenceLength"/> and <see cref="SequenceStride"/> do not matter here.</param>
    /// <param name="forward">Computes a window from the model.</param>
    /// <param name="loss">Computes the mean loss from outputs and targets, both [N, steps, O]; of overlapping windows they have the new steps only.</param>
    /// <param name="validation">The windows of a series to validate on, not the same source; null for no validation.</param>
    /// <param name="epochs">The passes over the data; null to go on until <see cref="MaxUpdates"/>, <see cref="MaxTime"/> or <see cref="Patience"/> ends it.</param>
    /// <param name="progress">Receives a report after every update and every validation.</param>
    /// <param name="cancellationToken">Ends the training after the update under way, see the exception.</param>
    /// <exception cref="ArgumentException">Nothing says when to end, or series and validation are one source.</exception>
    /// <exception cref="InvalidOperationException">
    /// The optimiser does not hold all parameters that are not frozen; an option needs validation; there is a <see cref="CheckpointPath"/> for data without a place to return
    /// to; or another run trains this model or reads from its batch source.
    /// </exception>
    /// <exception cref="IOException"><see cref="ModelPath"/> or <see cref="CheckpointPath"/> cannot be written to.</exception>
    /// <exception cref="InvalidDataException"><see cref="Resume"/> is set and the checkpoint is damaged or of another training.</exception>
    /// <exception cref="NonFiniteGradientException">A gradient is not finite and the policy is to throw.</exception>
    /// <exception cref="OperationCanceledException">Training was cancelled. The model holds the parameters of the last finished update, or with <see cref="RestoreBest"/> the best ones.</exception>
    public Task<TrainingResult> FitAsync(
        BatchSource<SeriesWindow<T>> series,
        SeriesForward<T> forward,
        Func<Tensor<T>, Tensor<T>, Tensor<T>> loss,
        BatchSource<SeriesWindow<T>>? validation = null,
        int? epochs = null,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(series);
        ArgumentNullException.ThrowIfNull(forward);
        ArgumentNullException.ThrowIfNull(loss);
        CheckApart(series.Root, validation?.Root);
        return FitAsync(new SeriesTask<T>(series, forward, loss, validation), epochs, progress, cancellationToken);
    }

    /// <summary>Trains on a task of your own.</summary>
    /// <param name="task">The task.</param>
    /// <param name="epochs">The passes over the data; null to go on until <see cref="MaxUpdates"/>, <see cref="MaxTime"/> or <see cref="Patience"/> ends it.</param>
    /// <param name="progress">Receives a report after every update and every validation.</param>
    /// <param name="cancellationToken">Ends the training after the update under way, see the exception.</param>
    /// <exception cref="ArgumentException">Nothing says when to end.</exception>
    /// <exception cref="InvalidOperationException">
    /// The task has no batches; the optimiser does not hold all parameters that are not frozen; an option needs validation; there is a <see cref="CheckpointPath"/> for data without a place to return
    /// to; or another run trains this model or reads from its batch source.
    /// </exception>
    /// <exception cref="IOException"><see cref="ModelPath"/> or <see cref="CheckpointPath"/> cannot be written to.</exception>
    /// <exception cref="InvalidDataException"><see cref="Resume"/> is set and the checkpoint is damaged or of another training.</exception>
    /// <exception cref="NonFiniteGradientException">A gradient is not finite and the policy is to throw.</exception>
    /// <exception cref="OperationCanceledException">Training was cancelled. The model holds the parameters of the last finished update, or with <see cref="RestoreBest"/> the best ones.</exception>
    public Task<TrainingResult> FitAsync(
        TrainingTask<T> task, int? epochs = null, IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(task);

        // In a group the run itself looks at the token and checks, so that the others hear of what is refused here.
        var isAlone = Processes is null or { Size: 1 };
        if (isAlone && cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<TrainingResult>(cancellationToken);
        }

        var mark = TrainerChecks.Enter(this, task);
        try
        {
            if (isAlone)
            {
                TrainerChecks.Check(this, task, epochs);
            }

            // A thread of its own: a training of hours is nothing for the pool.
            var run = new TrainingRun<T>(this, task, mark, epochs, progress, cancellationToken);
            var result = Task.Factory.StartNew(run.Execute, isAlone ? cancellationToken : CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

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
        BatchSource<TokenWindow> windows,
        ReadOnlyMemory<int> validation,
        int? epochs,
        IProgress<TrainingProgress>? progress,
        CancellationToken cancellationToken) => validation.Length != 1
            ? FitAsync(new TokenTask<T>(model, windows, TokenLoss, validation, ValidationRows ?? BatchSize), epochs, progress, cancellationToken)
            : throw new ArgumentException("validation: expected two tokens or more, or none for no validation, but got 1.", nameof(validation));

    // A validation in the middle of a pass would move the place of the training.
    private static void CheckApart(object? source, object? validation)
    {
        if (source is not null && ReferenceEquals(source, validation))
        {
            throw new ArgumentException("validation: this source is the one to train on, and has one place; make another source of the data to validate on.", nameof(validation));
        }
    }
}
