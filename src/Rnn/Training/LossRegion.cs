using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>
/// What of a tensor [N, T, …] counts: of each row the first elements, up to its length. Without lengths, and for tensors without
/// steps, everything does.
/// </summary>
internal readonly struct LossRegion
{
    private readonly int[]? _lengths;

    private LossRegion(int rows, int steps, int features, int[]? lengths)
    {
        Rows = rows;
        Steps = steps;
        Features = features;
        _lengths = lengths;
        ValidSteps = (long)rows * steps;
        if (lengths is not null)
        {
            ValidSteps = 0;
            foreach (var length in lengths)
            {
                ValidSteps += length;
            }
        }
    }

    /// <summary>N.</summary>
    internal int Rows { get; }

    /// <summary>T, or 1 where there are no steps.</summary>
    internal int Steps { get; }

    /// <summary>Elements of one step.</summary>
    internal int Features { get; }

    /// <summary>Steps that count.</summary>
    internal long ValidSteps { get; }

    /// <summary>The region of a tensor whose last dimension is features where it has two dimensions or more.</summary>
    /// <exception cref="ArgumentException">The lengths do not fit.</exception>
    internal static LossRegion Of(Shape shape, ReadOnlySpan<int> lengths, string tensorName)
    {
        var rows = shape.Rank > 0 ? shape[0] : 1;
        var steps = shape.Rank > 2 ? shape[1] : 1;
        var features = rows == 0 || steps == 0 ? 0 : (int)(shape.ElementCount / ((long)rows * steps));
        if (lengths.IsEmpty)
        {
            return new(rows, steps, features, null);
        }

        if (shape.Rank < 3)
        {
            throw new ArgumentException($"lengths: they cut steps, but {tensorName} is {shape}; expected [batch, steps, …].", nameof(lengths));
        }

        if (lengths.Length != rows)
        {
            throw new ArgumentException($"lengths: expected {rows} lengths, one for each row of {tensorName} {shape}, but got {lengths.Length}.", nameof(lengths));
        }

        for (var row = 0; row < rows; row++)
        {
            if ((uint)lengths[row] > (uint)steps)
            {
                throw new ArgumentException($"lengths: expected 0 to {steps} steps but row {row} has {lengths[row]}.", nameof(lengths));
            }
        }

        return new(rows, steps, features, lengths.ToArray());
    }

    /// <summary>The region of the scores of classes: one row where there is one dimension.</summary>
    /// <exception cref="ArgumentException">The lengths do not fit.</exception>
    internal static LossRegion OfClasses(Shape shape, ReadOnlySpan<int> lengths, string tensorName) =>
        shape.Rank == 1 && lengths.IsEmpty ? new(1, 1, shape[0], null) : Of(shape, lengths, tensorName);

    /// <summary>Whether rows have lengths of their own.</summary>
    internal bool HasLengths => _lengths is not null;

    /// <summary>The steps of a row that count.</summary>
    internal int LengthOf(int row) => _lengths is { } lengths ? lengths[row] : Steps;

    /// <summary>What the sum over elements is divided by.</summary>
    internal double Divisor(LossReduction reduction) => reduction switch
    {
        LossReduction.Mean => (double)ValidSteps * Features,
        LossReduction.Sum => 1,
        LossReduction.SumOverStepsMeanOverRows => Rows,
        LossReduction.SumOverFeaturesMeanOverSteps => ValidSteps,
        _ => throw new ArgumentOutOfRangeException(nameof(reduction), reduction, "expected one of the reductions of the list."),
    };

    /// <summary>The stretches of elements that count in order, each no longer than a period where one is given.</summary>
    internal RunList Runs(int period = 0) => new(this, period);

    /// <summary>The valid stretches of a region in order.</summary>
    internal ref struct RunList(LossRegion region, int period)
    {
        private int _row = -1;
        private int _at;
        private int _end;

        public (int Start, int Count) Current { get; private set; }

        public readonly RunList GetEnumerator() => this;

        public bool MoveNext()
        {
            while (_at == _end)
            {
                if (++_row >= region.Rows)
                {
                    return false;
                }

                // Without lengths all rows are one stretch.
                var rowLength = region.Steps * region.Features;
                _at = _row * rowLength;
                _end = _at + (region.LengthOf(_row) * region.Features);
                if (!region.HasLengths)
                {
                    _end = region.Rows * rowLength;
                    _row = region.Rows;
                }
            }

            var count = period == 0 ? _end - _at : Math.Min(period, _end - _at);
            Current = (_at, count);
            _at += count;
            return true;
        }
    }
}
