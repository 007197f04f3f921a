using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Training;

/// <summary>Zeros that never move and begin on a boundary of 64 bytes; as long as this object lives, its pointer is good.</summary>
internal sealed unsafe class AlignedArray<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal AlignedArray(int length)
    {
        Length = length;
        Array = GC.AllocateArray<T>(length + CacheLine<T>.Length, pinned: true);
        var first = (T*)Unsafe.AsPointer(ref Array[0]);
        Pointer = CacheLine<T>.Align(first);
        Start = (int)(Pointer - first);
    }

    /// <summary>The elements.</summary>
    internal int Length { get; }

    /// <summary>The memory, longer than what is used of it.</summary>
    internal T[] Array { get; }

    /// <summary>The first element's index in <see cref="Array"/>.</summary>
    internal int Start { get; }

    /// <summary>The first element.</summary>
    internal T* Pointer { get; }

    /// <summary>Some of the elements.</summary>
    internal Span<T> Slice(int offset, int length) => new Span<T>(Pointer, Length).Slice(offset, length);
}
