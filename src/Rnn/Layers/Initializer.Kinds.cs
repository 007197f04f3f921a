using System.Runtime.CompilerServices;
using Rnn.Tensors;

namespace Rnn.Layers;

internal sealed class ConstantInitializer(double value) : Initializer
{
    public override void Fill<T>(Span<T> values, int rows, int columns, RandomSource random) => values.Fill(T.CreateTruncating(value));
}

internal sealed class UniformInitializer(double low, double high) : Initializer
{
    public override void Fill<T>(Span<T> values, int rows, int columns, RandomSource random) => random.FillUniform(values, low, high);
}

internal sealed class NormalInitializer(double mean, double standardDeviation) : Initializer
{
    public override void Fill<T>(Span<T> values, int rows, int columns, RandomSource random) => random.FillNormal(values, mean, standardDeviation);
}

internal sealed class ScaledInitializer(Func<int, int, double> variance, bool uniform) : Initializer
{
    public override void Fill<T>(Span<T> values, int rows, int columns, RandomSource random)
    {
        if (values.IsEmpty)
        {
            return;
        }

        var square = variance(rows, columns);
        if (uniform)
        {
            var limit = Math.Sqrt(3 * square);
            random.FillUniform(values, -limit, limit);
        }
        else
        {
            random.FillNormal(values, 0, Math.Sqrt(square));
        }
    }
}

internal sealed class IdentityInitializer(double gain) : Initializer
{
    public override void Fill<T>(Span<T> values, int rows, int columns, RandomSource random)
    {
        values.Clear();
        for (var i = 0; i < Math.Min(rows, columns); i++)
        {
            values[(i * columns) + i] = T.CreateTruncating(gain);
        }
    }
}

internal sealed class OrthogonalInitializer(double gain) : Initializer
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public override void Fill<T>(Span<T> values, int rows, int columns, RandomSource random)
    {
        if (values.IsEmpty)
        {
            return;
        }

        // The orthonormal rows that come of normal ones, with a positive diagonal of R, are evenly distributed over all there are.
        var (count, size) = (Math.Min(rows, columns), Math.Max(rows, columns));
        var q = new double[count * size];
        random.FillNormal<double>(q);
        Orthonormalizer.Run(q, count, size);
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++)
            {
                values[(i * columns) + j] = Element.From<T>(gain * q[rows <= columns ? (i * size) + j : (j * size) + i]);
            }
        }
    }
}
