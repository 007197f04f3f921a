using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Training;

/// <summary>Kernels over the gradient of one parameter, with the vectors of the width in use.</summary>
internal static unsafe class GradientKernels
{
    /// <summary>Elements whose squares are summed in the element type; the sums of such pieces are added in double.</summary>
    private const int Piece = 4096;

    /// <summary>Elements that one thread sums at a time; the sums of the chunks are added in order.</summary>
    private const int Chunk = 32 * Piece;

    private const int ElementsToShare = 8 * Chunk;

    // Squares below the smallest normal number lose digits: sums of fewer than so much an element are taken again.
    private static double LeastMeanSquare<T>() => typeof(T) == typeof(float) ? 1e-36 : 1e-300;

    /// <summary>The length of a gradient, from sums in fixed pieces; not finite only when an element is.</summary>
    internal static GradientNorm Norm<T>(ReadOnlySpan<T> values)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        fixed (T* pointer = values)
        {
            var sum = values.Length < ElementsToShare ? SumOfChunks(pointer, values.Length) : new SquaresWork<T>(pointer, values.Length).Run();
            if (double.IsFinite(sum) && sum >= LeastMeanSquare<T>() * values.Length)
            {
                return new(1, sum);
            }
        }

        return ScaledNorm(values);
    }

    /// <summary>Multiplies every element.</summary>
    /// <remarks>A factor that is denormal in the element type would lose its digits; then its root is taken twice.</remarks>
    internal static void Scale<T>(Span<T> values, double factor)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (IsExact<T>(factor))
        {
            SpanKernels<T>.Scale(values, T.CreateTruncating(factor), values);
            return;
        }

        var root = T.CreateTruncating(Math.Sqrt(factor));
        SpanKernels<T>.Scale(values, root, values);
        SpanKernels<T>.Scale(values, root, values);
    }

    /// <summary>Whether a factor is a normal number of the element type.</summary>
    internal static bool IsExact<T>(double factor)
        where T : unmanaged, IFloatingPointIeee754<T> => T.IsNormal(T.CreateTruncating(factor));

    // An element is not finite, or squares left the range of the element type: divided by a power of two near the largest they do not.
    private static GradientNorm ScaledNorm<T>(ReadOnlySpan<T> values)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var largest = double.CreateTruncating(SpanKernels<T>.LargestMagnitude(values));
        if (largest == 0 || !double.IsFinite(largest))
        {
            return new(1, largest);
        }

        var exponent = Math.Clamp(Math.ILogB(largest), -1000, 1000);
        var sum = 0.0;
        foreach (var value in values)
        {
            var scaled = Math.ScaleB(double.CreateTruncating(value), -exponent);
            sum += scaled * scaled;
        }

        return new(Math.ScaleB(1, exponent), sum);
    }

    private static double SumOfChunks<T>(T* values, int count)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var sum = 0.0;
        for (var start = 0; start < count; start += Chunk)
        {
            sum += Simd.Run<T, SumOfSquares<T>, double>(new(values + start, Math.Min(Chunk, count - start)));
        }

        return sum;
    }

    private sealed class SquaresWork<T>(T* values, int count) : WorkItem
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly double[] _sums = new double[((count - 1) / Chunk) + 1];
        private readonly int _parts = Math.Min(Workers.MaxThreads, ((count - 1) / Chunk) + 1);

        internal double Run()
        {
            Workers.Run(this, _parts);
            var sum = 0.0;
            foreach (var chunk in _sums)
            {
                sum += chunk;
            }

            return sum;
        }

        internal override void Execute(int part)
        {
            for (var i = _sums.Length * part / _parts; i < _sums.Length * (part + 1) / _parts; i++)
            {
                _sums[i] = SumOfChunks(values + ((nint)i * Chunk), Math.Min(Chunk, count - (i * Chunk)));
            }
        }
    }

    internal readonly struct SumOfSquares<T>(T* values, nint count) : IVectorFunction<T, double>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly T* _values = values;
        private readonly nint _count = count;

        public double Invoke<TVector>()
            where TVector : struct, IVector<TVector, T>
        {
            var sum = 0.0;
            for (nint start = 0; start < _count; start += Piece)
            {
                sum += SumPiece<TVector>(_values + start, (int)Math.Min(Piece, _count - start));
            }

            return sum;
        }

        // Four sums side by side hide the latency of the multiply-add.
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        private static double SumPiece<TVector>(T* values, int count)
            where TVector : struct, IVector<TVector, T>
        {
            var (sum0, sum1, sum2, sum3) = (TVector.Zero, TVector.Zero, TVector.Zero, TVector.Zero);
            var i = 0;
            for (; i + (4 * TVector.Count) <= count; i += 4 * TVector.Count)
            {
                var (value0, value1) = (TVector.Load(values + i), TVector.Load(values + i + TVector.Count));
                var (value2, value3) = (TVector.Load(values + i + (2 * TVector.Count)), TVector.Load(values + i + (3 * TVector.Count)));
                sum0 = TVector.MultiplyAdd(value0, value0, sum0);
                sum1 = TVector.MultiplyAdd(value1, value1, sum1);
                sum2 = TVector.MultiplyAdd(value2, value2, sum2);
                sum3 = TVector.MultiplyAdd(value3, value3, sum3);
            }

            for (; i + TVector.Count <= count; i += TVector.Count)
            {
                var value = TVector.Load(values + i);
                sum0 = TVector.MultiplyAdd(value, value, sum0);
            }

            var sum = double.CreateTruncating(TVector.Sum((sum0 + sum1) + (sum2 + sum3)));
            for (; i < count; i++)
            {
                var value = double.CreateTruncating(values[i]);
                sum += value * value;
            }

            return sum;
        }
    }
}
