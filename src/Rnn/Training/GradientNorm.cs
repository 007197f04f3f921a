namespace Rnn.Training;

/// <summary>
/// A length of gradients as Scale·√Squares. Where squares leave the range of double precision they are those of gradients divided by a power of
/// two, so that neither the length nor what it is compared with is lost.
/// </summary>
/// <param name="scale">What gradients were divided by before they were squared.</param>
/// <param name="squares">The sum of squares.</param>
internal readonly struct GradientNorm(double scale, double squares)
{
    // As in PyTorch, so that runs can be compared; a norm that is small itself must not drown in it.
    private const double Margin = 1e-6;

    private readonly double _scale = scale;
    private readonly double _squares = squares;

    /// <summary>The length of nothing.</summary>
    internal static GradientNorm Zero => new(1, 0);

    /// <summary>Whether all gradients are finite.</summary>
    internal bool IsFinite => double.IsFinite(_squares);

    /// <summary>The length; infinite where it exceeds double precision.</summary>
    internal double Value => _scale * Math.Sqrt(_squares);

    /// <summary>The length of both gradients taken as one vector.</summary>
    public static GradientNorm operator +(GradientNorm left, GradientNorm right)
    {
        if (left._scale == right._scale || left._squares == 0 || right._squares == 0)
        {
            return left._squares == 0 && right._squares != 0 ? right : new(left._scale, left._squares + right._squares);
        }

        var (large, small) = left._scale > right._scale ? (left, right) : (right, left);
        var ratio = small._scale / large._scale;
        return new(large._scale, large._squares + (small._squares * ratio * ratio));
    }

    /// <summary>What gradients are multiplied by to keep a limit.</summary>
    internal double Clip(double limit)
    {
        if (!IsFinite)
        {
            return 1;
        }

        var length = Value;
        return double.IsFinite(length)
            ? Math.Min(1, limit / (length + Math.Min(Margin, 1e-3 * length)))
            : Math.Min(1, limit / _scale / Math.Sqrt(_squares));
    }
}
