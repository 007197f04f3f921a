using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Rnn.Kernels;

namespace Rnn.Benchmarks;

/// <summary>
/// What one core of this machine can do at the vector width in use, measured now: fused multiply-adds in registers, and vectors
/// read from the second and third cache. Every figure of the benchmarks is held against it.
/// </summary>
/// <param name="SingleFlops">Floating-point operations a second in float; a multiply-add is two.</param>
/// <param name="DoubleFlops">The same in double.</param>
/// <param name="L2Bytes">Bytes a second read from 512 KB.</param>
/// <param name="L3Bytes">Bytes a second read from 8 MB.</param>
internal sealed record Roofline(double SingleFlops, double DoubleFlops, double L2Bytes, double L3Bytes)
{
    /// <summary>Measures; takes about a third of a second.</summary>
    public static Roofline Measure() => new(
        MeasureFlops<float>(), MeasureFlops<double>(), MeasureBytes(512 << 10), MeasureBytes(8 << 20));

    /// <summary>The FMA peak for one element type, in operations a second.</summary>
    public static double MeasureFlops<T>()
        where T : unmanaged, IFloatingPointIeee754<T> => Simd.Create<T, FlopsFactory<T>, Func<double>>(default)();

    /// <summary>Bytes a second that one thread reads from a buffer of this size, again and again.</summary>
    public static double MeasureBytes(int bytes) => Simd.Create<float, BytesFactory, Func<int, double>>(default)(bytes);

    /// <inheritdoc/>
    public override string ToString() =>
        $"{(Simd.VectorBits == 0 ? "scalar" : $"{Simd.VectorBits}-bit")}: FMA peak {SingleFlops / 1e9:F0} GFLOP/s float, {DoubleFlops / 1e9:F0} double; read {L2Bytes / 1e9:F0} GB/s L2, {L3Bytes / 1e9:F0} GB/s L3 (one thread)";

    /// <summary>The shortest time of one call, in seconds, out of rounds of about <paramref name="millisecondsARound"/>.</summary>
    internal static double Shortest(Action action, int rounds = 12, double millisecondsARound = 4)
    {
        action();
        var watch = Stopwatch.StartNew();
        var calls = 0;
        do
        {
            action();
            calls++;
        }
        while (watch.Elapsed.TotalMilliseconds < millisecondsARound);
        var best = double.MaxValue;
        for (var round = 0; round < rounds; round++)
        {
            watch.Restart();
            for (var i = 0; i < calls; i++)
            {
                action();
            }

            best = Math.Min(best, watch.Elapsed.TotalSeconds / calls);
        }

        return best;
    }

    private readonly struct FlopsFactory<T> : IVectorFactory<T, Func<double>>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public Func<double> Create<V>()
            where V : struct, IVector<V, T> => () =>
            {
                const int Steps = 200_000;
                return 2.0 * V.Count * 12 * Steps / Shortest(() => MultiplyAdds<V, T>(Steps));
            };
    }

    private readonly unsafe struct BytesFactory : IVectorFactory<float, Func<int, double>>
    {
        public Func<int, double> Create<V>()
            where V : struct, IVector<V, float> => bytes =>
            {
                var memory = (float*)NativeMemory.AlignedAlloc((nuint)bytes, 64);
                NativeMemory.Clear(memory, (nuint)bytes);
                var seconds = Shortest(() => Read<V>(memory, bytes / sizeof(float)));
                NativeMemory.AlignedFree(memory);
                return bytes / seconds;
            };
    }

    /// <summary>Twelve chains: enough for two units of four or five cycles, few enough for sixteen registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static T MultiplyAdds<V, T>(int steps)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        V c0 = V.One, c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0, c8 = c0, c9 = c0, c10 = c0, c11 = c0;
        var x = V.Constant(0.999);
        var y = V.Constant(0.001);
        do
        {
            c0 = V.MultiplyAdd(c0, x, y);
            c1 = V.MultiplyAdd(c1, x, y);
            c2 = V.MultiplyAdd(c2, x, y);
            c3 = V.MultiplyAdd(c3, x, y);
            c4 = V.MultiplyAdd(c4, x, y);
            c5 = V.MultiplyAdd(c5, x, y);
            c6 = V.MultiplyAdd(c6, x, y);
            c7 = V.MultiplyAdd(c7, x, y);
            c8 = V.MultiplyAdd(c8, x, y);
            c9 = V.MultiplyAdd(c9, x, y);
            c10 = V.MultiplyAdd(c10, x, y);
            c11 = V.MultiplyAdd(c11, x, y);
        }
        while (--steps != 0);
        return V.Sum(c0 + c1 + c2 + c3 + (c4 + c5 + c6 + c7) + (c8 + c9 + c10 + c11));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static unsafe float Read<V>(float* memory, int length)
        where V : struct, IVector<V, float>
    {
        V s0 = V.Zero, s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
        var end = memory + length;
        do
        {
            s0 += V.Load(memory);
            s1 += V.Load(memory + V.Count);
            s2 += V.Load(memory + (2 * V.Count));
            s3 += V.Load(memory + (3 * V.Count));
            s4 += V.Load(memory + (4 * V.Count));
            s5 += V.Load(memory + (5 * V.Count));
            s6 += V.Load(memory + (6 * V.Count));
            s7 += V.Load(memory + (7 * V.Count));
            memory += 8 * V.Count;
        }
        while (memory < end);
        return V.Sum(s0 + s1 + s2 + s3 + (s4 + s5 + s6 + s7));
    }
}
