using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <summary>
/// Layer normalisation of a row whose squares or differences leave the range of T: in double, over a power of two, one number at a time.
/// Such rows are rare, so nothing here is in a hurry but the two questions, which every row asks: inlined, since the kernels that ask are compiled at full speed at once, and a call from there
/// would go to the slow tier for the first seconds.
/// </summary>
internal static unsafe class ExtremeRow<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Whether rows of this 1/√(σ² + ε) are so wide that differences and products with them could overflow. Not where it is NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsWide(T inverseDeviation) => inverseDeviation < T.CreateTruncating(typeof(T) == typeof(float) ? 8.6e-19 : 3.0e-151);

    /// <summary>Whether a variance that was computed in T tells nothing: it overflowed, or there are no digits left in it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsLost(T variance) => !T.IsFinite(variance) || variance < T.CreateTruncating(typeof(T) == typeof(float) ? 7.8e-31 : 1.1e-271);

    /// <summary>μ and 1/√(σ² + ε) of any row of finite numbers; NaN of all others.</summary>
    internal static void Moments(T* x, int count, T epsilon, out T mean, out T inverseDeviation)
    {
        var largest = 0.0;
        for (var i = 0; i < count; i++)
        {
            largest = Math.Max(largest, Math.Abs(double.CreateTruncating(x[i])));
        }

        if (!double.IsFinite(largest))
        {
            (mean, inverseDeviation) = (T.NaN, T.NaN);
            return;
        }

        // The largest number becomes one to two, and so no sum and no square overflows.
        var exponent = largest == 0 ? 0 : Math.Max(Math.ILogB(largest), -1000);
        var scale = Math.ScaleB(1, -exponent);
        var sum = 0.0;
        for (var i = 0; i < count; i++)
        {
            sum += double.CreateTruncating(x[i]) * scale;
        }

        var scaledMean = sum / count;
        var squares = 0.0;
        for (var i = 0; i < count; i++)
        {
            var difference = (double.CreateTruncating(x[i]) * scale) - scaledMean;
            squares += difference * difference;
        }

        var deviation = Math.ScaleB(Math.Sqrt(squares / count), exponent);
        mean = T.CreateTruncating(Math.ScaleB(scaledMean, exponent));
        inverseDeviation = T.CreateTruncating(1 / double.Hypot(deviation, Math.Sqrt(double.CreateTruncating(epsilon))));
    }

    /// <summary>y = γ⊙x̂ + start; y may be the memory of x or of start.</summary>
    internal static void Normalise(T* x, T mean, T inverseDeviation, T* gain, T* start, T* y, int count)
    {
        var row = new Standard(mean, inverseDeviation);
        for (var i = 0; i < count; i++)
        {
            y[i] = T.CreateTruncating((row.Of(x[i]) * double.CreateTruncating(gain[i])) + double.CreateTruncating(start[i]));
        }
    }

    /// <summary>y = γ₁⊙x̂₁ + γ₂⊙x̂₂ + start, where either row or both are wide; y may be the memory of either.</summary>
    internal static void NormaliseSum(T* x1, T* x2, T* gain1, T* gain2, T* moments1, T* moments2, T* start, T* y, int count)
    {
        var first = new Standard(moments1[0], moments1[1]);
        var second = new Standard(moments2[0], moments2[1]);
        for (var i = 0; i < count; i++)
        {
            var sum = (first.Of(x1[i]) * double.CreateTruncating(gain1[i])) + (second.Of(x2[i]) * double.CreateTruncating(gain2[i]));
            y[i] = T.CreateTruncating(sum + double.CreateTruncating(start[i]));
        }
    }

    /// <summary>dx (+)= r(g − mean(g) − x̂·mean(g⊙x̂)) with g = dy⊙γ, and sums += dy⊙x̂; dx may be the memory of x.</summary>
    internal static void Backward(T* x, T mean, T inverseDeviation, T* dy, T* gain, T* dx, bool accumulate, T* sums, int count)
    {
        var row = new Standard(mean, inverseDeviation);
        double sum = 0, product = 0;
        for (var i = 0; i < count; i++)
        {
            var g = double.CreateTruncating(dy[i]) * double.CreateTruncating(gain[i]);
            sum += g;
            product += g * row.Of(x[i]);
        }

        var (meanGradient, meanProduct, r) = (sum / count, product / count, double.CreateTruncating(inverseDeviation));
        for (var i = 0; i < count; i++)
        {
            var hat = row.Of(x[i]);
            var d = double.CreateTruncating(dy[i]);
            sums[i] += T.CreateTruncating(d * hat);
            var value = T.CreateTruncating(r * ((d * double.CreateTruncating(gain[i])) - meanGradient - (hat * meanProduct)));
            dx[i] = accumulate ? dx[i] + value : value;
        }
    }

    // x̂ = (x·s − μ·s)·(r/s) with a power of two s near r, under which no difference overflows.
    private readonly struct Standard
    {
        private readonly double _scale;
        private readonly double _mean;
        private readonly double _factor;

        internal Standard(T mean, T inverseDeviation)
        {
            var r = double.CreateTruncating(inverseDeviation);
            _scale = double.IsFinite(r) ? Math.ScaleB(1, Math.Clamp(Math.ILogB(r), -1022, 1000)) : 1;
            _mean = double.CreateTruncating(mean) * _scale;
            _factor = r / _scale;
        }

        internal double Of(T x) => ((double.CreateTruncating(x) * _scale) - _mean) * _factor;
    }
}
