using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>
/// Gated recurrent unit with activations of choice: r, z = φ(·), n = γ(W x + b + r⊙(U h₋ + b′)), h = (1−z)⊙n + z⊙h₋.
/// </summary>
/// <remarks>The cell of <see cref="GruCell{TUpdate}"/>, with φ and γ applied to whole rows by <see cref="ActivatedKernels{T}"/>. Saved are their derivatives.</remarks>
/// <typeparam name="TUpdate">What the update gate means.</typeparam>
internal readonly struct ActivatedGruCell<TUpdate> : IActivatedCell
    where TUpdate : struct, IUpdateGate
{
    private const int R = 0;
    private const int Z = 1;
    private const int N = 2;
    private const int M = 3;

    /// <inheritdoc/>
    public static CellLayout Layout { get; } = new()
    {
        Name = GruCell<TUpdate>.Layout.Name + ActivatedCells.Suffix,
        Gates = GruCell<TUpdate>.Layout.Gates,
        States = GruCell<TUpdate>.Layout.States,
        Products = GruCell<TUpdate>.Layout.Products,
        SavedValues = 3,
    };

    /// <inheritdoc/>
    public static IReadOnlyList<ActivationStep[]> Forwards { get; } = new ActivationStep[][]
    {
        [
            ActivationStep.OfGate(R, ActivationRole.Gate),
            ActivationStep.OfGate(Z, ActivationRole.Gate),
            ActivationStep.OfCell(0),
            ActivationStep.OfGate(N, ActivationRole.Candidate),
            ActivationStep.OfCell(1),
        ],
    };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Forward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IForwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (phase == 0)
        {
            step.SetGate(N, V.MultiplyAdd(step.Gate(R), step.Gate(M), step.Gate(N)));
        }
        else
        {
            ActivatedGru<TUpdate>.SetNext<TStep, V, T>(step);
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Backward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IBackwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var r = step.Gate(R);
        var m = step.Gate(M);
        var dn = ActivatedGru<TUpdate>.NextBackward<TStep, V, T>(step);
        step.SetGateGradient(M, dn * r);
        step.SetGateGradient(R, dn * m * step.SavedValue(R));
    }
}

/// <summary>Gated recurrent unit, reset before the product, with activations of choice: r, z = φ(·), n = γ(W x + U(r⊙h₋) + b), h = (1−z)⊙n + z⊙h₋.</summary>
/// <remarks>The cell of <see cref="GruBeforeCell{TUpdate}"/>, with φ and γ applied to whole rows by <see cref="ActivatedKernels{T}"/>. Saved are their derivatives.</remarks>
/// <typeparam name="TUpdate">What the update gate means.</typeparam>
internal readonly struct ActivatedGruBeforeCell<TUpdate> : IActivatedCell
    where TUpdate : struct, IUpdateGate
{
    private const int R = 0;
    private const int Z = 1;
    private const int N = 2;

    /// <inheritdoc/>
    public static CellLayout Layout { get; } = new()
    {
        Name = GruBeforeCell<TUpdate>.Layout.Name + ActivatedCells.Suffix,
        Gates = GruBeforeCell<TUpdate>.Layout.Gates,
        States = GruBeforeCell<TUpdate>.Layout.States,
        Products = GruBeforeCell<TUpdate>.Layout.Products,
        Intermediates = 1,
        SavedValues = 3,
        Phases = 2,
    };

    /// <inheritdoc/>
    public static IReadOnlyList<ActivationStep[]> Forwards { get; } = new ActivationStep[][]
    {
        [ActivationStep.OfGate(R, ActivationRole.Gate), ActivationStep.OfCell(0)],
        [ActivationStep.OfGate(Z, ActivationRole.Gate), ActivationStep.OfGate(N, ActivationRole.Candidate), ActivationStep.OfCell(1)],
    };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Forward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IForwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (phase == 0)
        {
            step.SetIntermediate(0, step.Gate(R) * step.Previous(0));
        }
        else
        {
            ActivatedGru<TUpdate>.SetNext<TStep, V, T>(step);
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Backward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IBackwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (phase == 1)
        {
            ActivatedGru<TUpdate>.NextBackward<TStep, V, T>(step);
            return;
        }

        var dm = step.IntermediateGradient(0);
        var r = step.Gate(R);
        step.SetGateGradient(R, dm * step.Previous(0) * step.SavedValue(R));
        step.SetGradient(0, V.MultiplyAdd(dm, r, step.CarriedGradient(0)));
    }
}

/// <summary>The last part of both, h = (1−z)⊙n + z⊙h₋.</summary>
internal static class ActivatedGru<TUpdate>
    where TUpdate : struct, IUpdateGate
{
    private const int Z = 1;
    private const int N = 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void SetNext<TStep, V, T>(TStep step)
        where TStep : struct, IForwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (z, n, hPrev) = (step.Gate(Z), step.Gate(N), step.Previous(0));
        step.SetNext(0, TUpdate.KeepsState ? V.MultiplyAdd(z, hPrev - n, n) : V.MultiplyAdd(z, n - hPrev, hPrev));
    }

    /// <summary>Sets the gradients of z, n and, as far as it flows directly, h₋; gives that of n.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V NextBackward<TStep, V, T>(TStep step)
        where TStep : struct, IBackwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var dh = step.Gradient(0);
        var (z, n, hPrev) = (step.Gate(Z), step.Gate(N), step.Previous(0));
        var previousWeight = TUpdate.KeepsState ? z : V.One - z;
        var dn = dh * (V.One - previousWeight) * step.SavedValue(N);
        step.SetGateGradient(N, dn);
        step.SetGateGradient(Z, dh * (TUpdate.KeepsState ? hPrev - n : n - hPrev) * step.SavedValue(Z));
        step.SetGradient(0, dh * previousWeight);
        return dn;
    }
}
