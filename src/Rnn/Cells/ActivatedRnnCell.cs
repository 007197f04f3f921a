using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>The plain recurrent network with an activation of choice: h = φ(W x + U h₋ + b).</summary>
/// <remarks>The cell of <see cref="SimpleRnnCell{TActivation}"/>, with φ applied to whole rows by <see cref="ActivatedKernels{T}"/>. Saved is its derivative.</remarks>
internal readonly struct ActivatedRnnCell : IActivatedCell
{
    /// <inheritdoc/>
    public static CellLayout Layout { get; } = new()
    {
        Name = $"rnn{ActivatedCells.Suffix}",
        Gates = SimpleRnnCell<Tanh>.Layout.Gates,
        States = SimpleRnnCell<Tanh>.Layout.States,
        Products = SimpleRnnCell<Tanh>.Layout.Products,
        SavedValues = 1,
    };

    /// <inheritdoc/>
    public static IReadOnlyList<ActivationStep[]> Forwards { get; } = new ActivationStep[][] { [ActivationStep.OfGate(0, ActivationRole.Candidate), ActivationStep.OfCell(0)] };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Forward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IForwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => step.SetNext(0, step.Gate(0));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Backward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IBackwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => step.SetGateGradient(0, step.Gradient(0) * step.SavedValue(0));
}
