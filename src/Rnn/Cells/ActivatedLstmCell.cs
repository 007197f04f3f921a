using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>
/// Long short-term memory with activations of choice: i, f, o = φ(·), g = γ(·), c = f⊙c₋ + i⊙g, h = o⊙η(c).
/// </summary>
/// <remarks>
/// The cell of <see cref="LstmCell{TPeephole, TForget}"/>, with φ, γ and η applied to whole rows by <see cref="ActivatedKernels{T}"/>. Forward phase 0 is the cell state, phase 1
/// the output. Saved are the derivatives of all gates' activations, and that of η.
/// </remarks>
/// <typeparam name="TPeephole">How the gates see the cell state.</typeparam>
/// <typeparam name="TForget">Where the forget gate comes from.</typeparam>
/// <typeparam name="TFromInput">With <see cref="NoForget"/>: whether f = 1 − i, as ONNX's <c>input_forget</c>, in place of f = 1.</typeparam>
internal readonly struct ActivatedLstmCell<TPeephole, TForget, TFromInput> : IActivatedCell
    where TPeephole : struct, IPeephole
    where TForget : struct, IForgetGate
    where TFromInput : struct, IChoice
{
    private const int H = 0;
    private const int C = 1;
    private const int CellPhase = 1;
    private const int OutputPhase = 1;
    private const int NormalizedOutputPhase = 2;

    /// <inheritdoc/>
    public static CellLayout Layout { get; } = MakeLayout();

    /// <inheritdoc/>
    public static IReadOnlyList<ActivationStep[]> Forwards { get; } = MakeForwards();

    // The order of the gates: i f g o, without i where it is coupled, without f where it is none of its own.
    private static int F
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TForget.HasInputGate ? 1 : 0;
    }

    private static int G
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TForget.HasInputGate && TForget.HasForgetGate ? 2 : 1;
    }

    private static int O
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => G + 1;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Forward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IForwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (phase != 0)
        {
            step.SetNext(H, step.Gate(O) * step.Intermediate(0));
            return;
        }

        var cPrev = step.Previous(C);
        var g = step.Gate(G);
        var first = step.Gate(0);
        if (!TForget.HasInputGate)
        {
            step.SetNext(C, V.MultiplyAdd(first, cPrev - g, g));
        }
        else if (TForget.HasForgetGate)
        {
            step.SetNext(C, V.MultiplyAdd(step.Gate(F), cPrev, first * g));
        }
        else
        {
            step.SetNext(C, V.MultiplyAdd(first, TFromInput.Value ? g - cPrev : g, cPrev));
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Backward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IBackwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (phase == NormalizedOutputPhase || (phase == OutputPhase && TPeephole.IsFull))
        {
            step.SetGradient(C, OutputBackward<TStep, V, T>(phase, step));
            return;
        }

        var dc = phase == CellPhase || TPeephole.IsFull ? step.CarriedGradient(C) : OutputBackward<TStep, V, T>(phase, step);
        var cPrev = step.Previous(C);
        var g = step.Gate(G);
        var first = step.Gate(0);
        V dcPrev, dFirst;
        if (!TForget.HasInputGate)
        {
            dFirst = dc * (cPrev - g) * step.SavedValue(0);
            dcPrev = dc * first;
            step.SetGateGradient(G, dc * (V.One - first) * step.SavedValue(G));
        }
        else
        {
            dFirst = dc * (TFromInput.Value && !TForget.HasForgetGate ? g - cPrev : g) * step.SavedValue(0);
            dcPrev = TFromInput.Value && !TForget.HasForgetGate ? dc * (V.One - first) : dc;
            step.SetGateGradient(G, dc * first * step.SavedValue(G));
            if (TForget.HasForgetGate)
            {
                var f = step.Gate(F);
                var df = dc * cPrev * step.SavedValue(F);
                step.SetGateGradient(F, df);
                dcPrev = TPeephole.IsDiagonal ? V.MultiplyAdd(df, step.UnitWeight(1), dc * f) : dc * f;
            }
        }

        step.SetGateGradient(0, dFirst);
        step.SetGradient(C, TPeephole.IsDiagonal ? V.MultiplyAdd(dFirst, step.UnitWeight(0), dcPrev) : dcPrev);
    }

    // Gives the gradient of c (through h, o's peephole and the next step) and sets that of o.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V OutputBackward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IBackwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var dh = step.Gradient(H);
        var dO = dh * step.Intermediate(0) * step.SavedValue(O);
        var dOut = dh * step.Gate(O) * step.SavedValue(O + 1);
        var dc = step.Gradient(C);
        if (phase == NormalizedOutputPhase)
        {
            step.SetIntermediateGradient(1, dOut);
        }
        else
        {
            dc += dOut;
        }

        step.SetGateGradient(O, dO);
        return TPeephole.IsDiagonal ? V.MultiplyAdd(dO, step.UnitWeight(O - 1), dc) : dc;
    }

    // The phases by the engine's numbers: 0 the whole step, or with a full peephole the cell state; 1 and 2 as the constants say.
    private static ActivationStep[][] MakeForwards()
    {
        var isDiagonal = TPeephole.IsDiagonal;
        var state = new List<ActivationStep>();
        for (var gate = 0; gate < G; gate++)
        {
            state.Add(ActivationStep.OfGate(gate, ActivationRole.Gate, isDiagonal ? gate : -1));
        }

        state.Add(ActivationStep.OfGate(G, ActivationRole.Candidate));
        state.Add(ActivationStep.OfCell(0));
        var output = Output(isNormalized: false);
        return TPeephole.IsFull
            ? [[.. state], output, Output(isNormalized: true)]
            : [[.. state, .. output], [.. state], Output(isNormalized: true)];

        ActivationStep[] Output(bool isNormalized) =>
        [
            ActivationStep.OfGate(O, ActivationRole.Gate, isDiagonal ? O - 1 : -1, seesNext: true),
            ActivationStep.OfCellState(O + 1, isNormalized),
            ActivationStep.OfCell(1),
        ];
    }

    private static CellLayout MakeLayout()
    {
        var plain = LstmCell<TPeephole, TForget>.Layout;
        return new()
        {
            Name = $"{(TFromInput.Value ? $"lstm{TPeephole.Suffix}-inputcoupled" : plain.Name)}{ActivatedCells.Suffix}",
            Gates = plain.Gates,
            States = plain.States,
            Products = plain.Products,
            UnitWeights = plain.UnitWeights,
            UnitWeightName = plain.UnitWeightName,
            Intermediates = 1,
            SavedValues = plain.Gates.Count + 1,
            Phases = plain.Phases,
            OptionalNormalizations = new RowNormalization[] { new("norm_c", C, intermediate: 1, afterPhase: 0) },
            NormalizedPhases = plain.NormalizedPhases,
        };
    }
}
