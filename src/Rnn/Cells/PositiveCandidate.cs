using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>x + ½ for x ≥ 0, else σ(x): positive everywhere (Feng et al. 2024, arXiv:2410.01201, appendix B); φ′ is 1 where y ≥ ½, else y(1 − y).</summary>
internal readonly struct PositiveCandidate : IActivation
{
    /// <inheritdoc/>
    public static string Name => "positive";

    /// <inheritdoc/>
    public static bool DerivativeFromOutput => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.Select(V.LessThan(x, V.Zero), V.Sigmoid(x), x + V.Constant(0.5));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Derivative<V, T>(V x, V y)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.Select(V.LessThan(y, V.Constant(0.5)), y * (V.One - y), V.One);
}
