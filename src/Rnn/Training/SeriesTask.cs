using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>Computes a window of a series: outputs [N, T, O] and the state after the last step.</summary>
/// <param name="inputs">The features, [N, T, I].</param>
/// <param name="state">The state to start from; null at the beginning.</param>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public delegate (Tensor<T> Output, RecurrentState<T> State) SeriesForward<T>(Tensor<T> inputs, RecurrentState<T>? state)
    where T : unmanaged, IFloatingPointIeee754<T>;

/// <summary>Truncated backpropagation through time over a series: the state is carried from window to window, the gradient is not.</summary>
internal sealed class SeriesTask<T>(
    SeriesBatcher<T> series, SeriesForward<T> forward, Func<Tensor<T>, Tensor<T>, Tensor<T>> loss, SeriesBatcher<T>? validation) : TrainingTask<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly CarriedState<T> _carried = new();
    private RecurrentState<T>? _next;

    /// <inheritdoc/>
    public override bool HasValidation => validation is not null;

    /// <inheritdoc/>
    public override void BeginEpoch(int epoch)
    {
        series.Reset();
        _carried.Forget();
    }

    /// <inheritdoc/>
    public override BatchLoss<T>? NextLoss() => series.MoveNext() ? Window(series, _carried.State, out _next) : null;

    /// <inheritdoc/>
    public override void EndStep(bool skipped)
    {
        // After a skipped step the state is likely not finite either.
        if (skipped)
        {
            _carried.Forget();
        }
        else
        {
            _carried.Keep(_next!);
        }

        _next = null;
    }

    /// <inheritdoc/>
    public override double? Validate(CancellationToken cancellationToken)
    {
        if (validation is null)
        {
            return null;
        }

        var carried = new CarriedState<T>();
        var (sum, count) = (0.0, 0L);
        validation.Reset();
        while (validation.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            using (TensorScope.Enter())
            {
                var window = Window(validation, carried.State, out var next);
                sum += double.CreateTruncating(window.Loss.Item()) * window.Count;
                count += window.Count;
                carried.Keep(next);
            }
        }

        return sum / count;
    }

    private BatchLoss<T> Window(SeriesBatcher<T> batcher, RecurrentState<T>? state, out RecurrentState<T> next)
    {
        var (cut, steps, seen) = (batcher.CarrySteps, batcher.Steps, batcher.SeenSteps);
        (var output, next) = forward(batcher.Inputs(0, cut), state);
        if (cut < steps)
        {
            // The next window begins inside this one: the forward pass is cut there to have the state, the gradient flows through the cut.
            var (rest, _) = forward(batcher.Inputs(cut, steps), next);
            output = Tensor<T>.Concat([output, rest], axis: 1);
        }

        var counted = seen == 0 ? output : output.Slice(1, seen..steps);
        return new(loss(counted, batcher.Targets(seen, steps)), (long)batcher.Rows * (steps - seen));
    }
}
