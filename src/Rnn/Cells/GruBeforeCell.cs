using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>
/// Gated recurrent unit, reset before the product: r, z = σ(W x + U h₋ + b), n = tanh(W x + U(r⊙h₋) + b), h = (1−z)⊙n + z⊙h₋.
/// </summary>
/// <remarks>
/// Cho et al. 2014 (arXiv:1406.1078), as written there. Two phases: the first makes r⊙h₋, the second multiplies it with the candidate's
/// matrix. <typeparamref name="TUpdate"/>: <see cref="UpdateGateKeepsState"/> as above, or <see cref="UpdateGateReplacesState"/>, where h = (1−z)⊙h₋ + z⊙n.
/// With layer normalisation (Ba, Kiros and Hinton 2016, arXiv:1607.06450) r, z = σ(LN(W x; γ₁) + LN(U h₋; γ₂) + b), each LN over both gates together, n = tanh(LN(W x; γ₃) + LN(U(r⊙h₋); γ₄) + b).
/// </remarks>
/// <typeparam name="TUpdate">What the update gate means.</typeparam>
internal readonly struct GruBeforeCell<TUpdate> : ICell
    where TUpdate : struct, IUpdateGate
{
    private const int R = 0;
    private const int Z = 1;
    private const int N = 2;

    /// <inheritdoc/>
    public static CellLayout Layout { get; } = new()
    {
        Name = $"gru-before{TUpdate.Suffix}",
        Gates = new Gate[] { new("r", "reset gate"), new("z", "update gate", role: TUpdate.KeepsState ? GateRole.Forget : GateRole.Input), new("n", "candidate") },
        States = new CellState[] { new("h", "hidden state", carriesGradient: true) },
        Products = new RecurrentProduct[] { new("weight_hh", Operand.Previous(0), R, 2), new("weight_hh", Operand.Intermediate(0), N, 1, phase: 1) },
        Intermediates = 1,
        Phases = 2,
    };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Forward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IForwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var hPrev = step.Previous(0);
        if (phase == 0)
        {
            var r = V.Sigmoid(step.Gate(R));
            step.SaveGate(R, r);
            step.SetIntermediate(0, r * hPrev);
            return;
        }

        var z = V.Sigmoid(step.Gate(Z));
        var n = V.Tanh(step.Gate(N));
        step.SaveGate(Z, z);
        step.SaveGate(N, n);
        step.SetNext(0, TUpdate.KeepsState ? V.MultiplyAdd(z, hPrev - n, n) : V.MultiplyAdd(z, n - hPrev, hPrev));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Backward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IBackwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var hPrev = step.Previous(0);
        if (phase == 1)
        {
            var dh = step.Gradient(0);
            var z = step.Gate(Z);
            var n = step.Gate(N);
            var previousWeight = TUpdate.KeepsState ? z : V.One - z;
            step.SetGateGradient(N, dh * (V.One - previousWeight) * (V.One - (n * n)));
            step.SetGateGradient(Z, dh * (TUpdate.KeepsState ? hPrev - n : n - hPrev) * (z * (V.One - z)));
            step.SetGradient(0, dh * previousWeight);
            return;
        }

        var dm = step.IntermediateGradient(0);
        var r = step.Gate(R);
        step.SetGateGradient(R, dm * hPrev * (r * (V.One - r)));
        step.SetGradient(0, V.MultiplyAdd(dm, r, step.CarriedGradient(0)));
    }
}
