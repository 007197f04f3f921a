using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Cells;
using Rnn.Kernels;

namespace Rnn.UserTests.Cells;

/// <summary>
/// All that a layout can say, in one cell: three states, three phases, products of a state before and after and of an intermediate, a
/// gate without input, a vector on a new state, a normalised state and normalised products.
/// a = tanh(LN(W x) + LN(U h₋) + b), c = c₋/2 + a; b = σ(LN(W x) + LN(P c) + b), s = b⊙s₋ + (1−b)⊙c; h = tanh(LN(M(a⊙h₋)) + b + v⊙s) ⊙ LN(s).
/// </summary>
public readonly struct ThreeStateCell : ICell
{
    private const int H = 0;
    private const int C = 1;
    private const int S = 2;

    public static CellLayout Layout { get; } = new()
    {
        Name = "three-states",
        Gates = [new("a", "writing"), new("b", "mixing"), new("m", "reading", fromInput: false)],
        States = [new("h", "hidden state", carriesGradient: true), new("c", "cell state", carriesGradient: true), new("s", "slow state", carriesGradient: true)],
        Products =
        [
            new("weight_hh", Operand.Previous(H), firstGate: 0, gateCount: 1),
            new("weight_ch", Operand.Next(C), firstGate: 1, gateCount: 1, phase: 1),
            new("weight_mh", Operand.Intermediate(0), firstGate: 2, gateCount: 1, phase: 2),
        ],
        UnitWeights = [new("v", "what reading sees", 2, Operand.Next(S))],
        Normalizations = [new("norm_s", S, intermediate: 1, afterPhase: 1)],
        NormalizesProducts = true,
        Intermediates = 2,
        Phases = 3,
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Forward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IForwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (phase == 0)
        {
            var a = V.Tanh(step.Gate(0));
            step.SaveGate(0, a);
            step.SetIntermediate(0, a * step.Previous(H));
            step.SetNext(C, V.MultiplyAdd(V.Constant(0.5), step.Previous(C), a));
        }
        else if (phase == 1)
        {
            var b = V.Sigmoid(step.Gate(1));
            var c = step.Next(C);
            step.SaveGate(1, b);
            step.SetNext(S, V.MultiplyAdd(b, step.Previous(S) - c, c));
        }
        else
        {
            var m = V.Tanh(V.MultiplyAdd(step.UnitWeight(0), step.Next(S), step.Gate(2)));
            step.SaveGate(2, m);
            step.SetNext(H, m * step.Intermediate(1));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Backward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IBackwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (phase == 2)
        {
            var dh = step.Gradient(H);
            var m = step.Gate(2);
            var dm = dh * step.Intermediate(1) * (V.One - (m * m));
            step.SetGateGradient(2, dm);
            step.SetIntermediateGradient(1, dh * m);
            step.SetGradient(S, V.MultiplyAdd(dm, step.UnitWeight(0), step.Gradient(S)));
            step.SetGradient(H, V.Zero);
        }
        else if (phase == 1)
        {
            var ds = step.CarriedGradient(S);
            var b = step.Gate(1);
            step.SetGateGradient(1, ds * (step.Previous(S) - step.Next(C)) * (b * (V.One - b)));
            step.SetGradient(S, ds * b);
            step.SetGradient(C, V.MultiplyAdd(ds, V.One - b, step.Gradient(C)));
        }
        else
        {
            var dc = step.CarriedGradient(C);
            var made = step.IntermediateGradient(0);
            var a = step.Gate(0);
            step.SetGateGradient(0, V.MultiplyAdd(made, step.Previous(H), dc) * (V.One - (a * a)));
            step.SetGradient(C, dc * V.Constant(0.5));
            step.SetGradient(H, V.MultiplyAdd(made, a, step.CarriedGradient(H)));
        }
    }
}
