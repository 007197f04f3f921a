using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Cells;
using Rnn.Kernels;

namespace Rnn.UserTests.Cells;

/// <summary>A cell without any recurrent product, whose hidden state nothing reads: f = σ(W x + v⊙c₋ + b), c = f⊙c₋ + (1−f)⊙W x, h = σ(W x + b)⊙tanh c.</summary>
public readonly struct LightCell : ICell
{
    public static CellLayout Layout { get; } = new()
    {
        Name = "light",
        Gates = [new("f", "forget gate", initialBias: 1, role: GateRole.Forget), new("g", "candidate"), new("o", "output gate")],
        States = [new("h", "hidden state", carriesGradient: false), new("c", "cell state", carriesGradient: true)],
        UnitWeights = [new("v", "what the forget gate sees", 0, Operand.Previous(1))],
        SavedValues = 1,
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Forward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IForwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var before = step.Previous(1);
        var f = V.Sigmoid(V.MultiplyAdd(step.UnitWeight(0), before, step.Gate(0)));
        var g = step.Gate(1);
        var o = V.Sigmoid(step.Gate(2));
        var c = V.MultiplyAdd(f, before - g, g);
        var squashed = V.Tanh(c);
        step.SaveGate(0, f);
        step.SaveGate(2, o);
        step.SaveValue(0, squashed);
        step.SetNext(1, c);
        step.SetNext(0, o * squashed);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Backward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IBackwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var dh = step.Gradient(0);
        var f = step.Gate(0);
        var g = step.Gate(1);
        var o = step.Gate(2);
        var squashed = step.SavedValue(0);
        var before = step.Previous(1);
        var dc = V.MultiplyAdd(dh * o, V.One - (squashed * squashed), step.Gradient(1));
        var df = dc * (before - g) * (f * (V.One - f));
        step.SetGateGradient(0, df);
        step.SetGateGradient(1, dc * (V.One - f));
        step.SetGateGradient(2, dh * squashed * (o * (V.One - o)));
        step.SetGradient(1, V.MultiplyAdd(df, step.UnitWeight(0), dc * f));
    }
}
