using System.Numerics;

namespace Rnn.Kernels;

/// <summary>The arguments of a micro-kernel: C[row] = start[row] + Σₖ A[row, k] B[k], for two vectors of columns or more.</summary>
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

    /// <summary>Memory to prefetch: two vectors for each k.</summary>
    public byte* Prefetch;

    /// <summary>Bytes from one k to the next of what is prefetched.</summary>
    public nint PrefetchStep;

    /// <summary>What the sums start from.</summary>
    public T* Start;

    /// <summary>The elements from <see cref="Start"/> to each row of it.</summary>
    public nint* StartRows;

    /// <summary>Where the sums go.</summary>
    public T* C;

    /// <summary>The elements from <see cref="C"/> to each row of it.</summary>
    public nint* CRows;

    /// <summary>Few rows: a second product whose sums go on from the first, as <see cref="A"/>; unused where <see cref="Count2"/> is 0.</summary>
    public byte* A2;

    /// <summary>Bytes from row to row of <see cref="A2"/>.</summary>
    public nint ARow2;

    /// <summary>The panels of the second product.</summary>
    public T* B2;

    /// <summary>How many k the second product has; 0 for none.</summary>
    public nint Count2;

    /// <summary>Few rows: the number of rows.</summary>
    public int Rows;

    /// <summary>Few rows: how many panels are taken at once.</summary>
    public int Panels;

    /// <summary>Few rows: the columns from <see cref="C"/> on, of which the last panel may not have all.</summary>
    public int Columns;
}
