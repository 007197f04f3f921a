using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>
/// Long short-term memory: i, f, o = σ(·), g = tanh(·), c = f⊙c₋ + i⊙g, h = o⊙tanh c.
/// </summary>
/// <remarks>
/// <para>Hochreiter and Schmidhuber 1997 (Neural Computation 9:1735–1780), with the forget gate of Gers, Schmidhuber and Cummins 2000.</para>
/// <para><typeparamref name="TPeephole"/>: <see cref="NoPeephole"/>, <see cref="DiagonalPeephole"/> (Gers, Schraudolph and Schmidhuber 2002: i and f
/// see p⊙c₋, o sees p⊙c) or <see cref="FullPeephole"/> (σ(Θ·[c, h, x] + b): i and f see P c₋, o sees P c, the new c).</para>
/// <para><typeparamref name="TForget"/>: <see cref="SeparateForget"/>, <see cref="CoupledForget"/> (i = 1 − f: three gates; Greff et al. 2017) or
/// <see cref="NoForget"/> (f = 1: the cell of 1997).</para>
/// <para>With layer normalisation (Ba, Kiros and Hinton 2016, arXiv:1607.06450) each gate's pre-activation is LN(W x; γ₁) + LN(U h₋; γ₂) + b, each LN over
/// all gates together, and h = o⊙tanh(LN(c; γ₃, β₃)). Peepholes see c as it is; a peephole's product P c is normalised like the others.</para>
/// </remarks>
/// <typeparam name="TPeephole">How the gates see the cell state.</typeparam>
/// <typeparam name="TForget">Where the forget gate comes from.</typeparam>
internal readonly struct LstmCell<TPeephole, TForget> : ICell
    where TPeephole : struct, IPeephole
    where TForget : struct, IForgetGate
{
    private const int H = 0;
    private const int C = 1;

    // The phases beyond 0, which is the whole step unless a product stands between cell state and output. Where the cell state is normalised, an
    // operation over its row does: the step is CellPhase (with a full peephole 0) and NormalizedOutputPhase. The output is written twice at
    // most: the JIT inlines what it drops afterwards too, and would run out of locals.
    private const int CellPhase = 1;
    private const int OutputPhase = 1;
    private const int NormalizedOutputPhase = 2;

    /// <inheritdoc/>
    public static CellLayout Layout { get; } = MakeLayout();

    // The order of the gates: i f g o, without i where it is coupled, without f where there is none.
    private static int I
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 0;
    }

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
        if (phase != NormalizedOutputPhase && (phase != OutputPhase || !TPeephole.IsFull))
        {
            var cPrev = step.Previous(C);
            var g = V.Tanh(step.Gate(G));
            V c;
            if (!TForget.HasInputGate)
            {
                var f = V.Sigmoid(WithPeephole<TStep, V, T>(step, F, 0, cPrev));
                c = V.MultiplyAdd(f, cPrev - g, g);
                step.SaveGate(F, f);
            }
            else if (!TForget.HasForgetGate)
            {
                var i = V.Sigmoid(WithPeephole<TStep, V, T>(step, I, 0, cPrev));
                c = V.MultiplyAdd(i, g, cPrev);
                step.SaveGate(I, i);
            }
            else
            {
                var i = V.Sigmoid(WithPeephole<TStep, V, T>(step, I, 0, cPrev));
                var f = V.Sigmoid(WithPeephole<TStep, V, T>(step, F, 1, cPrev));
                c = V.MultiplyAdd(f, cPrev, i * g);
                step.SaveGate(I, i);
                step.SaveGate(F, f);
            }

            step.SaveGate(G, g);
            step.SetNext(C, c);
            if (phase != CellPhase && !TPeephole.IsFull)
            {
                Output<TStep, V, T>(step, c, c);
            }
        }
        else
        {
            var c = step.Next(C);
            Output<TStep, V, T>(step, c, phase == NormalizedOutputPhase ? step.Intermediate(0) : c);
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
            // The phase of the cell state reads dc after the engine has added what flows through o's peephole matrix or the normalisation.
            step.SetGradient(C, OutputBackward<TStep, V, T>(phase, step));
            return;
        }

        var dc = phase == CellPhase || TPeephole.IsFull ? step.CarriedGradient(C) : OutputBackward<TStep, V, T>(phase, step);
        var cPrev = step.Previous(C);
        var g = step.Gate(G);
        V dcPrev;
        if (!TForget.HasInputGate)
        {
            var f = step.Gate(F);
            var i = V.One - f;
            var df = dc * (cPrev - g) * (f * i);
            dcPrev = dc * f;
            step.SetGateGradient(F, df);
            step.SetGateGradient(G, dc * i * (V.One - (g * g)));
            if (TPeephole.IsDiagonal)
            {
                dcPrev = V.MultiplyAdd(df, step.UnitWeight(0), dcPrev);
            }
        }
        else
        {
            var i = step.Gate(I);
            var di = dc * g * (i * (V.One - i));
            step.SetGateGradient(I, di);
            step.SetGateGradient(G, dc * i * (V.One - (g * g)));
            dcPrev = dc;
            if (TForget.HasForgetGate)
            {
                var f = step.Gate(F);
                var df = dc * cPrev * (f * (V.One - f));
                step.SetGateGradient(F, df);
                dcPrev = dc * f;
                if (TPeephole.IsDiagonal)
                {
                    dcPrev = V.MultiplyAdd(df, step.UnitWeight(1), dcPrev);
                }
            }

            if (TPeephole.IsDiagonal)
            {
                dcPrev = V.MultiplyAdd(di, step.UnitWeight(0), dcPrev);
            }
        }

        step.SetGradient(C, dcPrev);
    }

    // h = o⊙tanh cOut: c itself or the normalised c
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Output<TStep, V, T>(TStep step, V c, V cOut)
        where TStep : struct, IForwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var o = V.Sigmoid(WithPeephole<TStep, V, T>(step, O, O - 1, c));
        var tanhC = V.Tanh(cOut);
        step.SaveGate(O, o);
        step.SaveValue(0, tanhC);
        step.SetNext(H, o * tanhC);
    }

    // Gives the gradient of c (through h, o's peephole and the next step) and sets that of o.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V OutputBackward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IBackwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var dh = step.Gradient(H);
        var o = step.Gate(O);
        var tanhC = step.SavedValue(0);
        var dO = dh * tanhC * (o * (V.One - o));
        var dc = step.Gradient(C);
        if (phase == NormalizedOutputPhase)
        {
            step.SetIntermediateGradient(0, dh * o * (V.One - (tanhC * tanhC)));
        }
        else
        {
            dc = V.MultiplyAdd(dh * o, V.One - (tanhC * tanhC), dc);
        }

        if (TPeephole.IsDiagonal)
        {
            dc = V.MultiplyAdd(dO, step.UnitWeight(O - 1), dc);
        }

        step.SetGateGradient(O, dO);
        return dc;
    }

    // A gate's pre-activation, with its diagonal peephole where there is one.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V WithPeephole<TStep, V, T>(TStep step, int gate, int weight, V c)
        where TStep : struct, IForwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> =>
        TPeephole.IsDiagonal ? V.MultiplyAdd(step.UnitWeight(weight), c, step.Gate(gate)) : step.Gate(gate);

    private static CellLayout MakeLayout()
    {
        var gates = new List<Gate>();
        if (TForget.HasInputGate)
        {
            gates.Add(new("i", "input gate", role: GateRole.Input));
        }

        if (TForget.HasForgetGate)
        {
            gates.Add(new("f", "forget gate", initialBias: 1, role: GateRole.Forget));
        }

        gates.Add(new("g", "cell candidate"));
        gates.Add(new("o", "output gate"));
        var seeing = O - 1;
        var products = new List<RecurrentProduct> { new("weight_hh", Operand.Previous(H), 0, gates.Count) };
        var unitWeights = new List<UnitWeight>();
        if (TPeephole.IsFull)
        {
            products.Add(new("weight_ch", Operand.Previous(C), 0, seeing));
            products.Add(new("weight_ch", Operand.Next(C), O, 1, phase: 1));
        }
        else if (TPeephole.IsDiagonal)
        {
            for (var gate = 0; gate < seeing; gate++)
            {
                unitWeights.Add(new($"p{gates[gate].Letter}", $"peephole of the {gates[gate].Name}", gate, Operand.Previous(C)));
            }

            unitWeights.Add(new("po", "peephole of the output gate", O, Operand.Next(C)));
        }

        return new()
        {
            Name = $"lstm{TPeephole.Suffix}{TForget.Suffix}",
            Gates = gates,
            States = new CellState[] { new("h", "hidden state", carriesGradient: false), new("c", "cell state", carriesGradient: true) },
            Products = products,
            UnitWeights = unitWeights,
            UnitWeightName = "weight_peephole",
            SavedValues = 1,
            Phases = TPeephole.IsFull ? 2 : 1,
            OptionalNormalizations = new RowNormalization[] { new("norm_c", C, intermediate: 0, afterPhase: 0) },
            NormalizedPhases = new[] { TPeephole.IsFull ? 0 : CellPhase, NormalizedOutputPhase },
        };
    }
}
