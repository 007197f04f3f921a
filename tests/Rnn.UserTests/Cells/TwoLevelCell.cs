using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Cells;
using Rnn.Kernels;

namespace Rnn.UserTests.Cells;

/// <summary>A second state that flows from step to step through its product alone: s = tanh(W x + U s₋ + b), h = tanh(V s + b).</summary>
public readonly struct TwoLevelCell : ICell
{
    public static CellLayout Layout { get; } = new()
    {
        Name = "two-levels",
        Gates = [new("s", "lower level"), new("h", "upper level", fromInput: false)],
        States = [new("h", "hidden state", carriesGradient: false), new("s", "lower state", carriesGradient: false)],
        Products = [new("weight_sh", Operand.Previous(1), firstGate: 0, gateCount: 1), new("weight_vh", Operand.Next(1), firstGate: 1, gateCount: 1, phase: 1)],
        Phases = 2,
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Forward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IForwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var value = V.Tanh(step.Gate(phase));
        step.SaveGate(phase, value);
        step.SetNext(1 - phase, value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Backward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IBackwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var gradient = phase == 1 ? step.Gradient(0) : step.CarriedGradient(1);
        var value = step.Gate(phase);
        step.SetGateGradient(phase, gradient * (V.One - (value * value)));
    }
}

/// <summary>Two products read one intermediate: a = σ(W x + U h₋ + b), m = a⊙h₋, h = tanh(W x + P m + b) ⊙ σ(Q m + b).</summary>
public readonly struct TwoReadersCell : ICell
{
    public static CellLayout Layout { get; } = new()
    {
        Name = "two-readers",
        Gates = [new("a", "what is read"), new("n", "candidate"), new("k", "output gate", fromInput: false)],
        States = [new("h", "hidden state", carriesGradient: true)],
        Products =
        [
            new("weight_hh", Operand.Previous(0), firstGate: 0, gateCount: 1),
            new("weight_ph", Operand.Intermediate(0), firstGate: 1, gateCount: 1, phase: 1),
            new("weight_qh", Operand.Intermediate(0), firstGate: 2, gateCount: 1, phase: 1),
        ],
        Intermediates = 1,
        Phases = 2,
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Forward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IForwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (phase == 0)
        {
            var a = V.Sigmoid(step.Gate(0));
            step.SaveGate(0, a);
            step.SetIntermediate(0, a * step.Previous(0));
            return;
        }

        var n = V.Tanh(step.Gate(1));
        var k = V.Sigmoid(step.Gate(2));
        step.SaveGate(1, n);
        step.SaveGate(2, k);
        step.SetNext(0, n * k);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Backward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IBackwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (phase == 1)
        {
            var dh = step.Gradient(0);
            var n = step.Gate(1);
            var k = step.Gate(2);
            step.SetGateGradient(1, dh * k * (V.One - (n * n)));
            step.SetGateGradient(2, dh * n * (k * (V.One - k)));
            return;
        }

        var made = step.IntermediateGradient(0);
        var a = step.Gate(0);
        step.SetGateGradient(0, made * step.Previous(0) * (a * (V.One - a)));
        step.SetGradient(0, made * a);
    }
}
