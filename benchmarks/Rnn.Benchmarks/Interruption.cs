using System.Runtime.InteropServices;

namespace Rnn.Benchmarks;

/// <summary>Ctrl+C and the signal to terminate end a long run early: what has been measured is reported. A second one ends the program at once.</summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;

    public Interruption() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop),
    ];

    /// <summary>Set as soon as the user wants no more.</summary>
    public CancellationToken Token => _source.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        Array.ForEach(_registrations, registration => registration.Dispose());
        _source.Dispose();
    }

    private void Stop(PosixSignalContext context)
    {
        context.Cancel = !_source.IsCancellationRequested;
        Console.Error.WriteLine("stopping; what has been measured is reported");
        _source.Cancel();
    }
}

/// <summary>Where a long run stands, on the error output.</summary>
internal sealed class Progress(int total)
{
    private readonly long _start = System.Diagnostics.Stopwatch.GetTimestamp();
    private int _done;

    /// <summary>Says what has been done, and how long the rest will take.</summary>
    public void Report(string what)
    {
        _done++;
        var elapsed = System.Diagnostics.Stopwatch.GetElapsedTime(_start);
        var left = elapsed * ((double)total / _done) - elapsed;
        Console.Error.WriteLine($"[{_done}/{total}, about {(int)left.TotalMinutes}:{left.Seconds:00} left] {what}");
    }
}
