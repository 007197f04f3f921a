using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
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
internal sealed unsafe record Roofline(double SingleFlops, double DoubleFlops, double L2Bytes, double L3Bytes)
{
    /// <summary>Measures; takes about a quarter of a second.</summary>
    public static Roofline Measure() => new(
        MeasureFlops<float>(), MeasureFlops<double>(), MeasureBytes(512 << 10), MeasureBytes(8 << 20));

    /// <summary>The FMA peak for one element type, in operations a second.</summary>
    public static double MeasureFlops<T>()
        where T : unmanaged, IFloatingPointIeee754<T> => (Simd.VectorBits, typeof(T) == typeof(float)) switch
        {
            (512, true) => Flops<Registers512, Vec512<float>, Vector512<float>, float>(),
            (512, _) => Flops<Registers512, Vec512<double>, Vector512<double>, double>(),
            (256, true) => Flops<Registers256, Vec256<float>, Vector256<float>, float>(),
            (256, _) => Flops<Registers256, Vec256<double>, Vector256<double>, double>(),
            (128, true) => Flops<Registers128, Vec128<float>, Vector128<float>, float>(),
            (128, _) => Flops<Registers128, Vec128<double>, Vector128<double>, double>(),
            _ => Flops<Vec1<T>, Vec1<T>, T, T>(),
        };

    /// <summary>Bytes a second that one thread reads from a buffer of this size, again and again.</summary>
    public static double MeasureBytes(int bytes) => Simd.VectorBits switch
    {
        512 => Bytes<Registers512, Vec512<float>, Vector512<float>>(bytes),
        256 => Bytes<Registers256, Vec256<float>, Vector256<float>>(bytes),
        128 => Bytes<Registers128, Vec128<float>, Vector128<float>>(bytes),
        _ => Bytes<Vec1<float>, Vec1<float>, float>(bytes),
    };

    /// <inheritdoc/>
    public override string ToString() =>
        $"{(Simd.VectorBits == 0 ? "scalar" : $"{Simd.VectorBits}-bit")}: FMA peak {SingleFlops / 1e9:F0} GFLOP/s float, {DoubleFlops / 1e9:F0} double; read {L2Bytes / 1e9:F0} GB/s L2, {L3Bytes / 1e9:F0} GB/s L3 (one thread)";

    /// <summary>
    /// The shortest time of one call on one thread, in seconds, out of rounds of about <paramref name="millisecondsARound"/>. Processor time, not
    /// the clock's: what other programs take of a shared machine is left out.
    /// </summary>
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
            var start = Environment.CpuUsage.TotalTime;
            for (var i = 0; i < calls; i++)
            {
                action();
            }

            best = Math.Min(best, (Environment.CpuUsage.TotalTime - start).TotalSeconds / calls);
        }

        return best;
    }

    private static double Flops<S, A, V, T>()
        where S : struct, ITileRegisters<V, T>
        where A : struct, IRegisters<V, T>
        where V : struct
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        const int Steps = 100_000;
        T x = T.CreateChecked(0.999), y = T.CreateChecked(0.001);
        return 2.0 * S.Count * 12 * Steps / Shortest(() => MultiplyAdds<S, A, V, T>(Steps, x, y), rounds: 8, millisecondsARound: 2);
    }

    private static double Bytes<S, A, V>(int bytes)
        where S : struct, ITileRegisters<V, float>
        where A : struct, IRegisters<V, float>
        where V : struct
    {
        var memory = (float*)NativeMemory.AlignedAlloc((nuint)bytes, 64);
        NativeMemory.Clear(memory, (nuint)bytes);
        var seconds = Shortest(() => Read<S, A, V>(memory, bytes / sizeof(float)));
        NativeMemory.AlignedFree(memory);
        return bytes / seconds;
    }

    /// <summary>Twelve chains: enough for two units of four or five cycles, few enough for sixteen registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void MultiplyAdds<S, A, V, T>(int steps, T factor, T summand)
        where S : struct, ITileRegisters<V, T>
        where A : struct, IRegisters<V, T>
        where V : struct
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        V x = S.Broadcast(&factor), y = S.Broadcast(&summand);
        V c0 = x, c1 = x, c2 = x, c3 = x, c4 = x, c5 = x, c6 = x, c7 = x, c8 = x, c9 = x, c10 = x, c11 = x;
        do
        {
            c0 = S.MultiplyAdd(x, y, c0);
            c1 = S.MultiplyAdd(x, y, c1);
            c2 = S.MultiplyAdd(x, y, c2);
            c3 = S.MultiplyAdd(x, y, c3);
            c4 = S.MultiplyAdd(x, y, c4);
            c5 = S.MultiplyAdd(x, y, c5);
            c6 = S.MultiplyAdd(x, y, c6);
            c7 = S.MultiplyAdd(x, y, c7);
            c8 = S.MultiplyAdd(x, y, c8);
            c9 = S.MultiplyAdd(x, y, c9);
            c10 = S.MultiplyAdd(x, y, c10);
            c11 = S.MultiplyAdd(x, y, c11);
        }
        while (--steps != 0);
        c0 = A.Add(A.Add(A.Add(c0, c1), A.Add(c2, c3)), A.Add(A.Add(c4, c5), A.Add(c6, c7)));
        Keep<S, A, V, T>(A.Add(c0, A.Add(A.Add(c8, c9), A.Add(c10, c11))));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Read<S, A, V>(float* memory, int length)
        where S : struct, ITileRegisters<V, float>
        where A : struct, IRegisters<V, float>
        where V : struct
    {
        V s0 = default, s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
        var end = memory + length;
        do
        {
            s0 = A.Add(s0, S.Load(memory));
            s1 = A.Add(s1, S.Load(memory + S.Count));
            s2 = A.Add(s2, S.Load(memory + (2 * S.Count)));
            s3 = A.Add(s3, S.Load(memory + (3 * S.Count)));
            s4 = A.Add(s4, S.Load(memory + (4 * S.Count)));
            s5 = A.Add(s5, S.Load(memory + (5 * S.Count)));
            s6 = A.Add(s6, S.Load(memory + (6 * S.Count)));
            s7 = A.Add(s7, S.Load(memory + (7 * S.Count)));
            memory += 8 * S.Count;
        }
        while (memory < end);
        Keep<S, A, V, float>(A.Add(A.Add(A.Add(s0, s1), A.Add(s2, s3)), A.Add(A.Add(s4, s5), A.Add(s6, s7))));
    }

    /// <summary>Uses a result, so that the compiler cannot remove its computation.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Keep<S, A, V, T>(V value)
        where S : struct, ITileRegisters<V, T>
        where A : struct, IRegisters<V, T>
        where V : struct
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var memory = stackalloc T[16];
        S.Store(value, memory);
    }
}
