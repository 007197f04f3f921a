namespace Rnn.Training;

/// <summary>
/// Cuts one long stream of tokens into N parallel rows and walks through them in windows, for truncated backpropagation through time: every
/// k₁ steps the gradient runs back over the last k₂ (k₁ ≤ k₂). Each step's loss counts once.
/// </summary>
/// <remarks>
/// Williams and Peng, "An Efficient Gradient-Based Algorithm for On-Line Training of Recurrent Network Trajectories" (1990). Tokens that do
/// not fill a last step of all rows are left out: at most N of them.
/// </remarks>
public sealed class StreamBatcher : TokenBatcher
{
    private readonly ReadOnlyMemory<int> _tokens;
    private readonly int _rowSteps;
    private readonly int _steps;
    private readonly int _stride;
    private int _next;
    private int _counted;

    /// <summary>A walk over a stream.</summary>
    /// <param name="tokens">The stream.</param>
    /// <param name="rows">N, the parallel rows.</param>
    /// <param name="steps">k₂, the steps of a window.</param>
    /// <param name="stride">k₁, the steps between two windows; null for windows that do not overlap.</param>
    /// <exception cref="ArgumentException">A number is out of range, or the stream is shorter than one window.</exception>
    public StreamBatcher(ReadOnlyMemory<int> tokens, int rows, int steps, int? stride = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        if (stride < 1 || stride > steps)
        {
            throw new ArgumentOutOfRangeException(nameof(stride), stride, $"stride: expected 1 to {steps}, the steps of a window, but got {stride}.");
        }

        _rowSteps = (tokens.Length - 1) / rows;
        if (tokens.Length == 0 || _rowSteps < steps)
        {
            throw new ArgumentException(
                $"tokens: expected {((long)rows * steps) + 1} or more, for {rows} rows of one window of {steps} steps and the token after it, but got {tokens.Length}; use fewer rows or steps, or more text.",
                nameof(tokens));
        }

        _tokens = tokens;
        _steps = steps;
        _stride = stride ?? steps;
        Current = new(rows, steps);
    }

    /// <inheritdoc/>
    public override TokenWindow Current { get; }

    /// <summary>The windows of one pass.</summary>
    public int WindowCount => 1 + ((_rowSteps - _steps + _stride - 1) / _stride);

    /// <summary>The steps of one pass whose loss counts, over all rows.</summary>
    public long TargetCount => (long)_rowSteps * Current.Rows;

    /// <inheritdoc/>
    public override void Reset() => _next = _counted = 0;

    /// <inheritdoc/>
    public override bool MoveNext()
    {
        if (_counted == _rowSteps)
        {
            return false;
        }

        var window = Current;
        var end = Math.Min(_next + _steps, _rowSteps);
        window.Steps = end - _next;
        window.CarrySteps = Math.Min(_stride, window.Steps);
        window.TargetCount = (end - _counted) * window.Rows;
        window.Resets.AsSpan().Fill(_next == 0);
        for (var row = 0; row < window.Rows; row++)
        {
            var source = _tokens.Span.Slice((row * _rowSteps) + _next, window.Steps + 1);
            source[..^1].CopyTo(window.InputArray.AsSpan(row * window.Steps));
            var targets = window.TargetArray.AsSpan(row * window.Steps, window.Steps);
            source[1..].CopyTo(targets);
            targets[..(_counted - _next)].Fill(TokenWindow.NoTarget);
        }

        _counted = end;
        _next += _stride;
        return true;
    }
}
