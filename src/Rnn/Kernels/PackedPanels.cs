using System.Numerics;

namespace Rnn.Kernels;

/// <summary>How the numbers of a packed matrix are stored.</summary>
internal enum PackedFormat : byte
{
    /// <summary>As they are computed with.</summary>
    Full,

    /// <summary>The upper 16 bits of single precision; the kernels widen them by a shift.</summary>
    BFloat16,

    /// <summary>Whole numbers from −127 to 127 with one scale for each output; products are exact sums of whole numbers.</summary>
    Int8,
}

/// <summary>A packed matrix as the kernels read it: where it begins, and how its numbers are stored.</summary>
internal readonly unsafe struct PackedPanels<T>(T* pointer, PackedFormat format = PackedFormat.Full)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The memory that <see cref="MatrixKernels{T}.Pack"/> filled, in whatever format.</summary>
    public readonly T* Pointer = pointer;

    /// <summary>How the numbers are stored.</summary>
    public readonly PackedFormat Format = format;

    /// <summary>Bits of one number.</summary>
    public int Bits => Format switch
    {
        PackedFormat.BFloat16 => 16,
        PackedFormat.Int8 => 8,
        _ => 8 * sizeof(T),
    };

    /// <summary>Panels of numbers as they are computed with.</summary>
    public static implicit operator PackedPanels<T>(T* pointer) => new(pointer);
}
