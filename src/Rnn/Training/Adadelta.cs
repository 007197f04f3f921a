using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Layers;

namespace Rnn.Training;

/// <summary>
/// Adadelta: v = ρ v + (1 − ρ) g²; δ = g √(u + ε) / √(v + ε); p ← p − η δ; u = ρ u + (1 − ρ) δ². Weight decay λ adds λ p to the gradient.
/// </summary>
/// <remarks>Zeiler, "ADADELTA: An Adaptive Learning Rate Method" (2012).</remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class Adadelta<T> : Optimizer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private static readonly string?[] Names = ["mean_square_gradient", "mean_square_step"];

    /// <summary>An optimiser to be attached later. The learning rate is 1 unless set.</summary>
    public Adadelta()
        : base(1)
    {
    }

    /// <summary>An optimiser of all parameters of a module.</summary>
    /// <param name="module">The module.</param>
    public Adadelta(Module<T> module)
        : this() => Attach(module);

    /// <summary>An optimiser of some parameters.</summary>
    /// <param name="parameters">The parameters.</param>
    public Adadelta(IEnumerable<Parameter<T>> parameters)
        : this() => Attach(parameters);

    /// <summary>ρ, how much of the means of past squares is kept; 0.9 by default.</summary>
    public double Rho
    {
        get;
        set => field = Fraction(value, nameof(Rho));
    } = 0.9;

    /// <summary>ε, added under the roots; 1e-6 by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not finite, or below 1e-17 (double: 1e-145): smaller gradients have no square, and would be divided by it alone.</exception>
    public double Epsilon
    {
        get;
        set => field = Divisor(value, nameof(Epsilon));
    } = 1e-6;

    private protected override bool SquaresGradients => true;

    private protected override FormattableString Hyperparameters => $", Rho {Rho}, Epsilon {Epsilon}";

    private protected override ReadOnlySpan<string?> StateNames => Names;

    private protected override void Update(in UpdateRun run) => Run(
        new Rule(
            T.CreateTruncating(-run.LearningRate),
            T.CreateTruncating(run.WeightDecay),
            T.CreateTruncating(Rho),
            T.CreateTruncating(1 - Rho),
            T.CreateTruncating(Epsilon)),
        run);

    private readonly struct Rule(T minusRate, T decay, T rho, T oneMinusRho, T epsilon) : IUpdateRule<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V parameter, V gradient, ref V state0, ref V state1, ref V state2)
            where V : struct, Kernels.IVector<V, T>
        {
            gradient = UpdateMath<T>.Moment(V.MultiplyAdd(V.Broadcast(decay), parameter, gradient));
            var toSquare = UpdateMath<T>.ToSquare(gradient);
            state0 = UpdateMath<T>.Normal(V.MultiplyAdd(V.Broadcast(rho), state0, V.Broadcast(oneMinusRho) * toSquare * toSquare));
            var step = gradient * (V.Sqrt(state1 + V.Broadcast(epsilon)) / V.Sqrt(state0 + V.Broadcast(epsilon)));
            toSquare = UpdateMath<T>.ToSquare(step);
            state1 = UpdateMath<T>.Normal(V.MultiplyAdd(V.Broadcast(rho), state1, V.Broadcast(oneMinusRho) * toSquare * toSquare));
            return V.MultiplyAdd(V.Broadcast(minusRate), step, parameter);
        }
    }
}
