using System.Numerics;

namespace Rnn.Kernels;

/// <summary>A[i, k] at Start + i · Row + k · Step, or, with Row 1, at Start + i + Offsets[k].</summary>
internal unsafe struct LeftOperand<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public T* Start;
    public nint Row;
    public nint Step;
    public nint* Offsets;
}

/// <summary>B[k, j] at Rows[k][j], or, column-major, at Rows[j][k].</summary>
internal unsafe struct RightOperand<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public Rows<T> Rows;
    public int Columns;
    public bool ColumnMajor;
}

/// <summary>C and what it starts from. Where it has more columns than B, up to whole panels, these hold anything afterwards.</summary>
internal unsafe struct GemmTarget<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public T* Start;
    public nint Stride;
    public int Columns;
    public bool Accumulate;
    public T* Bias;
}
