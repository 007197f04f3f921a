namespace Rnn.Kernels;

/// <summary>
/// Counts the times that memory was trimmed. Scratch memory of a thread can be taken away by that thread only, between two kernels: whoever asks
/// for scratch memory compares the count with that of its last request, and lets go of an array far larger than what it needs.
/// </summary>
internal static class TrimEpoch
{
    // An array up to so many times as long as what is asked for stays.
    private const int Spare = 4;

    private static int _current;

    /// <summary>The count.</summary>
    internal static int Current => Volatile.Read(ref _current);

    /// <summary>Counts one more.</summary>
    internal static void Advance() => Interlocked.Increment(ref _current);

    /// <summary>Whether an array of <paramref name="length"/> is to be let go where <paramref name="needed"/> would do; notes the epoch.</summary>
    internal static bool LetsGo(ref int seen, nint length, nint needed)
    {
        var current = Current;
        if (seen == current)
        {
            return false;
        }

        seen = current;
        return length / Spare > needed;
    }
}
