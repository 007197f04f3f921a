using System.Numerics;
using Rnn.Formats;
using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>Computes a window of a series: outputs [N, T, O] and the state after the last step.</summary>
/// <param name="inputs">The features, [N, T, I].</param>
/// <param name="state">The state to start from; null at the beginning.</param>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public delegate (Tensor<T> Output, SequenceState<T> State) SeriesForward<T>(Tensor<T> inputs, SequenceState<T>? state)
    where T : unmanaged, IFloatingPointIeee754<T>;

/// <summary>Truncated backpropagation through time over a series: the state is carried from window to window, the gradient is not.</summary>
internal sealed class SeriesTask<T>(
    BatchSource<SeriesWindow<T>> series, SeriesForward<T> forward, Func<Tensor<T>, Tensor<T>, Tensor<T>> loss, BatchSource<SeriesWindow<T>>? validation) : TrainingTask<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly CarriedParts<T> _carried = new();
    private SequenceState<T>? _next;
    private int _parts;

    /// <inheritdoc/>
    public override bool HasValidation => validation is not null;

    /// <inheritdoc/>
    public override bool CanResume => true;

    /// <inheritdoc/>
    public override string Identity => $"{series.Identity}{(validation is null ? string.Empty : $", validated on {validation.Identity}")}";

    /// <inheritdoc/>
    public override bool HasParts => true;

    /// <inheritdoc/>
    internal override object[] Sources => validation is null ? [series.Root] : [series.Root, validation.Root];

    /// <inheritdoc/>
    public override void BeginEpoch(int epoch)
    {
        series.BeginPass();
        _carried.Forget();
    }

    /// <inheritdoc/>
    public override BatchLoss<T>? NextLoss()
    {
        if (!series.MoveNext())
        {
            return null;
        }

        _carried.Cut(1);
        return Window(series.Current, _carried.Whole.State, out _next);
    }

    /// <inheritdoc/>
    public override double[]? NextParts(int parts)
    {
        if (!series.MoveNext())
        {
            return null;
        }

        _carried.Cut(parts);
        _parts = parts;
        var rows = series.Current.Rows;
        return [.. Enumerable.Range(0, parts).Select(part => (double)RowParts.Of(rows, part, parts).Count / rows)];
    }

    /// <inheritdoc/>
    public override BatchLoss<T>? PartLoss(int part) => PartOf(series.Current, part, _parts) is { } rows ? Window(rows, _carried[part].State, out _next) : null;

    /// <inheritdoc/>
    public override void EndPart(int part)
    {
        if (_next is not null)
        {
            _carried[part].Keep(_next);
            _next = null;
        }
    }

    /// <inheritdoc/>
    public override void EndStep(bool skipped)
    {
        // After a skipped step the state is likely not finite either.
        if (skipped)
        {
            _carried.Forget();
        }
        else if (_next is not null)
        {
            _carried.Whole.Keep(_next);
        }

        _next = null;
    }

    /// <inheritdoc/>
    public override void SavePart(int part, int parts, StateTree<T> state)
    {
        _carried.Cut(parts);
        _carried[part].SaveState(state);
    }

    /// <inheritdoc/>
    public override void RestorePart(int part, int parts, StateTree<T> state)
    {
        _carried.Cut(parts);
        _carried[part].RestoreState(state);
    }

    /// <inheritdoc/>
    public override void SaveState(StateTree<T> state)
    {
        series.SaveState(state);
        validation?.SaveState(state.Branch("validation"));
        _carried.SaveState(state.Branch("carried"));
    }

    /// <inheritdoc/>
    public override void RestoreState(StateTree<T> state)
    {
        series.RestoreState(state);
        validation?.RestoreState(state.Branch("validation"));
        _carried.RestoreState(state.Branch("carried"));
    }

    /// <inheritdoc/>
    public override double? Validate(CancellationToken cancellationToken)
    {
        if (validation is null)
        {
            return null;
        }

        var sums = new LossSums(1);
        ValidateParts(sums, cancellationToken);
        return sums.Total.Sum / sums.Total.Weight;
    }

    /// <inheritdoc/>
    public override void ValidateParts(LossSums sums, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sums);
        if (validation is null)
        {
            return;
        }

        var carried = new CarriedParts<T>();
        carried.Cut(sums.Parts);
        var ended = false;
        try
        {
            foreach (var each in validation)
            {
                cancellationToken.ThrowIfCancellationRequested();
                for (var part = 0; part < sums.Parts; part++)
                {
                    if (!sums.Wants(part) || PartOf(each, part, sums.Parts) is not { } rows)
                    {
                        continue;
                    }

                    using (TensorScope.Enter())
                    {
                        var window = Window(rows, carried[part].State, out var next);
                        sums.AddSum(part, double.CreateTruncating(window.Loss.Item()) * window.Count, window.Count);
                        carried[part].Keep(next);
                    }
                }
            }

            ended = true;
        }
        finally
        {
            // A validation that was broken off is made again, by the same pass.
            if (!ended)
            {
                validation.UndoPass();
            }
        }
    }

    /// <inheritdoc/>
    internal override void UndoValidation() => validation?.UndoPass();

    private static SeriesWindow<T>? PartOf(SeriesWindow<T> window, int part, int parts) =>
        RowParts.Of(window.Rows, part, parts) is (var start, > 0 and var count) ? count == window.Rows ? window : window.TakeRows(start, count) : null;

    private BatchLoss<T> Window(SeriesWindow<T> window, SequenceState<T>? state, out SequenceState<T> next)
    {
        var (cut, steps, seen) = (window.CarrySteps, window.Steps, window.SeenSteps);
        (var output, next) = forward(window.Inputs(0, cut), state);
        if (cut < steps)
        {
            // The next window begins inside this one: the forward pass is cut there to have the state, the gradient flows through the cut.
            var (rest, _) = forward(window.Inputs(cut, steps), next);
            output = Tensor<T>.Concat([output, rest], axis: 1);
        }

        var counted = seen == 0 ? output : output.Slice(1, seen..steps);
        return new(loss(counted, window.Targets(seen, steps)), (long)window.Rows * (steps - seen));
    }
}
