namespace Rnn.Kernels;

/// <summary>
/// Rows of a matrix in memory: row r begins at <see cref="Start"/> + r · <see cref="Stride"/> or, where <see cref="Offsets"/> is
/// given, at <see cref="Start"/> + <see cref="Offsets"/>[r]. All distances are in elements.
/// </summary>
internal readonly unsafe struct Rows<T>(T* start, nint stride, nint* offsets = null)
    where T : unmanaged
{
    /// <summary>Where row 0 begins (with offsets: what they are counted from).</summary>
    public readonly T* Start = start;

    /// <summary>Elements from one row to the next; unused where <see cref="Offsets"/> is given.</summary>
    public readonly nint Stride = stride;

    /// <summary>Where each row begins, or null for equal distances.</summary>
    public readonly nint* Offsets = offsets;

    /// <summary>The first element of a row.</summary>
    public T* this[int row] => Offsets == null ? Start + (row * Stride) : Start + Offsets[row];

    /// <summary>The same rows without the first <paramref name="rows"/>.</summary>
    public Rows<T> Skip(int rows) => Offsets == null ? new(Start + (rows * Stride), Stride) : new(Start, Stride, Offsets + rows);

    /// <summary>The same rows without their first <paramref name="columns"/> elements.</summary>
    public Rows<T> SkipColumns(nint columns) => new(Start + columns, Stride, Offsets);
}
