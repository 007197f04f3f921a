using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Layers;

namespace Rnn.Training;

/// <summary>
/// Adam with Nesterov's look-ahead: μₜ = β₁ (1 − ½·0.96^(tψ)); m and v as in <see cref="Adam{T}"/>;
/// p ← p − η [ g (1 − μₜ) / (1 − Πμ₁…ₜ) + m μₜ₊₁ / (1 − Πμ₁…ₜ₊₁) ] / (√v̂ + ε). Weight decay λ adds λ p to the gradient.
/// </summary>
/// <remarks>Dozat, "Incorporating Nesterov Momentum into Adam" (2016).</remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class NAdam<T> : AdamBase<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // The product of the momenta up to a step; kept so that it costs one factor a step.
    private (long Step, double Beta1, double Decay, double Value) _product;

    /// <summary>An optimiser to be attached later. The learning rate is 0.002 unless set.</summary>
    public NAdam()
        : base(2e-3)
    {
    }

    /// <summary>An optimiser of all parameters of a module.</summary>
    /// <param name="module">The module.</param>
    public NAdam(Module<T> module)
        : this() => Attach(module);

    /// <summary>An optimiser of some parameters.</summary>
    /// <param name="parameters">The parameters.</param>
    public NAdam(IEnumerable<Parameter<T>> parameters)
        : this() => Attach(parameters);

    /// <summary>ψ, how fast the momentum rises to β₁; 0.004 by default.</summary>
    public double MomentumDecay
    {
        get;
        set => field = NotNegative(value, nameof(MomentumDecay));
    } = 4e-3;

    private protected override FormattableString Hyperparameters => $"{base.Hyperparameters}, MomentumDecay {MomentumDecay}";

    private protected override void Update(in UpdateRun run)
    {
        var momentum = Momentum(run.Step);
        var next = Momentum(run.Step + 1);
        var product = Product(run.Step);
        Run(
            new NesterovRule(
                T.CreateTruncating(run.WeightDecay),
                T.CreateTruncating(Beta1),
                T.CreateTruncating(1 - Beta1),
                T.CreateTruncating(Beta2),
                T.CreateTruncating(1 - Beta2),
                T.CreateTruncating(-run.LearningRate * (1 - momentum) / (1 - product)),
                T.CreateTruncating(-run.LearningRate * next / (1 - (product * next))),
                T.CreateTruncating(1 / Math.Sqrt(1 - Math.Pow(Beta2, run.Step))),
                T.CreateTruncating(Epsilon)),
            run);
    }

    private double Momentum(long step) => Beta1 * (1 - (0.5 * Math.Pow(0.96, step * MomentumDecay)));

    private double Product(long step)
    {
        if (_product.Beta1 != Beta1 || _product.Decay != MomentumDecay || _product.Step > step)
        {
            _product = default;
        }

        var (last, value) = _product.Step == 0 ? (0, 1.0) : (_product.Step, _product.Value);
        while (last < step && value > 0)
        {
            value *= Momentum(++last);
        }

        _product = (step, Beta1, MomentumDecay, value);
        return value;
    }

    private readonly struct NesterovRule(
        T decay, T beta1, T oneMinusBeta1, T beta2, T oneMinusBeta2, T gradientStep, T momentStep, T rootCorrection, T epsilon) : IUpdateRule<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V parameter, V gradient, ref V state0, ref V state1, ref V state2)
            where V : struct, Kernels.IVector<V, T>
        {
            gradient = UpdateMath<T>.Moment(V.MultiplyAdd(V.Broadcast(decay), parameter, gradient));
            var toSquare = UpdateMath<T>.ToSquare(gradient);
            state0 = UpdateMath<T>.Moment(V.MultiplyAdd(V.Broadcast(beta1), state0, V.Broadcast(oneMinusBeta1) * gradient));
            state1 = UpdateMath<T>.Normal(V.MultiplyAdd(V.Broadcast(beta2), state1, V.Broadcast(oneMinusBeta2) * toSquare * toSquare));
            var divisor = V.MultiplyAdd(V.Sqrt(state1), V.Broadcast(rootCorrection), V.Broadcast(epsilon));
            var step = V.MultiplyAdd(V.Broadcast(momentStep), state0, V.Broadcast(gradientStep) * gradient);
            return parameter + (step / divisor);
        }
    }
}
