using System.Globalization;
using System.Numerics;
using Rnn.Formats;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>
/// Cuts one long series of features and targets into N parallel rows and walks through them in windows, for truncated backpropagation
/// through time: <see cref="TokenStreamSource"/> for numbers.
/// </summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class SeriesSource<T> : BatchSource<SeriesWindow<T>>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Tensor<T> _inputs;
    private readonly Tensor<T> _targets;
    private readonly string _cut;
    private StreamPlan _plan;

    /// <summary>Windows of a series.</summary>
    /// <param name="inputs">The features of every step, [L, I].</param>
    /// <param name="targets">What is to be predicted at every step, [L, O].</param>
    /// <param name="rows">N, the parallel rows.</param>
    /// <param name="steps">k₂, the steps of a window.</param>
    /// <param name="stride">k₁, the steps between two windows; null for windows that do not overlap.</param>
    /// <exception cref="ArgumentException">A shape or number is out of range, or the series is shorter than one window.</exception>
    public SeriesSource(Tensor<T> inputs, Tensor<T> targets, int rows, int steps, int? stride = null)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(targets);
        if (inputs.Rank != 2 || targets.Rank != 2 || inputs.Shape[0] != targets.Shape[0])
        {
            throw new ArgumentException($"targets: expected inputs [steps, features] and targets [steps, outputs] of as many steps but got {inputs.Shape} and {targets.Shape}.", nameof(targets));
        }

        _plan = new(inputs.Shape[0], rows, steps, stride, nameof(inputs), "use a longer series, or fewer rows or steps.");
        _cut = string.Create(CultureInfo.InvariantCulture, $"{rows} rows, windows of {steps} steps every {stride ?? steps}");
        (_inputs, _targets) = (inputs, targets);
        Current = new(this);
    }

    /// <inheritdoc/>
    public override SeriesWindow<T> Current { get; }

    /// <summary>The windows of one pass.</summary>
    public int WindowCount => _plan.WindowCount;

    /// <inheritdoc/>
    public override string Identity
    {
        get
        {
            var hash = new Fingerprint();
            hash.Add(_inputs.AsReadOnlySpan());
            hash.Add(_targets.AsReadOnlySpan());
            return $"series {_inputs.Shape} with targets {_targets.Shape} ({hash}), {_cut}";
        }
    }

    internal ref readonly StreamPlan Plan => ref _plan;

    internal Tensor<T> Copy(in StreamPlan plan, bool targets, int firstRow, int rows, int start, int end)
    {
        if (start < 0 || end > plan.Steps || start > end)
        {
            throw new ArgumentOutOfRangeException(nameof(end), end, $"expected steps within 0 to {plan.Steps} but got {start} to {end}.");
        }

        var series = targets ? _targets : _inputs;
        var (width, count) = (series.Shape[1], end - start);
        var copy = Tensor<T>.Uninitialized([rows, count, width]);
        for (var row = 0; row < rows; row++)
        {
            series.AsReadOnlySpan().Slice((int)(((firstRow + row) * plan.RowSteps) + plan.Start + start) * width, count * width).CopyTo(copy.AsSpan()[(row * count * width)..]);
        }

        return copy;
    }

    /// <inheritdoc/>
    protected internal override SeriesWindow<T> CopyCurrent() => new(this, _plan);

    /// <inheritdoc/>
    protected override void OnBeginPass() => _plan.Reset();

    /// <inheritdoc/>
    protected override bool OnMoveNext() => _plan.MoveNext();
}

/// <summary>The window of a series that its source stands at; the same object moves on with the source.</summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class SeriesWindow<T> : IRowBatch<SeriesWindow<T>>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly SeriesSource<T> _source;
    private readonly StreamPlan? _plan;
    private readonly RowRange? _rows;

    /// <summary>A window that moves on with its source, or with a plan of its own one that stays; of all rows or of some.</summary>
    internal SeriesWindow(SeriesSource<T> source, StreamPlan? plan = null, RowRange? rows = null) => (_source, _plan, _rows) = (source, plan, rows);

    /// <summary>The parallel rows N.</summary>
    public int Rows => _rows?.Count ?? Plan.Rows;

    /// <summary>The steps T of the window.</summary>
    public int Steps => Plan.Steps;

    /// <summary>The steps after which the state is taken for the next window: T, or less where windows overlap.</summary>
    public int CarrySteps => Plan.CarrySteps;

    /// <summary>The steps at the window's beginning whose loss was counted in an earlier window.</summary>
    public int SeenSteps => Plan.SeenSteps;

    /// <summary>Whether the window is the first one, which starts from the initial state.</summary>
    public bool IsFirst => Plan.Start == 0;

    /// <summary>The features of some steps of the window, [N, end − start, I].</summary>
    /// <param name="start">The first step.</param>
    /// <param name="end">The step behind the last one.</param>
    public Tensor<T> Inputs(int start, int end) => _source.Copy(Plan, targets: false, _rows?.Start ?? 0, Rows, start, end);

    /// <summary>The targets of some steps of the window, [N, end − start, O].</summary>
    /// <param name="start">The first step.</param>
    /// <param name="end">The step behind the last one.</param>
    public Tensor<T> Targets(int start, int end) => _source.Copy(Plan, targets: true, _rows?.Start ?? 0, Rows, start, end);

    /// <summary>Neighbouring rows of the window as it is now; it stays when the source moves on.</summary>
    /// <inheritdoc/>
    public SeriesWindow<T> TakeRows(int start, int count)
    {
        var rows = new RowRange(start, count, Rows);
        return new(_source, Plan, new(rows.Start + (_rows?.Start ?? 0), rows.Count, Plan.Rows));
    }

    private StreamPlan Plan => _plan ?? _source.Plan;
}
