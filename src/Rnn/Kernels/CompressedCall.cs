namespace Rnn.Kernels;

/// <summary>The arguments of a kernel with compressed weights: C[row] = start[row] + Σₖ A[row, k] B[k], for one panel of columns or several.</summary>
internal unsafe struct CompressedCall
{
    /// <summary>The rows of A: numbers of single precision, or (8 bits) whole numbers of 16 bits, two k beside each other.</summary>
    public byte* A;

    /// <summary>Bytes from row to row of A.</summary>
    public nint ARow;

    /// <summary>The first panel.</summary>
    public byte* B;

    /// <summary>Bytes from panel to panel.</summary>
    public nint BPanel;

    /// <summary>How many k, or (8 bits) pairs of them, at least 1.</summary>
    public nint Count;

    /// <summary>8 bits: the scale of each row.</summary>
    public float* RowScales;

    /// <summary>8 bits: 128 times the sum of each row over the k of this call.</summary>
    public int* RowSums;

    /// <summary>8 bits: the elements from one row's sum to the next.</summary>
    public nint RowSumStep;

    /// <summary>8 bits: the scale of each column.</summary>
    public float* ColumnScales;

    /// <summary>What the sums start from.</summary>
    public float* Start;

    /// <summary>The elements from <see cref="Start"/> to each row of it.</summary>
    public nint* StartRows;

    /// <summary>Where the sums go.</summary>
    public float* C;

    /// <summary>The elements from <see cref="C"/> to each row of it.</summary>
    public nint* CRows;
}
