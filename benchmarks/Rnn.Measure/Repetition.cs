using System.Diagnostics;
using System.Runtime;

namespace Rnn.Measure;

/// <summary>
/// The way in which all programs here time a call, the peers' too: warm-up for half a second and two calls at least; then blocks of calls that take some 50 µs each
/// (one call, where it takes longer), for 0.3 seconds and five blocks at least. The result is the median block divided by its calls.
/// </summary>
/// <remarks>
/// Programs under .NET stay at the warm-up until the runtime, which compiles hot methods anew on a thread of its own, has compiled nothing for 0.3 seconds. In a process
/// that is pinned to one core the runtime waits for a second before it begins, hence 2.5 seconds there. Reading the clock takes 25 to 50 ns, too much for single
/// calls of 100 ns.
/// </remarks>
internal static class Repetition
{
    private const double WarmSeconds = 0.5;
    private const double LongestWarmSeconds = 10;
    private const double MeasuredSeconds = 0.3;
    private const double BlockSeconds = 50e-6;

    private static readonly double QuietSeconds = Environment.ProcessorCount == 1 ? 2.5 : 0.3;

    /// <summary>Milliseconds and allocated bytes of one call.</summary>
    /// <param name="repeat">Makes as many calls as it is told.</param>
    public static (double Ms, long Bytes) Measure(Action<int> repeat)
    {
        repeat(1);
        var (calls, fastest) = (1, double.MaxValue);
        var start = Stopwatch.GetTimestamp();
        var (compiled, lastCompiled) = (0L, start);
        do
        {
            if (JitInfo.GetCompiledMethodCount() is var count && count != compiled)
            {
                (compiled, lastCompiled) = (count, Stopwatch.GetTimestamp());
            }

            // The fastest so far: neither the slow first calls nor a moment without the processor may make blocks too short for the clock.
            var once = Stopwatch.GetTimestamp();
            repeat(calls);
            fastest = Math.Min(fastest, Seconds(once) / calls);
            calls = Math.Max(1, (int)Math.Min(1e6, BlockSeconds / fastest));
        }
        while (Seconds(start) < WarmSeconds || (Seconds(lastCompiled) < QuietSeconds && Seconds(start) < LongestWarmSeconds));

        var times = new List<double>(1 << 14);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        start = Stopwatch.GetTimestamp();
        do
        {
            var begin = Stopwatch.GetTimestamp();
            repeat(calls);
            times.Add(Seconds(begin) / calls);
        }
        while (times.Count < 5 || Seconds(start) < MeasuredSeconds);

        var bytes = (GC.GetTotalAllocatedBytes(precise: true) - before) / ((long)times.Count * calls);
        times.Sort();
        return (1e3 * times[times.Count / 2], bytes);
    }

    // Not TimeSpan, which counts in 100 ns.
    private static double Seconds(long start) => (Stopwatch.GetTimestamp() - start) / (double)Stopwatch.Frequency;
}
