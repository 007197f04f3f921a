using MathNet.Numerics.LinearAlgebra.Factorization;
using Rnn.Tensors;
using DoubleMatrix = MathNet.Numerics.LinearAlgebra.Matrix<double>;

namespace Rnn.Layers;

internal sealed class ConstantInitializer(double value) : Initializer
{
    public override void Fill<T>(Span<T> values, int rows, int columns, RandomSource random) => values.Fill(T.CreateTruncating(value));
}

internal sealed class UniformInitializer(double low, double high) : Initializer
{
    public override void Fill<T>(Span<T> values, int rows, int columns, RandomSource random) => random.FillUniform(values, low, high);
}

internal sealed class NormalInitializer(double mean, double deviation) : Initializer
{
    public override void Fill<T>(Span<T> values, int rows, int columns, RandomSource random) => random.FillNormal(values, mean, deviation);
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
    public override void Fill<T>(Span<T> values, int rows, int columns, RandomSource random)
    {
        if (values.IsEmpty)
        {
            return;
        }

        // Q of a tall normal matrix; times the signs of R's diagonal it is evenly distributed over all orthonormal matrices.
        var (tall, narrow) = (Math.Max(rows, columns), Math.Min(rows, columns));
        var normal = new double[tall * narrow];
        random.FillNormal<double>(normal);
        var factors = DoubleMatrix.Build.Dense(tall, narrow, normal).QR(QRMethod.Thin);
        var (q, r) = (factors.Q, factors.R);
        for (var i = 0; i < narrow; i++)
        {
            var factor = r[i, i] < 0 ? -gain : gain;
            for (var j = 0; j < tall; j++)
            {
                values[rows >= columns ? (j * columns) + i : (i * columns) + j] = T.CreateTruncating(q[j, i] * factor);
            }
        }
    }
}
