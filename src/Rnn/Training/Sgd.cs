using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Layers;
using Rnn.Sequences;

namespace Rnn.Training;

/// <summary>
/// Stochastic gradient descent, with momentum if wanted: b = μ b + (1 − d) g, the first b being g; then p ← p − η b, or with Nesterov's
/// look-ahead p ← p − η (g + μ b). Weight decay λ adds λ p to the gradient.
/// </summary>
/// <remarks>Sutskever, Martens, Dahl and Hinton, "On the importance of initialization and momentum in deep learning" (2013).</remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class Sgd<T> : Optimizer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private static readonly string?[] WithMomentum = ["momentum"];

    /// <summary>An optimiser to be attached later. The learning rate is 0.01 unless set.</summary>
    public Sgd()
        : base(1e-2)
    {
    }

    /// <summary>An optimiser of all parameters of a module.</summary>
    /// <param name="module">The module.</param>
    public Sgd(Module<T> module)
        : this() => Attach(module);

    /// <summary>An optimiser of some parameters.</summary>
    /// <param name="parameters">The parameters.</param>
    public Sgd(IEnumerable<Parameter<T>> parameters)
        : this() => Attach(parameters);

    /// <summary>μ, how much of the last direction is kept: from 0 (none, the default) up to 1.</summary>
    public double Momentum
    {
        get;
        set => field = Fraction(value, nameof(Momentum));
    }

    /// <summary>d, how much the gradient is damped before it joins the momentum, from 0 (the default) to 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of range.</exception>
    public double Dampening
    {
        get;
        set => field = OptionRange.Within(value, 0, 1, nameof(Dampening));
    }

    /// <summary>Whether the gradient is taken as if the momentum step had been made. Needs a <see cref="Momentum"/> above zero.</summary>
    public bool Nesterov { get; set; }

    private protected override FormattableString Hyperparameters => $", Momentum {Momentum}, Dampening {Dampening}, Nesterov {Nesterov}";

    private protected override ReadOnlySpan<string?> StateNames => Momentum > 0 ? WithMomentum : default;

    internal override void CheckOptions()
    {
        if (Nesterov && (Momentum == 0 || Dampening != 0))
        {
            throw new InvalidOperationException(
                string.Create(CultureInfo.InvariantCulture, $"Nesterov: needs a Momentum above zero and no Dampening, but Momentum is {Momentum} and Dampening {Dampening}."));
        }
    }

    private protected override void Update(in UpdateRun run)
    {
        if (Momentum == 0)
        {
            Run(new PlainRule(T.CreateTruncating(-run.LearningRate), T.CreateTruncating(run.WeightDecay)), run);
            return;
        }

        Run(
            new MomentumRule(
                T.CreateTruncating(-run.LearningRate),
                T.CreateTruncating(run.WeightDecay),
                T.CreateTruncating(Momentum),
                run.Step == 1 ? T.One : T.CreateTruncating(1 - Dampening),
                Nesterov ? T.CreateTruncating(Momentum) : T.One,
                Nesterov ? T.One : T.Zero),
            run);
    }

    private readonly struct PlainRule(T minusRate, T decay) : IUpdateRule<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V parameter, V gradient, ref V state0, ref V state1, ref V state2)
            where V : struct, Kernels.IVector<V, T>
        {
            gradient = UpdateMath<T>.Moment(V.MultiplyAdd(V.Broadcast(decay), parameter, gradient));
            return V.MultiplyAdd(V.Broadcast(minusRate), gradient, parameter);
        }
    }

    private readonly struct MomentumRule(T minusRate, T decay, T momentum, T gradientWeight, T momentumStep, T gradientStep) : IUpdateRule<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V parameter, V gradient, ref V state0, ref V state1, ref V state2)
            where V : struct, Kernels.IVector<V, T>
        {
            gradient = UpdateMath<T>.Moment(V.MultiplyAdd(V.Broadcast(decay), parameter, gradient));
            state0 = UpdateMath<T>.Moment(V.MultiplyAdd(V.Broadcast(momentum), state0, V.Broadcast(gradientWeight) * gradient));
            var step = V.MultiplyAdd(V.Broadcast(momentumStep), state0, V.Broadcast(gradientStep) * gradient);
            return V.MultiplyAdd(V.Broadcast(minusRate), step, parameter);
        }
    }
}
