using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Layers;

namespace Rnn.Training;

/// <summary>
/// Adagrad: s = s + g²; p ← p − ηₜ g / (√s + ε), where ηₜ = η / (1 + (t − 1) d). Weight decay λ adds λ p to the gradient.
/// </summary>
/// <remarks>Duchi, Hazan and Singer, "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization" (2011).</remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class Adagrad<T> : Optimizer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private static readonly string?[] Names = ["sum_of_squares"];

    /// <summary>An optimiser to be attached later. The learning rate is 0.01 unless set.</summary>
    public Adagrad()
        : base(1e-2)
    {
    }

    /// <summary>An optimiser of all parameters of a module.</summary>
    /// <param name="module">The module.</param>
    public Adagrad(Module<T> module)
        : this() => Attach(module);

    /// <summary>An optimiser of some parameters.</summary>
    /// <param name="parameters">The parameters.</param>
    public Adagrad(IEnumerable<Parameter<T>> parameters)
        : this() => Attach(parameters);

    /// <summary>d, how fast the learning rate falls with the steps; 0 by default.</summary>
    public double LearningRateDecay
    {
        get;
        set => field = NotNegative(value, nameof(LearningRateDecay));
    }

    /// <summary>What the sum of squares begins with; 0 by default. Set it before the first step.</summary>
    public double InitialAccumulator
    {
        get;
        set => field = NotNegative(value, nameof(InitialAccumulator));
    }

    /// <summary>ε, added to the divisor; 1e-10 by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not finite, or below 1e-17 (double: 1e-145): smaller gradients have no square, and would be divided by it alone.</exception>
    public double Epsilon
    {
        get;
        set => field = Divisor(value, nameof(Epsilon));
    } = 1e-10;

    private protected override bool SquaresGradients => true;

    private protected override FormattableString Hyperparameters => $", LearningRateDecay {LearningRateDecay}, InitialAccumulator {InitialAccumulator}, Epsilon {Epsilon}";

    private protected override ReadOnlySpan<string?> StateNames => Names;

    private protected override T InitialState(string name) => T.CreateTruncating(InitialAccumulator);

    private protected override void Update(in UpdateRun run) => Run(
        new Rule(
            T.CreateTruncating(-run.LearningRate / (1 + ((run.Step - 1) * LearningRateDecay))),
            T.CreateTruncating(run.WeightDecay),
            T.CreateTruncating(Epsilon)),
        run);

    private readonly struct Rule(T minusRate, T decay, T epsilon) : IUpdateRule<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V parameter, V gradient, ref V state0, ref V state1, ref V state2)
            where V : struct, Kernels.IVector<V, T>
        {
            gradient = UpdateMath<T>.Moment(V.MultiplyAdd(V.Broadcast(decay), parameter, gradient));
            var toSquare = UpdateMath<T>.ToSquare(gradient);
            state0 = V.MultiplyAdd(toSquare, toSquare, state0);
            return V.MultiplyAdd(V.Broadcast(minusRate), gradient / (V.Sqrt(state0) + V.Broadcast(epsilon)), parameter);
        }
    }
}
