using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Rnn.Kernels;

/// <summary>Asks for a cache line before it is needed; does nothing where the processor has no such instruction. Any address is allowed.</summary>
internal static unsafe class Prefetch
{
    /// <summary>The bytes that one call brings.</summary>
    public const int Line = 64;

    /// <summary>Into the first-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ToFirst(void* address)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(address);
        }
    }

    /// <summary>Into the second-level cache, past the first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ToSecond(void* address)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch1(address);
        }
    }
}
