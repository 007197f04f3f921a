using System.Diagnostics;

namespace Rnn.Training;

/// <summary>Counts per second over the last second or so of the time between start and stop.</summary>
internal sealed class SpeedMeter
{
    private const double Window = 1;

    private long _started;
    private double _seconds;
    private double _count;

    /// <summary>The speed; 0 before the first stop.</summary>
    internal double PerSecond => _seconds > 0 ? _count / _seconds : 0;

    internal void Start() => _started = Stopwatch.GetTimestamp();

    internal void Stop(long count)
    {
        var seconds = Stopwatch.GetElapsedTime(_started).TotalSeconds;

        // What lies further back than the window fades.
        var keep = Math.Exp(-seconds / Window);
        _seconds = (_seconds * keep) + seconds;
        _count = (_count * keep) + count;
    }
}
