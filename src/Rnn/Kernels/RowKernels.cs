using System.Numerics;

namespace Rnn.Kernels;

/// <summary>
/// Functions of whole rows: softmax, what a cross-entropy is made of, layer normalisation, forward and back. Pointers and sizes only;
/// nothing is checked here.
/// </summary>
/// <remarks>Every row is computed for itself, so rows may be split over threads in any way without changing a bit.</remarks>
internal abstract unsafe class RowKernels<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The kernels for the vector width in use.</summary>
    public static RowKernels<T> Current { get; } = For(Simd.VectorBits);

    /// <summary>The kernels for a given vector width (0, 128, 256 or 512 bits).</summary>
    public static RowKernels<T> For(int vectorBits) => Simd.Create<T, Factory, RowKernels<T>>(default, vectorBits);

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

    /// <summary>The way back through <see cref="Softmax"/>: dx (+)= y⊙(dy − Σ dy⊙y); dx may be dy.</summary>
    /// <param name="y">What the way forward gave [rows, columns].</param>
    /// <param name="dy">The gradients of y.</param>
    /// <param name="dx">The gradients of x.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="columns">Elements of a row.</param>
    /// <param name="accumulate">Whether to add to what dx holds.</param>
    public abstract void SoftmaxBackward(Rows<T> y, Rows<T> dy, Rows<T> dx, int rows, int columns, bool accumulate);

    /// <summary>The way back through <see cref="LogSoftmax"/>: dx (+)= dy − e^y·Σ dy; dx may be dy.</summary>
    /// <param name="y">What the way forward gave [rows, columns].</param>
    /// <param name="dy">The gradients of y.</param>
    /// <param name="dx">The gradients of x.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="columns">Elements of a row.</param>
    /// <param name="accumulate">Whether to add to what dx holds.</param>
    public abstract void LogSoftmaxBackward(Rows<T> y, Rows<T> dy, Rows<T> dx, int rows, int columns, bool accumulate);

    /// <summary>What a cross-entropy keeps of one row of logits: the largest, and Σ e^(x − largest), whose logarithm is the distance from it to log Σ e^x.</summary>
    /// <param name="x">The row [columns].</param>
    /// <param name="columns">Elements of the row, at least 1.</param>
    public abstract (T Largest, T Sum) SoftmaxStatistics(T* x, int columns);

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

    /// <summary>
    /// y = gain⊙x̂ + bias with x̂ = (x − mean)·r, r = 1 / √(variance + ε), for every row (Ba, Kiros and Hinton 2016); y may be x.
    /// </summary>
    /// <param name="x">The rows of x [rows, columns].</param>
    /// <param name="y">The rows of y [rows, columns].</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="columns">Elements of a row, at least 1.</param>
    /// <param name="gain">The gain of each column, or null for 1.</param>
    /// <param name="bias">The bias of each column, or null for 0.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="kept">What the way back needs.</param>
    public abstract void LayerNorm(Rows<T> x, Rows<T> y, int rows, int columns, T* gain, T* bias, T epsilon, in NormKept<T> kept);

    /// <summary>
    /// The way back through <see cref="LayerNorm"/> to its input: dx (+)= r·(d − mean(d) − x̂·mean(d⊙x̂)) with d = gain⊙dy; dx may be dy.
    /// </summary>
    /// <param name="x">The rows of x; not read where x̂ was kept.</param>
    /// <param name="kept">What the way forward kept.</param>
    /// <param name="dy">The gradients of y.</param>
    /// <param name="dx">The gradients of x.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="columns">Elements of a row.</param>
    /// <param name="gain">The gain of each column, or null for 1.</param>
    /// <param name="accumulate">Whether to add to what dx holds.</param>
    public abstract void LayerNormBackward(
        Rows<T> x, in NormKept<T> kept, Rows<T> dy, Rows<T> dx, int rows, int columns, T* gain, bool accumulate);

    /// <summary>
    /// The gradients of gain and bias: dgain += Σ dy⊙x̂, dbias += Σ dy over all rows in ascending order, for the columns from
    /// <paramref name="firstColumn"/> up to <paramref name="endColumn"/>. Threads split columns, never rows.
    /// </summary>
    /// <param name="x">The rows of x; not read where x̂ was kept.</param>
    /// <param name="kept">What the way forward kept.</param>
    /// <param name="dy">The gradients of y.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="dGain">The gradient of the gain [columns], added to.</param>
    /// <param name="dBias">The gradient of the bias [columns], added to, or null.</param>
    /// <param name="firstColumn">The first column.</param>
    /// <param name="endColumn">One past the last column.</param>
    public abstract void LayerNormParameters(
        Rows<T> x, in NormKept<T> kept, Rows<T> dy, int rows, T* dGain, T* dBias, int firstColumn, int endColumn);

    private readonly struct Factory : IVectorFactory<T, RowKernels<T>>
    {
        public RowKernels<T> Create<TVector>()
            where TVector : struct, IVector<TVector, T> => new VectorRowKernels<TVector, T>();
    }
}

/// <summary>
/// What <see cref="RowKernels{T}.LayerNorm"/> leaves for the way back: r = 1/σ of each row, and either the mean of each row (then x is needed
/// again) or the normalised rows x̂.
/// </summary>
internal readonly unsafe struct NormKept<T>(T* inverseDeviation, T* mean, Rows<T> normalised)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>r [rows], or null to keep nothing.</summary>
    public readonly T* InverseDeviation = inverseDeviation;

    /// <summary>The means [rows], or null.</summary>
    public readonly T* Mean = mean;

    /// <summary>x̂ [rows, columns], or a null start; may be where x lies.</summary>
    public readonly Rows<T> Normalised = normalised;
}
