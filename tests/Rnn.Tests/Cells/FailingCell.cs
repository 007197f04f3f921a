using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Cells;
using Rnn.Kernels;

namespace Rnn.Tests.Cells;

/// <summary>A cell that throws when it is told to: h = tanh(W x + U h₋ + b).</summary>
public readonly struct FailingCell : ICell
{
    public static CellLayout Layout { get; } = new()
    {
        Name = "failing",
        Gates = [new Gate("n", "candidate")],
        States = [new CellState("h", "hidden state", FlowsDirectly: false)],
        Products = [new Product("weight_hh", Operand.Previous(0), FirstGate: 0, GateCount: 1)],
    };

    internal static bool FailsForward { get; set; }

    internal static bool FailsBackward { get; set; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Forward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IForwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (FailsForward)
        {
            throw new NotSupportedException("forward");
        }

        var n = V.Tanh(step.Gate(0));
        step.Keep(0, n);
        step.SetNext(0, n);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Backward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IBackwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (FailsBackward)
        {
            throw new NotSupportedException("backward");
        }

        var n = step.Gate(0);
        step.SetGateGradient(0, step.Gradient(0) * (V.One - (n * n)));
    }
}
