using System.Numerics;

namespace Rnn.Kernels;

/// <summary>A call of the micro-kernel of many rows: C[row] = start[row] + Σₖ A[row, k] B[k] for two vectors of columns, tile after tile of equally many rows.</summary>
internal unsafe struct TileCall<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>A[row, k] at A + row · ARow + k · AStep, in bytes.</summary>
    public byte* A;

    /// <summary>Bytes from row to row of A.</summary>
    public nint ARow;

    /// <summary>Bytes from one k to the next.</summary>
    public nint AStep;

    /// <summary>A panel: two vectors for each k.</summary>
    public T* B;

    /// <summary>The elements of B from one k to the next.</summary>
    public nint BStep;

    /// <summary>How many k, at least 1.</summary>
    public nint Count;

    /// <summary>Memory to bring into the second-level cache, such as the panel that comes next.</summary>
    public byte* Prefetch;

    /// <summary>Bytes of it for each k of each tile.</summary>
    public nint PrefetchStep;

    /// <summary>What the sums start from.</summary>
    public T* Start;

    /// <summary>The elements from <see cref="Start"/> to each row of it.</summary>
    public nint* StartRows;

    /// <summary>Where the sums go.</summary>
    public T* C;

    /// <summary>The elements from <see cref="C"/> to each row of it.</summary>
    public nint* CRows;

    /// <summary>How many tiles, at least 1.</summary>
    public int Tiles;

    /// <summary>Bytes from one tile of A to the next.</summary>
    public nint ATile;

    /// <summary>The elements from <see cref="Start"/> of one tile to that of the next; 0 where all rows start from the same.</summary>
    public nint StartTile;

    /// <summary>The elements from <see cref="C"/> of one tile to that of the next; 0 where a table of offsets goes on.</summary>
    public nint CTile;

    /// <summary>Entries of <see cref="StartRows"/> from one tile to the next: 0 but where they are a table of offsets of all rows.</summary>
    public nint StartRowsTile;

    /// <summary>Entries of <see cref="CRows"/> from one tile to the next: 0 but where they are a table of offsets of all rows.</summary>
    public nint CRowsTile;

    /// <summary>Where the first tile after these begins in C, to be brought into the first-level cache; its rows lie as those of the last.</summary>
    public T* Next;
}
