using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Cells;
using Rnn.Kernels;

namespace Rnn.Tests.Cells;

/// <summary>h = tanh(W x + U h₋ + b), whose step fails when told to.</summary>
internal readonly struct FailingCell : ICell
{
    internal static bool FailsForward { get; set; }

    internal static bool FailsBackward { get; set; }

    public static CellLayout Layout { get; } = new()
    {
        Name = "failing",
        Gates = [new("h", "hidden state")],
        States = [new("h", "hidden state", carriesGradient: false)],
        Products = [new("weight_hh", Operand.Previous(0), 0, 1)],
    };

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

        step.SetNext(0, V.Tanh(step.Gate(0)));
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

        var h = step.Next(0);
        step.SetGateGradient(0, step.Gradient(0) * (V.One - (h * h)));
    }
}
