using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>
/// sLSTM, an LSTM with exponential gates: z = tanh(·), o = σ(·), i = exp(ĩ), f = σ(f̃) or exp(f̃), c = f⊙c₋ + i⊙z, n = f⊙n₋ + i, h = o⊙c/n.
/// </summary>
/// <remarks>
/// <para>Beck et al. 2024 (xLSTM, arXiv:2405.04517, section 2.2 and appendix A.2). The normaliser n sums up all input gates, weighed as the cell state is.</para>
/// <para>c and n are held divided by eᵐ, with the stabiliser m = max(log f + m₋, ĩ): then the factors are exp(log f + m₋ − m) and exp(ĩ − m), one of which is 1
/// and neither larger, so nothing overflows, n is 1 or more after the first step, and h does not depend on m. A normaliser of 0 is an empty memory, of which m₋ says nothing: there m = ĩ.</para>
/// </remarks>
/// <typeparam name="TForget">The function of the forget gate: <see cref="SigmoidForget"/> or <see cref="ExponentialForget"/>.</typeparam>
internal readonly struct SLstmCell<TForget> : ICell
    where TForget : struct, ILogForget
{
    private const int I = 0;
    private const int F = 1;
    private const int Z = 2;
    private const int O = 3;

    private const int H = 0;
    private const int C = 1;
    private const int N = 2;
    private const int M = 3;

    // The stabiliser of an empty memory: below every pre-activation, and far enough from infinity to add to.
    private const double Nothing = -1e30;

    /// <inheritdoc/>
    public static CellLayout Layout { get; } = new()
    {
        Name = $"slstm{TForget.Suffix}",
        Gates = new Gate[]
        {
            new("i", "input gate", role: GateRole.Input), new("f", "forget gate", initialBias: 1, role: GateRole.Forget), new("z", "cell input"),
            new("o", "output gate"),
        },
        States = new CellState[]
        {
            new("h", "hidden state", carriesGradient: false), new("c", "cell state", carriesGradient: true), new("n", "normaliser", carriesGradient: true),
            new("m", "stabiliser", carriesGradient: true),
        },
        Products = new RecurrentProduct[] { new("weight_hh", Operand.Previous(H), I, 4) },
        CellStatesBelongTogether = true,
    };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Forward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IForwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var logForget = TForget.Log<V, T>(step.Gate(F));
        var nPrev = step.Previous(N);
        var kept = logForget + Stabiliser<V, T>(step.Previous(M), nPrev);
        var m = V.Max(kept, step.Gate(I));
        var i = V.Exp(step.Gate(I) - m);
        var f = V.Exp(kept - m);
        step.SaveGate(F, logForget);
        step.SetNext(M, m);
        var z = V.Tanh(step.Gate(Z));
        var c = V.MultiplyAdd(f, step.Previous(C), i * z);
        var n = V.MultiplyAdd(f, nPrev, i);
        step.SaveGate(I, i);
        step.SaveGate(Z, z);
        step.SetNext(C, c);
        step.SetNext(N, n);
        var o = V.Sigmoid(step.Gate(O));
        step.SaveGate(O, o);
        step.SetNext(H, o * (c / n));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Backward<TStep, V, T>(int phase, TStep step)
        where TStep : struct, IBackwardStep<V, T>
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var n = step.Next(N);
        var ratio = step.Next(C) / n;
        var o = step.Gate(O);
        var dh = step.Gradient(H);
        step.SetGateGradient(O, dh * ratio * (o * (V.One - o)));
        var byRatio = dh * o / n;
        var dc = step.Gradient(C) + byRatio;
        var dn = step.Gradient(N) - (byRatio * ratio);

        var i = step.Gate(I);
        var z = step.Gate(Z);
        step.SetGateGradient(Z, dc * i * (V.One - (z * z)));

        // Of the two arguments of m's maximum one has the factor 1: gradients reach m and the other factor by it.
        var logForget = step.Gate(F);
        var nPrev = step.Previous(N);
        var kept = logForget + Stabiliser<V, T>(step.Previous(M), nPrev);
        var m = step.Next(M);
        var f = V.Exp(kept - m);
        var keeps = V.LessThanOrEqual(m, kept);
        var dm = step.Gradient(M);
        var moved = V.Select(keeps, i * V.MultiplyAdd(dc, z, dn), -(f * V.MultiplyAdd(dc, step.Previous(C), dn * nPrev)));
        var dKept = V.Select(keeps, dm, V.Zero) - moved;
        step.SetGateGradient(I, V.Select(keeps, V.Zero, dm) + moved);
        step.SetGateGradient(F, dKept * TForget.Slope<V, T>(logForget));
        step.SetGradient(C, dc * f);
        step.SetGradient(N, dn * f);
        step.SetGradient(M, dKept);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Stabiliser<V, T>(V m, V n)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.Select(V.EqualTo(n, V.Zero), V.Constant(Nothing), m);
}

/// <summary>The logarithm of the forget gate of an sLSTM; a type parameter of <see cref="SLstmCell{TForget}"/>.</summary>
internal interface ILogForget
{
    /// <summary>What the option adds to the cell's name.</summary>
    static abstract string Suffix { get; }

    /// <summary>log f of the pre-activation.</summary>
    static abstract V Log<V, T>(V preActivation)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>;

    /// <summary>The derivative of <see cref="Log"/>, from its result.</summary>
    static abstract V Slope<V, T>(V logForget)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>;
}

/// <summary>f = σ(f̃): log f = −log(1 + exp(−f̃)), with the derivative 1 − f.</summary>
internal readonly struct SigmoidForget : ILogForget
{
    /// <inheritdoc/>
    public static string Suffix => string.Empty;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Log<V, T>(V preActivation)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => -VectorMath.Softplus<V, T>(-preActivation);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Slope<V, T>(V logForget)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => -VectorMath.ExpM1<V, T>(logForget);
}

/// <summary>f = exp(f̃): log f = f̃.</summary>
internal readonly struct ExponentialForget : ILogForget
{
    /// <inheritdoc/>
    public static string Suffix => "-expforget";

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Log<V, T>(V preActivation)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => preActivation;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Slope<V, T>(V logForget)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => V.One;
}
