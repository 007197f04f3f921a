using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>The plain recurrent network: h = φ(W x + U h₋ + b).</summary>
/// <remarks>
/// Elman 1990 (Cognitive Science 14:179–211). The backward pass takes the derivative of φ from the output where that determines it, else from the
/// pre-activation, which stays in the gate's column.
/// </remarks>
/// <typeparam name="TActivation">φ.</typeparam>
public readonly struct SimpleRnnCell<TActivation> : ICell
    where TActivation : struct, IActivation
{
    /// <inheritdoc/>
    public static CellLayout Layout { get; } = new()
    {
        Name = $"rnn-{TActivation.Name}",
        Gates = new Gate[] { new("h", "hidden state") },
        States = new CellState[] { new("h", "hidden state", carriesGradient: false) },
        Products = new RecurrentProduct[] { new("weight_hh", Operand.Previous(0), 0, 1) },
    };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Forward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IForwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => step.SetNext(0, TActivation.Apply<V, T>(step.Gate(0)));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Backward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IBackwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> =>
        step.SetGateGradient(0, step.Gradient(0) * TActivation.Derivative<V, T>(step.Gate(0), step.Next(0)));
}
