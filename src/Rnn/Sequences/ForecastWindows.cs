using System.Globalization;
using System.Numerics;
using Rnn.Formats;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>
/// Cuts a series into windows to forecast from: W steps of the past and the F steps that follow, in batches, shuffled anew for each pass where there is a random source. The windows of a part of the series,
/// such as that for validation, reach back before its beginning, as they do when a forecast is made: only the steps to be forecast belong to the part.
/// </summary>
/// <example>
/// <code>
/// var training = new ForecastWindows&lt;float&gt;(series, window: 96, horizon: 24, batchSize: 32, forecasts: ..8640, random: new RandomSource(1));
/// var validation = new ForecastWindows&lt;float&gt;(series, window: 96, horizon: 24, batchSize: 256, forecasts: 8640..11520);
/// </code>
/// </example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class ForecastWindows<T> : BatchSource<ForecastBatch<T>>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Series<T> _series;
    private readonly int _batchSize;
    private readonly int _first;
    private readonly int _stride;
    private readonly int[] _order;
    private ForecastBatch<T>? _current;
    private int _next;

    /// <summary>Windows of a series.</summary>
    /// <param name="series">The series.</param>
    /// <param name="window">W, the steps before a forecast.</param>
    /// <param name="horizon">F, the steps of a forecast.</param>
    /// <param name="batchSize">N, the windows of a batch; the last one of a pass may have fewer.</param>
    /// <param name="forecasts">The steps of the series within which the forecasts lie, all of each; null for all steps. Pasts may lie before it.</param>
    /// <param name="stride">The steps between the beginnings of two windows.</param>
    /// <param name="random">Where the order of each pass comes from; null for that of time.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive, or the series has no such steps.</exception>
    /// <exception cref="ArgumentException">There is no room for one window.</exception>
    public ForecastWindows(Series<T> series, int window, int horizon, int batchSize, Range? forecasts = null, int stride = 1, RandomSource? random = null)
        : base(random)
    {
        ArgumentNullException.ThrowIfNull(series);
        _series = series;
        Window = OptionRange.AtLeast(1, window, nameof(window));
        Horizon = OptionRange.AtLeast(1, horizon, nameof(horizon));
        _batchSize = OptionRange.AtLeast(1, batchSize, nameof(batchSize));
        _stride = OptionRange.AtLeast(1, stride, nameof(stride));
        var (start, count) = (forecasts ?? ..).GetOffsetAndLength(series.Steps);
        _first = Math.Max(start, window);
        var room = (long)start + count - horizon - _first;
        if (room < 0)
        {
            throw new ArgumentException(
                $"series: a window of {window} steps and a forecast of {horizon} within steps {start} to {start + count} do not fit into a series of {series.Steps}; use a longer series or part, or fewer steps.",
                nameof(series));
        }

        _order = new int[(room / stride) + 1];
    }

    /// <inheritdoc/>
    public override ForecastBatch<T> Current => _current ?? throw new InvalidOperationException("Current: there is no batch before the first MoveNext().");

    /// <inheritdoc/>
    public override string Identity
    {
        get
        {
            var hash = new Fingerprint();
            hash.Add(_series.Values.AsReadOnlySpan());
            return string.Create(
                CultureInfo.InvariantCulture,
                $"series {_series.Values.Shape} ({hash}), {Count} windows of {Window} and {Horizon} steps every {_stride} from {_first}, batches of {_batchSize}{(Random is null ? string.Empty : ", shuffled")}");
        }
    }

    /// <summary>W, the steps before a forecast.</summary>
    public int Window { get; }

    /// <summary>F, the steps of a forecast.</summary>
    public int Horizon { get; }

    /// <summary>The number of windows.</summary>
    public int Count => _order.Length;

    /// <inheritdoc/>
    protected override void OnBeginPass()
    {
        for (var i = 0; i < _order.Length; i++)
        {
            _order[i] = _first + (i * _stride);
        }

        Random?.Shuffle(_order.AsSpan());
        _next = 0;
    }

    /// <inheritdoc/>
    protected override bool OnSkip()
    {
        var any = _next < _order.Length;
        _next = Math.Min(_next + _batchSize, _order.Length);
        return any;
    }

    /// <inheritdoc/>
    protected override bool OnMoveNext()
    {
        var starts = _order.AsSpan(_next, Math.Min(_batchSize, _order.Length - _next));
        if (starts.IsEmpty)
        {
            return false;
        }

        _next += starts.Length;
        _current = new(Copy(starts, -Window, Window), Copy(starts, 0, Horizon), starts);
        return true;
    }

    private Tensor<T> Copy(ReadOnlySpan<int> starts, int from, int steps)
    {
        var width = _series.Names.Count;
        var copy = Tensor<T>.Uninitialized([starts.Length, steps, width]);
        for (var row = 0; row < starts.Length; row++)
        {
            _series.Values.AsReadOnlySpan().Slice((starts[row] + from) * width, steps * width).CopyTo(copy.AsSpan()[(row * steps * width)..]);
        }

        return copy;
    }
}
