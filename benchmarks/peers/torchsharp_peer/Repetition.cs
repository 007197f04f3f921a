using System.Diagnostics;
using System.Runtime;

/// <summary>
/// As every program here times a call (Rnn.Measure/Repetition.cs): half a second and two calls of warm-up, then blocks of calls that take some 50 µs each (one
/// call, where it takes longer) for 0.3 seconds and five blocks at least; the median block divided by its calls. Under .NET the warm-up lasts until the runtime has
/// compiled nothing for 0.3 seconds, on a single core 2.5.
/// </summary>
internal static class Repetition
{
    private static readonly double QuietSeconds = Environment.ProcessorCount == 1 ? 2.5 : 0.3;

    public static double MedianMs(Action action)
    {
        var (calls, fastest) = (1, double.MaxValue);
        Repeat(action, calls);
        var start = Stopwatch.GetTimestamp();
        var (compiled, lastCompiled) = (0L, start);
        do
        {
            if (JitInfo.GetCompiledMethodCount() is var count && count != compiled) (compiled, lastCompiled) = (count, Stopwatch.GetTimestamp());
            var once = Stopwatch.GetTimestamp();
            Repeat(action, calls);
            fastest = Math.Min(fastest, Seconds(once) / calls);
            calls = Math.Max(1, (int)Math.Min(1e6, 50e-6 / fastest));
        }
        while (Seconds(start) < 0.5 || (Seconds(lastCompiled) < QuietSeconds && Seconds(start) < 10));

        var times = new List<double>();
        start = Stopwatch.GetTimestamp();
        do
        {
            var begin = Stopwatch.GetTimestamp();
            Repeat(action, calls);
            times.Add(Seconds(begin) / calls);
        }
        while (times.Count < 5 || Seconds(start) < 0.3);
        times.Sort();
        return 1e3 * times[times.Count / 2];
    }

    private static void Repeat(Action action, int calls)
    {
        for (var i = 0; i < calls; i++) action();
    }

    private static double Seconds(long start) => (Stopwatch.GetTimestamp() - start) / (double)Stopwatch.Frequency;
}
