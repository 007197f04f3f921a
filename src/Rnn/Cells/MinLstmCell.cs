using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>
/// minLSTM with normalised gates (Feng et al. 2024, arXiv:2410.01201): f = σ(u), i = σ(v), h = f/(f+i)⊙h₋ + i/(f+i)⊙φ(p).
/// </summary>
internal readonly struct MinLstmCell<TCandidate> : IScanCell
    where TCandidate : struct, IActivation
{
    /// <inheritdoc/>
    public static int Gates => 3;

    /// <inheritdoc/>
    public static bool ReadsInput => false;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe V Forward<V, T, TLanes>(in ScanStep<T> step, TLanes lanes, nint j)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TLanes : struct, ILanes<V, T>
    {
        var input = InputShare<V, T>(lanes.Load(step.Gates + j), lanes.Load(step.Gates + step.Units + j));
        var candidate = TCandidate.Apply<V, T>(lanes.Load(step.Gates + (2 * step.Units) + j));
        var previous = lanes.Load(step.Previous + j);
        return V.MultiplyAdd(input, candidate - previous, previous);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe V Backward<V, T, TLanes>(in ScanStep<T> step, TLanes lanes, nint j, V gradient)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TLanes : struct, ILanes<V, T>
    {
        var (u, v) = (lanes.Load(step.Gates + j), lanes.Load(step.Gates + step.Units + j));
        var input = InputShare<V, T>(u, v);
        var p = lanes.Load(step.Gates + (2 * step.Units) + j);
        var candidate = TCandidate.Apply<V, T>(p);
        var keep = V.One - input;

        // The share is σ(log i − log f), and the slopes of log f and log i are 1 − f and 1 − i.
        var difference = gradient * (candidate - lanes.Load(step.Previous + j)) * input * keep;
        ScanGradients.Write(in step, lanes, j, -(difference * V.Sigmoid(-u)));
        ScanGradients.Write(in step, lanes, step.Units + j, difference * V.Sigmoid(-v));
        ScanGradients.Write(in step, lanes, (2 * step.Units) + j, gradient * input * TCandidate.Derivative<V, T>(p, candidate));
        return gradient * keep;
    }

    // i/(f+i) = (1 + e⁻ᵘ)/(2 + e⁻ᵘ + e⁻ᵛ), all terms divided by the largest, so that nothing overflows and two closed gates still share as they should.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V InputShare<V, T>(V u, V v)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var least = V.Min(V.Min(u, v), V.Zero);
        var one = V.Exp(least);
        var forget = one + V.Exp(least - u);
        return forget / (forget + one + V.Exp(least - v));
    }
}
