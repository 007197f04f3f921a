using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>minGRU (Feng et al. 2024, arXiv:2410.01201): z = σ(k), h = (1−z)⊙h₋ + z⊙φ(p).</summary>
internal readonly struct MinGruCell<TCandidate> : IScanCell
    where TCandidate : struct, IActivation
{
    /// <inheritdoc/>
    public static int Gates => 2;

    /// <inheritdoc/>
    public static bool ReadsInput => false;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe V Forward<V, T, TLanes>(in ScanStep<T> step, TLanes lanes, nint j)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TLanes : struct, ILanes<V, T>
    {
        var update = V.Sigmoid(lanes.Load(step.Gates + j));
        var candidate = TCandidate.Apply<V, T>(lanes.Load(step.Gates + step.Units + j));
        var previous = lanes.Load(step.Previous + j);
        return V.MultiplyAdd(update, candidate - previous, previous);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe V Backward<V, T, TLanes>(in ScanStep<T> step, TLanes lanes, nint j, V gradient)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TLanes : struct, ILanes<V, T>
    {
        var update = V.Sigmoid(lanes.Load(step.Gates + j));
        var p = lanes.Load(step.Gates + step.Units + j);
        var candidate = TCandidate.Apply<V, T>(p);
        var keep = V.One - update;
        ScanGradients.Write(in step, lanes, j, gradient * (candidate - lanes.Load(step.Previous + j)) * update * keep);
        ScanGradients.Write(in step, lanes, step.Units + j, gradient * update * TCandidate.Derivative<V, T>(p, candidate));
        return gradient * keep;
    }
}
