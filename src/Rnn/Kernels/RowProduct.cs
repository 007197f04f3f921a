using System.Numerics;

namespace Rnn.Kernels;

/// <summary>One product of few rows with packed weights, as <see cref="MatrixKernels{T}.Multiply"/>: C = A B, or C += A B, or C = A B + bias.</summary>
internal unsafe struct RowProduct<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The rows of A, at equal distances.</summary>
    public Rows<T> A;

    /// <summary>The packed weights.</summary>
    public PackedPanels<T> Packed;

    /// <summary>The summed dimension.</summary>
    public int Inner;

    /// <summary>The columns of C.</summary>
    public int Outputs;

    /// <summary>The rows of C, at equal distances.</summary>
    public Rows<T> C;

    /// <summary>How many columns of C, from its first, may hold anything afterwards: those to the right of <see cref="Outputs"/> that nobody reads before they are written.</summary>
    public int Room;

    /// <summary>Whether C starts from what it holds.</summary>
    public bool Accumulate;

    /// <summary>Where not accumulating: what every row starts from, or null for zero.</summary>
    public T* Bias;
}
