using System.Numerics;

namespace Rnn.Kernels;

/// <summary>
/// Functions of whole rows: softmax and what a cross-entropy is made of, forward and backward. Pointers and sizes only;
/// nothing is checked here.
/// </summary>
/// <remarks>Every row is computed for itself, so rows may be split over threads in any way without changing a bit.</remarks>
internal abstract unsafe class RowKernels<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The kernels for the vector width in use.</summary>
    public static RowKernels<T> Current { get; } = For(Simd.VectorBits);

    /// <summary>The kernels for a given vector width (0, 128, 256 or 512 bits).</summary>
    public static RowKernels<T> For(int vectorBits) => Simd.Run<T, Factory, RowKernels<T>>(default, vectorBits);

    /// <summary>yⱼ = e^xⱼ / Σ e^x for every row; y may be x.</summary>
    /// <param name="x">The rows of x [rows, columns].</param>
    /// <param name="y">The rows of y [rows, columns].</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="columns">Elements of a row, at least 1.</param>
    public abstract void Softmax(Rows<T> x, Rows<T> y, int rows, int columns);

    /// <summary>yⱼ = xⱼ − log Σ e^x for every row; y may be x.</summary>
    /// <param name="x">The rows of x [rows, columns].</param>
    /// <param name="y">The rows of y [rows, columns].</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="columns">Elements of a row, at least 1.</param>
    public abstract void LogSoftmax(Rows<T> x, Rows<T> y, int rows, int columns);

    /// <summary>The backward pass of <see cref="Softmax"/>: dx (+)= y⊙(dy − Σ dy⊙y); dx may be dy.</summary>
    /// <param name="y">The result of the forward pass [rows, columns].</param>
    /// <param name="dy">The gradients of y.</param>
    /// <param name="dx">The gradients of x.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="columns">Elements of a row.</param>
    /// <param name="accumulate">Whether to add to what dx holds.</param>
    public abstract void SoftmaxBackward(Rows<T> y, Rows<T> dy, Rows<T> dx, int rows, int columns, bool accumulate);

    /// <summary>The backward pass of <see cref="LogSoftmax"/>: dx (+)= dy − e^y·Σ dy; dx may be dy.</summary>
    /// <param name="y">The result of the forward pass [rows, columns].</param>
    /// <param name="dy">The gradients of y.</param>
    /// <param name="dx">The gradients of x.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="columns">Elements of a row.</param>
    /// <param name="accumulate">Whether to add to what dx holds.</param>
    public abstract void LogSoftmaxBackward(Rows<T> y, Rows<T> dy, Rows<T> dx, int rows, int columns, bool accumulate);

    /// <summary>What a cross-entropy saves of one row of logits: the largest, and Σ e^(x − largest), whose logarithm is the distance from it to log Σ e^x.</summary>
    /// <param name="x">The row [columns].</param>
    /// <param name="columns">Elements of the row, at least 1.</param>
    /// <param name="exponentials">Receives e^(x − largest) [columns], may be the row itself; null where they are not wanted.</param>
    public abstract (T Largest, T Sum) SoftmaxStatistics(T* x, int columns, T* exponentials = null);

    /// <summary>g = factor·e^(x − largest) − share·w, or added to what g holds: the gradient of a cross-entropy but for its target.</summary>
    /// <param name="x">The row of logits [columns].</param>
    /// <param name="weights">w, the weight of each class [columns], or null for 1.</param>
    /// <param name="largest">The largest logit.</param>
    /// <param name="factor">What the exponentials are multiplied by.</param>
    /// <param name="share">What every class's weight takes away.</param>
    /// <param name="gradient">g [columns]; may be x.</param>
    /// <param name="columns">Elements of the row.</param>
    /// <param name="accumulate">Whether to add to what g holds.</param>
    public abstract void SoftmaxGradient(T* x, T* weights, T largest, T factor, T share, T* gradient, int columns, bool accumulate);

    /// <summary>Σ w⊙(x − shift).</summary>
    /// <param name="x">The row [columns].</param>
    /// <param name="weights">w [columns], or null for 1.</param>
    /// <param name="shift">What every element is counted from.</param>
    /// <param name="columns">Elements of the row, at least 1.</param>
    public abstract T WeightedSum(T* x, T* weights, T shift, int columns);

    private readonly struct Factory : IVectorFunction<T, RowKernels<T>>
    {
        public RowKernels<T> Invoke<TVector>()
            where TVector : struct, IVector<TVector, T> => new VectorRowKernels<TVector, T>();
    }
}
