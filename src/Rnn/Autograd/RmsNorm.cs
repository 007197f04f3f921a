using System.Numerics;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>
    /// Divides every row along the last dimension by its root mean square, then scales it: y = γ⊙x / √(mean(x²) + ε) (Zhang and Sennrich 2019, "Root mean square layer normalization",
    /// arXiv:1910.07467).
    /// </summary>
    /// <param name="input">[…, H].</param>
    /// <param name="weight">The scale γ [H], or null for 1.</param>
    /// <param name="groups">How many groups of neighbouring elements of a row are normalised each by itself, such as the heads of a recurrent layer; it divides H.</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <exception cref="ArgumentException">The input is a scalar, the weight does not fit it, or the groups do not divide H.</exception>
    public static Tensor<T> RmsNorm<T>(this Tensor<T> input, Tensor<T>? weight = null, int groups = 1, double epsilon = 1e-6)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(groups);
        ArgumentOutOfRangeException.ThrowIfNegative(epsilon);
        if (input.Rank == 0)
        {
            throw new ArgumentException("input: expected one dimension or more but got a scalar.", nameof(input));
        }

        var size = input.Shape[-1];
        if (weight is not null && (weight.Rank != 1 || weight.Length != size))
        {
            throw new ArgumentException($"weight: expected [{size}], the last dimension of the input, but got {weight.Shape}.", nameof(weight));
        }

        if (size % groups != 0)
        {
            throw new ArgumentException($"groups: expected a number that divides the last dimension of the input, {size}, but got {groups}.", nameof(groups));
        }

        var output = Tensor<T>.Uninitialized(input.Shape);
        var group = size / groups;
        var x = input.AsReadOnlySpan();
        var y = output.AsSpan();
        var gain = weight is null ? default : weight.AsReadOnlySpan();
        for (var start = 0; start < x.Length; start += group)
        {
            var from = x.Slice(start, group);
            var to = y.Slice(start, group);
            RootMeanSquare<T>.Of(from, epsilon).Divide(from, to);
            if (weight is not null)
            {
                SpanKernels<T>.Multiply(to, gain.Slice(start % size, group), to);
            }
        }

        return Graph.Records<T>(input, weight, null) ? new RmsNormNode<T>(input, weight, group, epsilon).Attach(output) : output;
    }

    private sealed class RmsNormNode<T>(Tensor<T> input, Tensor<T>? weight, int group, double epsilon) : GraphNode<T>([input, weight])
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // With x̂ = x·r and g = dy⊙γ: dx = r(g − x̂·mean(g⊙x̂)), dγ = Σ dy⊙x̂.
        internal override void Backward()
        {
            var x = Inputs[0]!.AsReadOnlySpan();
            var size = Inputs[0]!.Shape[-1];
            var dy = OutputGradient();
            var gain = Inputs[1] is { } scale ? scale.AsReadOnlySpan() : default;

            // Sums beside the weight's gradient, since weight and input may be the same tensor.
            var sums = Needs(1) ? new T[size] : [];
            var overwrite = false;
            var dx = Needs(0) ? InputGradient(0, out overwrite) : default;
            var (hat, g) = (new T[group], new T[group]);
            for (var start = 0; start < x.Length; start += group)
            {
                var d = dy.Slice(start, group);
                var root = RootMeanSquare<T>.Of(x.Slice(start, group), epsilon);
                root.Divide(x.Slice(start, group), hat);
                if (Needs(1))
                {
                    SpanKernels<T>.AddProduct(d, hat, sums.AsSpan(start % size, group));
                }

                if (!Needs(0))
                {
                    continue;
                }

                if (Inputs[1] is not null)
                {
                    SpanKernels<T>.Multiply(d, gain.Slice(start % size, group), g);
                    d = g;
                }

                var product = SpanKernels<T>.Dot(d, hat) / T.CreateTruncating(group);
                d.CopyTo(g);
                SpanKernels<T>.AddScaled(hat, -product, g);
                root.Divide(g, g);
                SpanKernels<T>.AddOrCopy(g, dx.Slice(start, group), overwrite);
            }

            if (Needs(1))
            {
                SpanKernels<T>.Add(sums, InputGradient(1));
            }
        }
    }

    // 1/√(mean(x²) + ε) of a row as a product of two factors. The first is a power of two, other than 1 where squares leave the range of T.
    private readonly struct RootMeanSquare<T>(T scale, T factor)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        internal static RootMeanSquare<T> Of(ReadOnlySpan<T> x, double epsilon)
        {
            var count = T.CreateTruncating(x.Length);
            var meanSquare = (SpanKernels<T>.Dot(x, x) / count) + T.CreateTruncating(epsilon);
            if (!ExtremeRow<T>.IsLost(meanSquare))
            {
                return new(T.One, T.One / T.Sqrt(meanSquare));
            }

            var largest = SpanKernels<T>.LargestMagnitude(x);
            if (largest == T.Zero || !T.IsFinite(largest))
            {
                return new(T.One, T.One / T.Sqrt(meanSquare));
            }

            // The largest number becomes one to two, and so no square overflows.
            var exponent = Math.Clamp(T.ILogB(largest), typeof(T) == typeof(float) ? -120 : -1000, 1000);
            var scale = T.ScaleB(T.One, -exponent);
            var sum = T.Zero;
            foreach (var value in x)
            {
                sum += value * scale * (value * scale);
            }

            return new(scale, T.One / T.Sqrt((sum / count) + T.CreateTruncating(Math.ScaleB(epsilon, -2 * exponent))));
        }

        internal void Divide(ReadOnlySpan<T> x, Span<T> y)
        {
            if (scale == T.One)
            {
                SpanKernels<T>.Scale(x, factor, y);
                return;
            }

            SpanKernels<T>.Scale(x, scale, y);
            SpanKernels<T>.Scale(y, factor, y);
        }
    }
}
