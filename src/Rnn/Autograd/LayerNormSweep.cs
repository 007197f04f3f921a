using System.Numerics;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Rnn.Autograd;

/// <summary>Layer normalisation of one row: with x̂ = (x − mean)·r and r = 1/√(variance + ε), y = w⊙x̂ + b.</summary>
internal static class LayerNormSweep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Writes y and the row's mean and r.</summary>
    internal static void Forward(ReadOnlySpan<T> x, ReadOnlySpan<T> weight, ReadOnlySpan<T> bias, Span<T> y, Span<T> moments, double epsilon)
    {
        var count = T.CreateTruncating(x.Length);
        var mean = TensorPrimitives.Sum(x) / count;
        TensorPrimitives.Subtract(x, mean, y);
        var variance = TensorPrimitives.SumOfSquares<T>(y) / count;
        var scale = T.One / T.Sqrt(variance + T.CreateTruncating(epsilon));
        TensorPrimitives.Multiply(y, scale, y);
        if (!weight.IsEmpty)
        {
            TensorPrimitives.Multiply(y, weight, y);
        }

        if (!bias.IsEmpty)
        {
            TensorPrimitives.Add(y, bias, y);
        }

        (moments[0], moments[1]) = (mean, scale);
    }

    /// <summary>dx (+)= r·(d − mean(d) − x̂·mean(d⊙x̂)) with d = dy⊙w.</summary>
    internal static void BackwardInput(
        ReadOnlySpan<T> x, ReadOnlySpan<T> moments, ReadOnlySpan<T> weight, ReadOnlySpan<T> dy, Span<T> dx, Span<T> d, bool fresh)
    {
        var (mean, scale) = (moments[0], moments[1]);
        var count = T.CreateTruncating(x.Length);
        if (weight.IsEmpty)
        {
            dy.CopyTo(d);
        }
        else
        {
            TensorPrimitives.Multiply(dy, weight, d);
        }

        var sum = TensorPrimitives.Sum<T>(d);
        var meanOfD = sum / count;

        // Σ d⊙x̂ = r·(Σ d⊙x − mean·Σ d) loses digits where the mean is large; the row is small enough to go over once more.
        var product = T.Zero;
        for (var i = 0; i < x.Length; i++)
        {
            product += d[i] * (x[i] - mean);
        }

        var slope = product * scale * scale / count;
        for (var i = 0; i < x.Length; i++)
        {
            var value = scale * (d[i] - meanOfD - ((x[i] - mean) * slope));
            dx[i] = fresh ? value : dx[i] + value;
        }
    }

    /// <summary>dw += dy⊙x̂.</summary>
    internal static void BackwardWeight(ReadOnlySpan<T> x, ReadOnlySpan<T> moments, ReadOnlySpan<T> dy, Span<T> dw)
    {
        var (mean, scale) = (moments[0], moments[1]);
        for (var i = 0; i < x.Length; i++)
        {
            dw[i] += dy[i] * ((x[i] - mean) * scale);
        }
    }
}
