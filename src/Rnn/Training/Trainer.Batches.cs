using Rnn.Tensors;

namespace Rnn.Training;

public sealed partial class Trainer<T>
{
    /// <summary>Trains on batches of any type.</summary>
    /// <param name="batches">The batches of one epoch; enumerated anew for each, and what enumerates them is disposed, however training ends.</param>
    /// <param name="loss">Computes the loss of a batch from the model.</param>
    /// <param name="validation">The batches to validate on; null for no validation.</param>
    /// <param name="count">
    /// The rows or steps of a batch, to count speed and to weigh validation losses. Null for the rows where they are known, of an <see cref="IRowBatch"/>, a
    /// tensor [N, …], or a tuple that begins with one of them, and else for 1.
    /// </param>
    /// <param name="epochs">The passes over the batches; null to go on until another limit ends it.</param>
    /// <param name="progress">Hears of every step.</param>
    /// <param name="cancellationToken">Ends the training after the step under way, see the exception.</param>
    /// <exception cref="ArgumentException">Nothing says when to end.</exception>
    /// <exception cref="InvalidOperationException">
    /// There are no batches; the optimiser does not hold all parameters that are not frozen; an option needs validation; or a run of it is under way.
    /// </exception>
    /// <exception cref="IOException"><see cref="CheckpointPath"/> cannot be written to.</exception>
    /// <exception cref="NonFiniteGradientException">A gradient is not finite and the policy is to throw.</exception>
    /// <exception cref="OperationCanceledException">Training was cancelled. The model holds the parameters of the last finished step, or with <see cref="RestoreBest"/> the best ones.</exception>
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
        return FitAsync(new BatchTask<T, TBatch>(batches, loss, validation, count), epochs, progress, cancellationToken);
    }

    /// <summary>Trains on a long series of features by truncated backpropagation through time, the state carried from window to window.</summary>
    /// <param name="series">The windows, see <see cref="SeriesBatcher{T}"/>; <see cref="BatchSize"/>, <see cref="Steps"/> and <see cref="Stride"/> do not matter here.</param>
    /// <param name="forward">Computes a window from the model.</param>
    /// <param name="loss">Computes the mean loss from outputs and targets, both [N, steps, O]; of overlapping windows they have the new steps only.</param>
    /// <param name="validation">The windows of a series to validate on; null for no validation.</param>
    /// <param name="epochs">The passes over the series; null to go on until another limit ends it.</param>
    /// <param name="progress">Hears of every step.</param>
    /// <param name="cancellationToken">Ends the training after the step under way, see the exception.</param>
    /// <exception cref="ArgumentException">Nothing says when to end.</exception>
    /// <exception cref="NonFiniteGradientException">A gradient is not finite and the policy is to throw.</exception>
    /// <exception cref="OperationCanceledException">Training was cancelled. The model holds the parameters of the last finished step, or with <see cref="RestoreBest"/> the best ones.</exception>
    public Task<TrainingResult> FitAsync(
        SeriesBatcher<T> series,
        SeriesForward<T> forward,
        Func<Tensor<T>, Tensor<T>, Tensor<T>> loss,
        SeriesBatcher<T>? validation = null,
        int? epochs = null,
        IProgress<TrainingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(series);
        ArgumentNullException.ThrowIfNull(forward);
        ArgumentNullException.ThrowIfNull(loss);
        return FitAsync(new SeriesTask<T>(series, forward, loss, validation), epochs, progress, cancellationToken);
    }
}
