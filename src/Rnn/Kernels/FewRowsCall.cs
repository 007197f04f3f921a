using System.Numerics;

namespace Rnn.Kernels;

/// <summary>A call of the micro-kernel of few rows: C[row] = start[row] + Σₖ A[row, k] B[k] for a few panels at once, and the sums of a second product behind them where there is one.</summary>
internal unsafe struct FewRowsCall<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>A[row, k] at A + row · ARow + k · size, in bytes.</summary>
    public byte* A;

    /// <summary>Bytes from row to row of A.</summary>
    public nint ARow;

    /// <summary>The first panel: two vectors for each k; the others follow it.</summary>
    public T* B;

    /// <summary>How many k, at least 1.</summary>
    public nint Count;

    /// <summary>A second product whose sums go on from the first, as <see cref="A"/>; unused where <see cref="Count2"/> is 0.</summary>
    public byte* A2;

    /// <summary>Bytes from row to row of <see cref="A2"/>.</summary>
    public nint ARow2;

    /// <summary>The first panel of the second product.</summary>
    public T* B2;

    /// <summary>How many k the second product has; 0 for none.</summary>
    public nint Count2;

    /// <summary>What the sums start from.</summary>
    public T* Start;

    /// <summary>The elements from <see cref="Start"/> to each row of it.</summary>
    public nint* StartRows;

    /// <summary>Where the sums go.</summary>
    public T* C;

    /// <summary>The elements from <see cref="C"/> to each row of it.</summary>
    public nint* CRows;

    /// <summary>The number of rows.</summary>
    public int Rows;

    /// <summary>How many panels are taken at once.</summary>
    public int Panels;

    /// <summary>The columns from <see cref="C"/> on, of which the last panel may not have all.</summary>
    public int Columns;

    /// <summary>Prepared calls whose columns do not fill their panels: where the first <see cref="Columns"/> of each row of <see cref="C"/>, memory of their own, are copied to; else null.</summary>
    public T* Target;

    /// <summary>The elements from one row of <see cref="Target"/> to the next.</summary>
    public nint TargetStride;

    /// <summary>Whether the sums start from what <see cref="Target"/> holds.</summary>
    public bool StartsFromTarget;
}
