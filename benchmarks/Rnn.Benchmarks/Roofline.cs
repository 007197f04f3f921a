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
        where T : unmanaged, IFloatingPointIeee754<T> => Simd.VectorBits switch
        {
            512 => Flops<Registers512<T>, Vector512<T>, T>(),
            256 => Flops<Registers256<T>, Vector256<T>, T>(),
            128 => Flops<Registers128<T>, Vector128<T>, T>(),
            _ => Flops<Registers1<T>, T, T>(),
        };

    /// <summary>Bytes a second that one thread reads from a buffer of this size, again and again.</summary>
    public static double MeasureBytes(int bytes) => Simd.VectorBits switch
    {
        512 => Bytes<Registers512<float>, Vector512<float>>(bytes),
        256 => Bytes<Registers256<float>, Vector256<float>>(bytes),
        128 => Bytes<Registers128<float>, Vector128<float>>(bytes),
        _ => Bytes<Registers1<float>, float>(bytes),
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

    private static double Flops<S, V, T>()
        where S : struct, IRegisters<V, T>
        where V : struct
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        const int Steps = 100_000;
        T x = T.CreateChecked(0.999), y = T.CreateChecked(0.001);
        return 2.0 * S.Count * 12 * Steps / Shortest(() => MultiplyAdds<S, V, T>(Steps, x, y), rounds: 8, millisecondsARound: 2);
    }

    private static double Bytes<S, V>(int bytes)
        where S : struct, IRegisters<V, float>
        where V : struct
    {
        var memory = (float*)NativeMemory.AlignedAlloc((nuint)bytes, 64);
        NativeMemory.Clear(memory, (nuint)bytes);
        var seconds = Shortest(() => Read<S, V>(memory, bytes / sizeof(float)));
        NativeMemory.AlignedFree(memory);
        return bytes / seconds;
    }

    /// <summary>Twelve chains: enough for two units of four or five cycles, few enough for sixteen registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void MultiplyAdds<S, V, T>(int steps, T factor, T summand)
        where S : struct, IRegisters<V, T>
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
        c0 = S.Add(S.Add(S.Add(c0, c1), S.Add(c2, c3)), S.Add(S.Add(c4, c5), S.Add(c6, c7)));
        Keep<S, V, T>(S.Add(c0, S.Add(S.Add(c8, c9), S.Add(c10, c11))));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Read<S, V>(float* memory, int length)
        where S : struct, IRegisters<V, float>
        where V : struct
    {
        V s0 = default, s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
        var end = memory + length;
        do
        {
            s0 = S.Add(s0, S.Load(memory));
            s1 = S.Add(s1, S.Load(memory + S.Count));
            s2 = S.Add(s2, S.Load(memory + (2 * S.Count)));
            s3 = S.Add(s3, S.Load(memory + (3 * S.Count)));
            s4 = S.Add(s4, S.Load(memory + (4 * S.Count)));
            s5 = S.Add(s5, S.Load(memory + (5 * S.Count)));
            s6 = S.Add(s6, S.Load(memory + (6 * S.Count)));
            s7 = S.Add(s7, S.Load(memory + (7 * S.Count)));
            memory += 8 * S.Count;
        }
        while (memory < end);
        Keep<S, V, float>(S.Add(S.Add(S.Add(s0, s1), S.Add(s2, s3)), S.Add(S.Add(s4, s5), S.Add(s6, s7))));
    }

    /// <summary>Uses a result, so that the compiler cannot remove its computation.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Keep<S, V, T>(V value)
        where S : struct, IRegisters<V, T>
        where V : struct
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var memory = stackalloc T[16];
        S.Store(value, memory);
    }
}
