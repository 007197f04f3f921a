using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Cells;
using Rnn.Kernels;

namespace Rnn.UserTests.Cells;

/// <summary>A cell as a user writes one, the example of the documentation: h = h₋ + 0.3·(tanh(W x + U h₋ + b) − h₋).</summary>
public readonly struct LeakyCell : ICell
{
    public static CellLayout Layout { get; } = new()
    {
        Name = "leaky",
        Gates = [new Gate("n", "candidate")],
        States = [new CellState("h", "hidden state", carriesGradient: true)],
        Products = [new RecurrentProduct("weight_hh", Operand.Previous(0), firstGate: 0, gateCount: 1)],
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Forward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IForwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var n = V.Tanh(step.Gate(0));
        var before = step.Previous(0);
        step.SaveGate(0, n);
        step.SetNext(0, V.MultiplyAdd(V.Constant(0.3), n - before, before));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Backward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IBackwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var dh = step.Gradient(0);
        var n = step.Gate(0);
        step.SetGateGradient(0, dh * V.Constant(0.3) * (V.One - (n * n)));
        step.SetGradient(0, dh * V.Constant(0.7));
    }
}
