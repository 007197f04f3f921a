namespace Rnn.Training;

/// <summary>
/// A length of gradients as Scale·√Squares. Where squares leave the range of double precision they are those of gradients divided by a power of
/// two, so that neither the length nor what it is compared with is lost.
/// </summary>
/// <param name="Scale">What gradients were divided by before they were squared.</param>
/// <param name="Squares">The sum of squares.</param>
internal readonly record struct GradientNorm(double Scale, double Squares)
{
    // As in PyTorch, so that runs can be compared; a norm that is small itself must not drown in it.
    private const double Margin = 1e-6;

    /// <summary>The length of nothing.</summary>
    internal static GradientNorm Zero => new(1, 0);

    /// <summary>Whether all gradients are finite.</summary>
    internal bool IsFinite => double.IsFinite(Squares);

    /// <summary>The length; infinite where it exceeds double precision.</summary>
    internal double Value => Scale * Math.Sqrt(Squares);

    /// <summary>The length of both gradients taken as one vector.</summary>
    public static GradientNorm operator +(GradientNorm left, GradientNorm right)
    {
        if (left.Scale == right.Scale || left.Squares == 0 || right.Squares == 0)
        {
            return left.Squares == 0 && right.Squares != 0 ? right : new(left.Scale, left.Squares + right.Squares);
        }

        var (large, small) = left.Scale > right.Scale ? (left, right) : (right, left);
        var ratio = small.Scale / large.Scale;
        return new(large.Scale, large.Squares + (small.Squares * ratio * ratio));
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
            : Math.Min(1, limit / Scale / Math.Sqrt(Squares));
    }
}
