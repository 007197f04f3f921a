using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <summary>exp, sigmoid and tanh over any vector, written once for all widths and both element types.</summary>
public static class VectorMath
{
    /// <summary>e to the power of x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Exp<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => throw new NotSupportedException();

    /// <summary>1 / (1 + e⁻ˣ).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Sigmoid<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => throw new NotSupportedException();

    /// <summary>The hyperbolic tangent.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Tanh<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => throw new NotSupportedException();
}
