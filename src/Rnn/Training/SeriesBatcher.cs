using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>
/// Cuts one long series of features and targets into N parallel rows and walks through them in windows, for truncated backpropagation
/// through time: <see cref="StreamBatcher"/> for numbers.
/// </summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class SeriesBatcher<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Tensor<T> _inputs;
    private readonly Tensor<T> _targets;
    private StreamPlan _plan;

    /// <summary>A walk over a series.</summary>
    /// <param name="inputs">The features of every step, [L, I].</param>
    /// <param name="targets">What is to be foretold at every step, [L, O].</param>
    /// <param name="rows">N, the parallel rows.</param>
    /// <param name="steps">k₂, the steps of a window.</param>
    /// <param name="stride">k₁, the steps between two windows; null for windows that do not overlap.</param>
    /// <exception cref="ArgumentException">A shape or number is out of range, or the series is shorter than one window.</exception>
    public SeriesBatcher(Tensor<T> inputs, Tensor<T> targets, int rows, int steps, int? stride = null)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(targets);
        if (inputs.Rank != 2 || targets.Rank != 2 || inputs.Shape[0] != targets.Shape[0])
        {
            throw new ArgumentException($"targets: expected inputs [steps, features] and targets [steps, outputs] of as many steps but got {inputs.Shape} and {targets.Shape}.", nameof(targets));
        }

        _plan = new(inputs.Shape[0], rows, steps, stride, nameof(inputs), "use a longer series, or fewer rows or steps.");
        (_inputs, _targets) = (inputs, targets);
    }

    /// <summary>The windows of one pass.</summary>
    public int WindowCount => _plan.WindowCount;

    /// <summary>The parallel rows N.</summary>
    public int Rows => _plan.Rows;

    /// <summary>The steps T of the window.</summary>
    public int Steps => _plan.Steps;

    /// <summary>The steps after which the state is taken for the next window: T, or less where windows overlap.</summary>
    public int CarrySteps => _plan.CarrySteps;

    /// <summary>The steps at the window's beginning whose loss was counted in an earlier window.</summary>
    public int SeenSteps => _plan.SeenSteps;

    /// <summary>Whether the window is the first one, whose state starts anew.</summary>
    public bool IsFirst => _plan.Start == 0;

    /// <summary>Goes back to before the first window.</summary>
    public void Reset() => _plan.Reset();

    /// <summary>Goes to the next window.</summary>
    /// <returns>False after the last one.</returns>
    public bool MoveNext() => _plan.MoveNext();

    /// <summary>The features of some steps of the window, [N, end − start, I].</summary>
    /// <param name="start">The first step.</param>
    /// <param name="end">The step behind the last one.</param>
    public Tensor<T> Inputs(int start, int end) => Copy(_inputs, start, end);

    /// <summary>The targets of some steps of the window, [N, end − start, O].</summary>
    /// <param name="start">The first step.</param>
    /// <param name="end">The step behind the last one.</param>
    public Tensor<T> Targets(int start, int end) => Copy(_targets, start, end);

    private Tensor<T> Copy(Tensor<T> series, int start, int end)
    {
        if (start < 0 || end > Steps || start > end)
        {
            throw new ArgumentOutOfRangeException(nameof(end), end, $"expected steps within 0 to {Steps} but got {start} to {end}.");
        }

        var (width, count) = (series.Shape[1], end - start);
        var copy = Tensor<T>.Uninitialized([Rows, count, width]);
        for (var row = 0; row < Rows; row++)
        {
            series.AsReadOnlySpan().Slice(((row * _plan.RowSteps) + _plan.Start + start) * width, count * width).CopyTo(copy.AsSpan()[(row * count * width)..]);
        }

        return copy;
    }
}
