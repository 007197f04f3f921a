using MathNet.Numerics;
using MathNet.Numerics.LinearAlgebra;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>The largest singular value and the largest eigenvalue of matrices.</summary>
internal static class SpectralValues
{
    /// <summary>
    /// The largest singular value of a matrix M, to about 1e-14 of itself: by the Lanczos method on MᵀM, each new direction made orthogonal to all before (Golub and Kahan 1965), which needs some
    /// ten to fifty products with M and its transpose.
    /// </summary>
    /// <param name="matrix">[rows, columns], row-major.</param>
    /// <param name="rows">The number of rows.</param>
    /// <param name="columns">The number of columns.</param>
    /// <returns>The value; NaN where an element is not finite.</returns>
    internal static double Norm(ReadOnlySpan<double> matrix, int rows, int columns)
    {
        var scale = Largest(matrix);
        if (scale == 0 || !double.IsFinite(scale))
        {
            return scale == 0 ? 0 : double.NaN;
        }

        var basis = new List<double[]>();
        List<double> diagonal = [], off = [];
        var (direction, image) = (new double[columns], new double[columns]);
        new RandomSource(1).FillNormal<double>(direction);
        SpanKernels<double>.Scale(direction, 1 / Length(direction), direction);
        double best = 0;
        for (var unchanged = 0; unchanged < 3 && basis.Count < columns;)
        {
            basis.Add(direction);
            Array.Clear(image);
            for (var row = 0; row < rows; row++)
            {
                var values = matrix.Slice(row * columns, columns);
                SpanKernels<double>.AddScaled(values, SpanKernels<double>.Dot(values, direction) / scale / scale, image);
            }

            diagonal.Add(SpanKernels<double>.Dot(image, direction));

            // Twice: once leaves rounding errors of the size of what was taken away.
            for (var pass = 0; pass < 2; pass++)
            {
                foreach (var before in basis)
                {
                    SpanKernels<double>.AddScaled(before, -SpanKernels<double>.Dot(image, before), image);
                }
            }

            var value = LargestEigenvalue(diagonal, off);
            unchanged = Math.Abs(value - best) <= 1e-15 * value ? unchanged + 1 : 0;
            best = value;
            var rest = Length(image);
            if (rest <= 1e-14 * value)
            {
                // What the matrix makes of the directions so far stays among them.
                break;
            }

            off.Add(rest);
            direction = new double[columns];
            SpanKernels<double>.Scale(image, 1 / rest, direction);
        }

        return scale * Math.Sqrt(best);
    }

    /// <summary>The largest absolute eigenvalue of a square matrix; NaN where an element is not finite, or where the algorithm does not converge.</summary>
    /// <param name="matrix">[size, size], row-major.</param>
    /// <param name="size">The number of rows and columns.</param>
    internal static double Radius(double[] matrix, int size)
    {
        var scale = Largest(matrix);
        if (scale == 0 || !double.IsFinite(scale))
        {
            return scale == 0 ? 0 : double.NaN;
        }

        try
        {
            var largest = 0.0;
            foreach (var eigenvalue in Matrix<double>.Build.DenseOfRowMajor(size, size, matrix).Divide(scale).Evd(Symmetricity.Asymmetric).EigenValues)
            {
                largest = Math.Max(largest, eigenvalue.Magnitude);
            }

            return scale * largest;
        }
        catch (NonConvergenceException)
        {
            return double.NaN;
        }
    }

    // The largest magnitude; NaN is larger than any number.
    private static double Largest(ReadOnlySpan<double> matrix)
    {
        var scale = 0.0;
        foreach (var value in matrix)
        {
            scale = Math.Max(scale, Math.Abs(value));
        }

        return scale;
    }

    private static double Length(ReadOnlySpan<double> vector) => Math.Sqrt(SpanKernels<double>.Dot(vector, vector));

    // The largest eigenvalue of a symmetric tridiagonal matrix without negative ones, by halving an interval: the matrix minus x has as many negative pivots as eigenvalues below x.
    private static double LargestEigenvalue(List<double> diagonal, List<double> off)
    {
        double low = 0, high = 0;
        for (var i = 0; i < diagonal.Count; i++)
        {
            high = Math.Max(high, diagonal[i] + (i > 0 ? off[i - 1] : 0) + (i < diagonal.Count - 1 ? off[i] : 0));
            low = Math.Max(low, diagonal[i]);
        }

        while (high - low > 4e-16 * high)
        {
            var middle = low + ((high - low) / 2);
            var below = 0;
            var pivot = 1.0;
            for (var i = 0; i < diagonal.Count; i++)
            {
                pivot = diagonal[i] - middle - (i > 0 ? off[i - 1] * off[i - 1] / pivot : 0);
                pivot = pivot == 0 ? -double.Epsilon : pivot;
                below += pivot < 0 ? 1 : 0;
            }

            (low, high) = below == diagonal.Count ? (low, middle) : (middle, high);
        }

        return high;
    }
}
