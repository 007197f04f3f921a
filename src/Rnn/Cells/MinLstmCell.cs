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
        Exponentials<V, T>(lanes.Load(step.Gates + j), lanes.Load(step.Gates + step.Units + j), out var one, out var byForget, out var byInput);
        var input = (one + byForget) / (one + byForget + one + byInput);
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
        Exponentials<V, T>(lanes.Load(step.Gates + j), lanes.Load(step.Gates + step.Units + j), out var one, out var byForget, out var byInput);
        var input = (one + byForget) / (one + byForget + one + byInput);
        var p = lanes.Load(step.Gates + (2 * step.Units) + j);
        var candidate = TCandidate.Apply<V, T>(p);
        var keep = V.One - input;

        // The share is σ(log i − log f), and the slopes of log f and log i are 1 − f and 1 − i. Their quotients are of vanishing numbers where one share has vanished, and the difference with it.
        var smallest = V.Constant(typeof(T) == typeof(float) ? 1.1754943508222875e-38 : 2.2250738585072014e-308);
        var difference = gradient * (candidate - lanes.Load(step.Previous + j)) * input * keep;
        ScanGradients.Write(in step, lanes, j, -(difference * (byForget / V.MaxNative(smallest, one + byForget))));
        ScanGradients.Write(in step, lanes, step.Units + j, difference * (byInput / V.MaxNative(smallest, one + byInput)));
        ScanGradients.Write(in step, lanes, (2 * step.Units) + j, gradient * input * TCandidate.Derivative<V, T>(p, candidate));
        return gradient * keep;
    }

    // 1, e⁻ᵘ and e⁻ᵛ, all divided by the largest, so that nothing overflows and two closed gates still share as they should: i/(f+i) = (1 + e⁻ᵘ)/(2 + e⁻ᵘ + e⁻ᵛ), 1 − f = e⁻ᵘ/(1 + e⁻ᵘ).
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Exponentials<V, T>(V u, V v, out V one, out V byForget, out V byInput)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var least = V.Min(V.Min(u, v), V.Zero);
        one = V.Exp(least);
        byForget = V.Exp(least - u);
        byInput = V.Exp(least - v);
    }
}
