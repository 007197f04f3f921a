using System.Runtime.CompilerServices;
using System.Text;
using Native = MPI.Unsafe;

namespace Rnn.Mpi;

/// <summary>
/// Messages between two processes, by calls that do not wait. One lock is around all of them, so that the training and the pulse may be threads of their own where the library serves one thread at a time.
/// </summary>
internal sealed unsafe class MpiTransport
{
    private readonly Lock _gate = new();
    private readonly int _communicator;

    /// <summary>A channel of its own over all processes. Called by all of them.</summary>
    internal MpiTransport()
    {
        Check(Native.MPI_Comm_dup(Native.MPI_COMM_WORLD, out _communicator));
        Check(Native.MPI_Errhandler_set(_communicator, Native.MPI_ERRORS_RETURN));
        Check(Native.MPI_Comm_rank(_communicator, out var rank));
        Check(Native.MPI_Comm_size(_communicator, out var size));
        (Rank, Size) = (rank, size);
    }

    internal int Rank { get; }

    internal int Size { get; }

    /// <summary>The request of something that has ended.</summary>
    internal static int Ended => Native.MPI_REQUEST_NULL;

    /// <summary>Begins to send; the bytes must stay where they are until the request has ended.</summary>
    internal int Send(byte* bytes, int count, int rank, int tag)
    {
        lock (_gate)
        {
            Check(Native.MPI_Isend((nint)bytes, count, Native.MPI_BYTE, rank, tag, _communicator, out var request));
            return request;
        }
    }

    /// <summary>Begins to receive.</summary>
    internal int Receive(byte* bytes, int count, int rank, int tag)
    {
        lock (_gate)
        {
            Check(Native.MPI_Irecv((nint)bytes, count, Native.MPI_BYTE, rank, tag, _communicator, out var request));
            return request;
        }
    }

    /// <summary>Takes a message of one byte, if one has come.</summary>
    internal bool TryTake(int rank, int tag, out byte value)
    {
        byte taken = 0;
        lock (_gate)
        {
            Check(Native.MPI_Iprobe(rank, tag, _communicator, out var flag, out _));
            if (flag != 0)
            {
                Check(Native.MPI_Recv((nint)(&taken), 1, Native.MPI_BYTE, rank, tag, _communicator, out _));
            }

            value = taken;
            return flag != 0;
        }
    }

    /// <summary>Whether a request has ended; all others go on meanwhile too.</summary>
    internal bool HasEnded(ref int request)
    {
        if (request == Ended)
        {
            return true;
        }

        lock (_gate)
        {
            Check(Native.MPI_Test(ref request, out var flag, out _));
            return flag != 0;
        }
    }

    /// <summary>Ends all processes; does not return where the library does as it should.</summary>
    internal static void Abort(int code) => _ = Native.MPI_Abort(Native.MPI_COMM_WORLD, code);

    internal static void Check(int code)
    {
        if (code != 0)
        {
            throw new MpiFailureException(Text(code));
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static string Text(int code)
    {
        var (text, length) = (new byte[1024], 1024);
        return Native.MPI_Error_string(code, text, ref length) == 0 ? Encoding.UTF8.GetString(text, 0, Math.Clamp(length, 0, text.Length)) : $"error {code}";
    }
}

/// <summary>A call of the library has failed.</summary>
internal sealed class MpiFailureException(string message) : Exception(message);
