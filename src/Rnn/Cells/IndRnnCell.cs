using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>Independently recurrent network: h = φ(W x + u⊙h₋ + b), where each unit sees no other than itself.</summary>
/// <remarks>
/// Li, Li, Cook, Zhu and Gao 2018 (arXiv:1803.04831), with relu there. No matrix product stands in the time loop; layers of it are
/// stacked so that units see each other.
/// </remarks>
/// <typeparam name="TActivation">φ.</typeparam>
public readonly struct IndRnnCell<TActivation> : ICell
    where TActivation : struct, IActivation
{
    /// <inheritdoc/>
    public static CellLayout Layout { get; } = new()
    {
        Name = $"indrnn-{TActivation.Name}",
        Gates = new Gate[] { new("h", "hidden state") },
        States = new CellState[] { new("h", "hidden state", carriesGradient: true) },
        UnitWeights = new UnitWeight[] { new("u", "recurrent weight of each unit", 0, Operand.Previous(0), UnitWeightInitial.UnitInterval) },
    };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Forward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IForwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var x = V.MultiplyAdd(step.UnitWeight(0), step.Previous(0), step.Gate(0));
        if (!TActivation.DerivativeFromOutput)
        {
            step.SaveGate(0, x);
        }

        step.SetNext(0, TActivation.Apply<V, T>(x));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Backward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IBackwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var dx = step.Gradient(0) * TActivation.Derivative<V, T>(step.Gate(0), step.Next(0));
        step.SetGateGradient(0, dx);
        step.SetGradient(0, dx * step.UnitWeight(0));
    }
}
