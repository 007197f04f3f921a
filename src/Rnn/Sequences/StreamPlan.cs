namespace Rnn.Sequences;

/// <summary>
/// The windows of truncated backpropagation through time over a stream that is cut into rows: every k₁ steps one of k₂. Steps are counted
/// once, in the first window that has them.
/// </summary>
internal struct StreamPlan
{
    private readonly int _steps;
    private readonly int _stride;
    private long _next;
    private long _counted;

    /// <summary>A plan for rows of a stream of so many predictable steps.</summary>
    internal StreamPlan(long length, int rows, int steps, int? stride, string lengthName, string advice)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        if (stride < 1 || stride > steps)
        {
            throw new ArgumentOutOfRangeException(nameof(stride), stride, $"stride: expected 1 to {steps}, the steps of a window, but got {stride}.");
        }

        RowSteps = length / rows;
        if (RowSteps < steps)
        {
            throw new ArgumentException($"{lengthName}: expected {(long)rows * steps} steps or more, {rows} rows of one window of {steps}, but got {length}; {advice}", lengthName);
        }

        (Rows, _steps, _stride) = (rows, steps, stride ?? steps);
    }

    /// <summary>The parallel rows N.</summary>
    internal int Rows { get; }

    /// <summary>The steps of a row.</summary>
    internal long RowSteps { get; }

    /// <summary>The windows of one pass.</summary>
    internal readonly int WindowCount => checked((int)(1 + ((RowSteps - _steps + _stride - 1) / _stride)));

    /// <summary>The first step of the window in its row.</summary>
    internal long Start { get; private set; }

    /// <summary>The steps of the window.</summary>
    internal int Steps { get; private set; }

    /// <summary>The steps after which the state is taken for the next window.</summary>
    internal int CarrySteps { get; private set; }

    /// <summary>The steps at the window's beginning that were counted before.</summary>
    internal int SeenSteps { get; private set; }

    /// <summary>Returns to before the first window.</summary>
    internal void Reset() => _next = _counted = 0;

    /// <summary>Goes to the next window; false after the last one.</summary>
    internal bool MoveNext()
    {
        if (_counted == RowSteps)
        {
            return false;
        }

        Start = _next;
        var end = Math.Min(Start + _steps, RowSteps);
        Steps = (int)(end - Start);
        CarrySteps = Math.Min(_stride, Steps);
        SeenSteps = (int)(_counted - Start);
        _counted = end;
        _next += _stride;
        return true;
    }
}
