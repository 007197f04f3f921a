using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Layers;

namespace Rnn.Training;

/// <summary>
/// RMSprop: v = α v + (1 − α) g²; p ← p − η g / (√v + ε). Centred, the square of the gradients' own running mean is taken off v; with
/// momentum μ the quotient joins b = μ b + g / (√v + ε) and p ← p − η b. Weight decay λ adds λ p to the gradient.
/// </summary>
/// <remarks>Tieleman and Hinton, lecture 6.5 of "Neural Networks for Machine Learning" (2012); centred by Graves, "Generating Sequences With Recurrent Neural Networks" (2013).</remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class RmsProp<T> : Optimizer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private static readonly string?[] Plain = ["second_moment"];
    private static readonly string?[] WithMean = ["second_moment", "first_moment"];
    private static readonly string?[] WithMomentum = ["second_moment", null, "momentum"];
    private static readonly string?[] WithBoth = ["second_moment", "first_moment", "momentum"];

    /// <summary>An optimiser to be attached later. The learning rate is 0.01 unless set.</summary>
    public RmsProp()
        : base(1e-2)
    {
    }

    /// <summary>An optimiser of all parameters of a module.</summary>
    /// <param name="module">The module.</param>
    public RmsProp(Module<T> module)
        : this() => Attach(module);

    /// <summary>An optimiser of some parameters.</summary>
    /// <param name="parameters">The parameters.</param>
    public RmsProp(IEnumerable<Parameter<T>> parameters)
        : this() => Attach(parameters);

    /// <summary>α, how much of the mean of past squared gradients is kept; 0.99 by default.</summary>
    public double Alpha
    {
        get;
        set => field = Fraction(value, nameof(Alpha));
    } = 0.99;

    /// <summary>ε, added to the divisor; 1e-8 by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not finite, or below 1e-17 (double: 1e-145): smaller gradients have no square, and would be divided by it alone.</exception>
    public double Epsilon
    {
        get;
        set => field = Divisor(value, nameof(Epsilon));
    } = 1e-8;

    /// <summary>μ, how much of the last direction is kept; 0 (none) by default.</summary>
    public double Momentum
    {
        get;
        set => field = Fraction(value, nameof(Momentum));
    }

    /// <summary>Whether the divisor is the standard deviation of past gradients, not their root mean square.</summary>
    public bool Centered { get; set; }

    private protected override bool SquaresGradients => true;

    private protected override FormattableString Hyperparameters => $", Alpha {Alpha}, Epsilon {Epsilon}, Momentum {Momentum}, Centered {Centered}";

    private protected override ReadOnlySpan<string?> StateNames => (Centered, Momentum > 0) switch
    {
        (false, false) => Plain,
        (true, false) => WithMean,
        (false, true) => WithMomentum,
        (true, true) => WithBoth,
    };

    private protected override void Update(in UpdateRun run) => Run(
        new Rule(
            T.CreateTruncating(-run.LearningRate),
            T.CreateTruncating(run.WeightDecay),
            T.CreateTruncating(Alpha),
            T.CreateTruncating(1 - Alpha),
            Centered ? T.CreateTruncating(1 - Alpha) : T.Zero,
            T.CreateTruncating(Epsilon),
            T.CreateTruncating(Momentum)),
        run);

    // A state without memory is read as zeros: then the same formula is the one without mean or momentum.
    private readonly struct Rule(T minusRate, T decay, T alpha, T oneMinusAlpha, T meanWeight, T epsilon, T momentum) : IUpdateRule<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V parameter, V gradient, ref V state0, ref V state1, ref V state2)
            where V : struct, Kernels.IVector<V, T>
        {
            gradient = UpdateMath<T>.Moment(V.MultiplyAdd(V.Broadcast(decay), parameter, gradient));
            var toSquare = UpdateMath<T>.ToSquare(gradient);
            state0 = UpdateMath<T>.Normal(V.MultiplyAdd(V.Broadcast(alpha), state0, V.Broadcast(oneMinusAlpha) * toSquare * toSquare));
            state1 = UpdateMath<T>.Moment(V.MultiplyAdd(V.Broadcast(alpha), state1, V.Broadcast(meanWeight) * gradient));

            // Rounding may take the difference below zero where all gradients were equal.
            var variance = V.Max(V.MultiplyAdd(-state1, state1, state0), V.Zero);
            state2 = UpdateMath<T>.Moment(V.MultiplyAdd(V.Broadcast(momentum), state2, gradient / (V.Sqrt(variance) + V.Broadcast(epsilon))));
            return V.MultiplyAdd(V.Broadcast(minusRate), state2, parameter);
        }
    }
}
