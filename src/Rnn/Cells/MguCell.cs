using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>
/// Minimal gated unit: f = σ(W x + U h₋ + b), n = tanh(W x + U(f⊙h₋) + b), h = (1−f)⊙h₋ + f⊙n.
/// </summary>
/// <remarks>
/// Zhou, Wu, Zhang and Zhou 2016 (arXiv:1603.09420): a GRU whose one gate is reset and update at once. Two phases: the first makes f⊙h₋, the
/// second multiplies it with the candidate's matrix.
/// </remarks>
internal readonly struct MguCell : ICell
{
    private const int F = 0;
    private const int N = 1;

    /// <inheritdoc/>
    public static CellLayout Layout { get; } = new()
    {
        Name = "mgu",
        Gates = new Gate[] { new("f", "forget gate", role: GateRole.Input), new("n", "candidate") },
        States = new CellState[] { new("h", "hidden state", carriesGradient: true) },
        Products = new RecurrentProduct[] { new("weight_hh", Operand.Previous(0), F, 1), new("weight_hh", Operand.Intermediate(0), N, 1, phase: 1) },
        Intermediates = 1,
        SavedValues = 1,
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
            var opened = V.Sigmoid(step.Gate(F));
            step.SetGate(F, opened);
            step.SaveValue(0, opened);
            step.SetIntermediate(0, opened * hPrev);
            return;
        }

        var f = step.Gate(F);
        var n = V.Tanh(step.Gate(N));
        step.SaveGate(N, n);
        step.SetNext(0, V.MultiplyAdd(f, n - hPrev, hPrev));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Backward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IBackwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var hPrev = step.Previous(0);
        var f = step.SavedValue(0);
        if (phase == 1)
        {
            // The gradient of f so far waits in its column for what comes through f⊙h₋.
            var dh = step.Gradient(0);
            var n = step.Gate(N);
            step.SetGateGradient(N, dh * f * (V.One - (n * n)));
            step.SetGateGradient(F, dh * (n - hPrev));
            step.SetGradient(0, dh * (V.One - f));
            return;
        }

        var dm = step.IntermediateGradient(0);
        step.SetGateGradient(F, V.MultiplyAdd(dm, hPrev, step.Gate(F)) * (f * (V.One - f)));
        step.SetGradient(0, V.MultiplyAdd(dm, f, step.CarriedGradient(0)));
    }
}
