using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>
/// The real-gated linear recurrent unit (De et al. 2024, "Griffin", arXiv:2402.19427): r = σ(u), i = σ(v), log a = d·r, h = a⊙h₋ + √(1−a²)⊙(i⊙x), with a negative number d for each unit.
/// </summary>
internal readonly struct RgLruCell : IScanCell
{
    // Below every √(1−a²) of a gate that is not quite closed; there the quotient's numerator is zero too.
    private const double SmallestScale = 1e-30;

    /// <inheritdoc/>
    public static int Gates => 2;

    /// <inheritdoc/>
    public static bool ReadsInput => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe V Forward<V, T, TLanes>(in ScanStep<T> step, TLanes lanes, nint j)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TLanes : struct, ILanes<V, T>
    {
        var logDecay = lanes.Load(step.PerUnit + j) * V.Sigmoid(lanes.Load(step.Gates + j));
        var input = V.Sigmoid(lanes.Load(step.Gates + step.Units + j)) * lanes.Load(step.Input + j);
        return V.MultiplyAdd(V.Exp(logDecay), lanes.Load(step.Previous + j), InputScale<V, T>(logDecay) * input);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe V Backward<V, T, TLanes>(in ScanStep<T> step, TLanes lanes, nint j, V gradient)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TLanes : struct, ILanes<V, T>
    {
        var recurrence = V.Sigmoid(lanes.Load(step.Gates + j));
        var logDecay = lanes.Load(step.PerUnit + j) * recurrence;
        var decay = V.Exp(logDecay);
        var scale = InputScale<V, T>(logDecay);
        var input = V.Sigmoid(lanes.Load(step.Gates + step.Units + j));
        var x = lanes.Load(step.Input + j);

        // The gradient of log a times log a itself: the derivative of √(1−a²), −a²/√(1−a²), grows without bound as a gate closes, its product with log a does not.
        var byState = decay * lanes.Load(step.Previous + j) * logDecay;
        var byInput = decay * decay * input * x * (logDecay / V.Max(scale, V.Constant(SmallestScale)));
        var product = gradient * (byState - byInput);
        ScanGradients.Write(in step, lanes, j, product * (V.One - recurrence));
        ScanGradients.Write(in step, lanes, step.Units + j, gradient * scale * x * input * (V.One - input));
        lanes.Store(lanes.Load(step.PerUnitSums + j) + product, step.PerUnitSums + j);
        var inputGradient = gradient * scale * input;
        lanes.Store(step.AddsInputGradient ? lanes.Load(step.InputGradient + j) + inputGradient : inputGradient, step.InputGradient + j);
        return gradient * decay;
    }

    /// <summary>√(1 − a²), without cancellation where a is near 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V InputScale<V, T>(V logDecay)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.Sqrt(-VectorMath.ExpM1<V, T>(logDecay + logDecay));
}
