using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>Zeros that never move and begin on a boundary of 64 bytes; as long as this object lives, its pointer is good.</summary>
internal sealed unsafe class AlignedArray<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int Alignment = 64;

    internal AlignedArray(int length)
    {
        Length = length;
        var array = GC.AllocateArray<T>(length + (Alignment / sizeof(T)), pinned: true);
        var address = (nint)Unsafe.AsPointer(ref array[0]);
        Start = (int)((Alignment - (address % Alignment)) % Alignment) / sizeof(T);
        Pointer = (T*)address + Start;
        Storage = new(array);
    }

    /// <summary>The elements.</summary>
    internal int Length { get; }

    /// <summary>The memory as tensors share it.</summary>
    internal Storage<T> Storage { get; }

    /// <summary>The first element's index in <see cref="Storage"/>.</summary>
    internal int Start { get; }

    /// <summary>The first element.</summary>
    internal T* Pointer { get; }

    /// <summary>Some of the elements.</summary>
    internal Span<T> Slice(int offset, int length) => new Span<T>(Pointer, Length).Slice(offset, length);
}
