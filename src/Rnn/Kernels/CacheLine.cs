using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <summary>Memory in whole cache lines, which are as long as the widest vector: how all kernels align what they write by vectors.</summary>
internal static unsafe class CacheLine<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Bytes of one line.</summary>
    internal const int Bytes = 64;

    /// <summary>Elements of one line: the slack that alignment takes.</summary>
    internal static int Length => Bytes / sizeof(T);

    /// <summary>The first element at or after an address that begins a line.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T* Align(T* memory) => (T*)(((nuint)memory + (Bytes - 1)) & ~(nuint)(Bytes - 1));

    /// <summary>Some elements rounded up to whole lines.</summary>
    internal static nint RoundUp(nint length) => (length + Length - 1) / Length * Length;

    /// <summary>An odd number of lines from row to row, which spreads the rows over the sets of the caches.</summary>
    internal static nint OddStride(int length) => (((length + Length - 1) / Length) | 1) * Length;
}
