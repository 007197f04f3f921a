using System.Numerics;

namespace Rnn.Kernels;

/// <summary>
/// Layer normalisation over rows (Ba, Kiros and Hinton 2016, arXiv:1607.06450): x̂ = (x − μ)·r with the row's mean μ and r = 1/√(σ² + ε), then
/// y = γ⊙x̂ + β. One or two normalised matrices at a time, as the gates of a recurrent layer add two; the layer and the tensor operation use the first.
/// </summary>
/// <remarks>
/// Mean and variance are those of x less the row's first element, in one pass over the row: nothing cancels where the mean is large. Where the first
/// element itself lies far from the others, a second pass takes them from the mean instead. Rows whose squares overflow or vanish are taken over a power
/// of two (<see cref="ExtremeRow{T}"/>), so that a row of finite numbers has a finite result.
/// Each row is computed by itself, so work may be split over rows in any way.
/// </remarks>
internal abstract unsafe class NormalizationKernels<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>ε where none is given, as in recurrent layers.</summary>
    internal const double Epsilon = 1e-5;

    /// <summary>The kernels for the vector width in use.</summary>
    internal static NormalizationKernels<T> Current { get; } = Simd.Run<T, Factory, NormalizationKernels<T>>(default);

    /// <summary>The kernels for a given vector width (0, 128, 256 or 512 bits).</summary>
    internal static NormalizationKernels<T> For(int vectorBits) => Simd.Run<T, Factory, NormalizationKernels<T>>(default, vectorBits);

    /// <summary>y = γ⊙x̂ + β, or y += γ⊙x̂; the moments of each row are written.</summary>
    /// <param name="x">The matrix; y may be the same memory.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="count">How many columns.</param>
    /// <param name="bias">β [count]; unused where <paramref name="accumulate"/>.</param>
    /// <param name="y">The result.</param>
    /// <param name="accumulate">Whether to add to what y holds.</param>
    internal abstract void Forward(in Normalized<T> x, int rows, int count, T* bias, Rows<T> y, bool accumulate);

    /// <summary>y = γ₁⊙x̂₁ + γ₂⊙x̂₂ + β; the moments of each row are written.</summary>
    internal abstract void ForwardSum(in Normalized<T> first, in Normalized<T> second, int rows, int count, T* bias, Rows<T> y);

    /// <summary>dx = r(g − mean(g) − x̂·mean(g⊙x̂)) with g = dy⊙γ, and the row's part of dγ: sums += dy⊙x̂.</summary>
    /// <param name="x">The matrix, with the moments that the forward pass wrote.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="count">How many columns.</param>
    /// <param name="dy">The gradient of y.</param>
    /// <param name="dx">The gradient of x; may be the memory of x.</param>
    /// <param name="accumulate">Whether to add to what dx holds.</param>
    /// <param name="sums">Where the rows add their parts of dγ: 2^<paramref name="shift"/> rows to one, or all of them with a stride of 0.</param>
    /// <param name="shift">How many rows share one row of sums, as a power of two; they add in ascending order.</param>
    internal abstract void Backward(in Normalized<T> x, int rows, int count, Rows<T> dy, Rows<T> dx, bool accumulate, Rows<T> sums, int shift);

    /// <summary>The backward pass of <see cref="ForwardSum"/>: both matrices are replaced by their gradients.</summary>
    internal abstract void BackwardSum(
        in Normalized<T> first, in Normalized<T> second, int rows, int count, Rows<T> dy, Rows<T> firstSums, Rows<T> secondSums, int shift);

    private readonly struct Factory : IVectorFunction<T, NormalizationKernels<T>>
    {
        public NormalizationKernels<T> Invoke<V>()
            where V : struct, IVector<V, T> => new NormalizationKernels<V, T>();
    }
}

/// <summary>A matrix that is normalised over its rows.</summary>
/// <param name="values">Its rows.</param>
/// <param name="moments">Of row r: μ at moments[r · stride], 1/√(σ² + ε) after it.</param>
/// <param name="momentStride">Elements from one row's moments to the next.</param>
/// <param name="gain">γ [count].</param>
/// <param name="epsilon">ε.</param>
internal readonly unsafe struct Normalized<T>(
    Rows<T> values, T* moments, nint momentStride, T* gain, double epsilon = NormalizationKernels<T>.Epsilon)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public readonly Rows<T> Values = values;
    public readonly T* Moments = moments;
    public readonly nint MomentStride = momentStride;
    public readonly T* Gain = gain;
    public readonly T Epsilon = T.CreateTruncating(epsilon);

    /// <summary>The moments of one row.</summary>
    public T* MomentsOf(int row) => Moments + (row * MomentStride);
}
