using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Cells;
using Rnn.Kernels;

namespace Rnn.Tests.Architecture;

/// <summary>A cell whose step takes more local variables than the JIT inlines into one method.</summary>
internal readonly struct OversizeCell : ICell
{
    internal const string Name = "oversize";

    public static CellLayout Layout { get; } = new()
    {
        Name = Name,
        Gates = [new("g", "candidate")],
        States = [new("h", "hidden state", carriesGradient: false)],
        Products = [new("weight_hh", Operand.Previous(0), 0, 1)],
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Forward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IForwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var x = Often<V, T>(Often<V, T>(Often<V, T>(Often<V, T>(step.Gate(0)))));
        step.SetNext(0, x);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Backward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IBackwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => step.SetGateGradient(0, step.Gradient(0));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Often<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> =>
        V.Tanh(V.Tanh(V.Tanh(V.Tanh(V.Tanh(V.Tanh(V.Tanh(V.Tanh(x))))))));
}
