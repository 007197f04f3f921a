using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Training;

/// <summary>What <see cref="Adam{T}"/>, <see cref="AdamW{T}"/> and <see cref="NAdam{T}"/> have in common.</summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public abstract class AdamBase<T> : Optimizer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private static readonly string?[] Moments = ["first_moment", "second_moment"];

    private protected AdamBase(double learningRate = 1e-3, double weightDecay = 0)
        : base(learningRate, weightDecay)
    {
    }

    /// <summary>β₁, how much of the mean of past gradients is kept; 0.9 by default.</summary>
    public double Beta1
    {
        get;
        set => field = Fraction(value, nameof(Beta1));
    } = 0.9;

    /// <summary>β₂, how much of the mean of past squared gradients is kept; 0.999 by default.</summary>
    public double Beta2
    {
        get;
        set => field = Fraction(value, nameof(Beta2));
    } = 0.999;

    /// <summary>ε, added to the divisor; 1e-8 by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not finite, or below 1e-17 (double: 1e-145): smaller gradients have no square, and would be divided by it alone.</exception>
    public double Epsilon
    {
        get;
        set => field = Divisor(value, nameof(Epsilon));
    } = 1e-8;

    private protected override bool SquaresGradients => true;

    private protected override FormattableString Hyperparameters => $", Beta1 {Beta1}, Beta2 {Beta2}, Epsilon {Epsilon}";

    private protected override ReadOnlySpan<string?> StateNames => Moments;

    private protected Rule MakeRule(in UpdateRun run, double decayInGradient, double decayApart) => new(
        T.CreateTruncating(decayInGradient),
        T.CreateTruncating(1 - decayApart),
        T.CreateTruncating(Beta1),
        T.CreateTruncating(1 - Beta1),
        T.CreateTruncating(Beta2),
        T.CreateTruncating(1 - Beta2),
        T.CreateTruncating(-run.LearningRate / (1 - Math.Pow(Beta1, run.Step))),
        T.CreateTruncating(1 / Math.Sqrt(1 - Math.Pow(Beta2, run.Step))),
        T.CreateTruncating(Epsilon));

    private protected readonly struct Rule(
        T decay, T keep, T beta1, T oneMinusBeta1, T beta2, T oneMinusBeta2, T minusStep, T rootCorrection, T epsilon) : IUpdateRule<T>
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
            return V.MultiplyAdd(V.Broadcast(minusStep), state0 / divisor, parameter * V.Broadcast(keep));
        }
    }
}
