using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Formats;
using Rnn.Layers;
using Rnn.Sequences;

namespace Rnn.Training;

/// <summary>
/// ASGD: stochastic gradient descent whose running average of the parameters is the result: p ← p (1 − λ ηₜ) − ηₜ g with
/// ηₜ = η / (1 + λ η (t − 1))^α, and a ← a + (p − a) μₜ with μₜ = 1 / max(1, t − 1 − t₀). Until t₀ the average is the parameters.
/// </summary>
/// <remarks>
/// Polyak and Juditsky, "Acceleration of Stochastic Approximation by Averaging" (1992). Started when validation stops improving it is
/// the NT-ASGD of Merity, Keskar and Socher, "Regularizing and Optimizing LSTM Language Models" (2018): set <see cref="Lambda"/> to 0 and
/// call <see cref="StartAveraging"/> when a <see cref="NonMonotoneTrigger"/> fires.
/// </remarks>
/// <example>
/// <code>
/// using (optimizer.EnterAverages())
/// {
///     validation = Evaluate(model);
/// }
/// </code>
/// </example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class AveragedSgd<T> : Optimizer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const string AverageAfterKey = "optimizer_average_after";

    private static readonly string?[] Names = ["average"];

    private bool _averagesInUse;

    /// <summary>An optimiser to be attached later. The learning rate is 0.01 unless set.</summary>
    public AveragedSgd()
        : base(1e-2)
    {
    }

    /// <summary>An optimiser of all parameters of a module.</summary>
    /// <param name="module">The module.</param>
    public AveragedSgd(Module<T> module)
        : this() => Attach(module);

    /// <summary>An optimiser of some parameters.</summary>
    /// <param name="parameters">The parameters.</param>
    public AveragedSgd(IEnumerable<Parameter<T>> parameters)
        : this() => Attach(parameters);

    /// <summary>λ, the decay of parameters and of the learning rate; 1e-4 by default.</summary>
    public double Lambda
    {
        get;
        set => field = NotNegative(value, nameof(Lambda));
    } = 1e-4;

    /// <summary>α, the power of the learning rate's decay; 0.75 by default.</summary>
    public double Alpha
    {
        get;
        set => field = NotNegative(value, nameof(Alpha));
    } = 0.75;

    /// <summary>t₀, the steps before averaging begins; 1,000,000 by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public long AverageAfter
    {
        get;
        set => field = OptionRange.AtLeast(0, value, nameof(AverageAfter));
    } = 1_000_000;

    /// <summary>Whether the average is over more than the last parameters.</summary>
    public bool IsAveraging => StepCount > AverageAfter;

    private protected override FormattableString Hyperparameters => $", Lambda {Lambda}, Alpha {Alpha}";

    private protected override ReadOnlySpan<string?> StateNames => Names;

    private long StepCount => IsAttached && Block.Slots.Length > 0 ? Block.Slots.Max(slot => slot.Steps) : 0;

    /// <summary>Begins to average with the next step.</summary>
    public void StartAveraging() => AverageAfter = Math.Min(AverageAfter, StepCount);

    /// <summary>Puts the averages in the parameters' place, for evaluating or saving, until the result is disposed.</summary>
    /// <returns>Dispose it to have the trained parameters back. Before the first step the parameters are the averages.</returns>
    /// <exception cref="InvalidOperationException">The averages are in use already.</exception>
    public IDisposable EnterAverages()
    {
        if (_averagesInUse)
        {
            throw new InvalidOperationException("EnterAverages: the averages are in the parameters' place already; dispose the first use.");
        }

        _averagesInUse = true;
        SwapWithState(0);
        return new AveragesInUse(this);
    }

    private protected override void Update(in UpdateRun run)
    {
        if (_averagesInUse)
        {
            throw new InvalidOperationException("Step: the averages are in the parameters' place; dispose what EnterAverages() returned first.");
        }

        var rate = run.LearningRate / Math.Pow(1 + (Lambda * run.LearningRate * (run.Step - 1)), Alpha);
        var newWeight = 1.0 / Math.Max(1, run.Step - 1 - AverageAfter);
        Run(
            new Rule(
                T.CreateTruncating(run.WeightDecay),
                T.CreateTruncating(1 - (Lambda * rate)),
                T.CreateTruncating(-rate),
                T.CreateTruncating(newWeight),
                T.CreateTruncating(1 - newWeight)),
            run);
    }

    private protected override void SaveNumbers(StateValues state) => state.Set(AverageAfterKey, AverageAfter);

    private protected override void RestoreNumbers(StateValues state)
    {
        if (state.Contains(AverageAfterKey))
        {
            AverageAfter = state.GetInt64(AverageAfterKey);
        }
    }

    private readonly struct Rule(T decay, T keep, T minusRate, T newWeight, T oldWeight) : IUpdateRule<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Apply<V>(V parameter, V gradient, ref V state0, ref V state1, ref V state2)
            where V : struct, Kernels.IVector<V, T>
        {
            gradient = UpdateMath<T>.Moment(V.MultiplyAdd(V.Broadcast(decay), parameter, gradient));
            parameter = V.MultiplyAdd(V.Broadcast(minusRate), gradient, parameter * V.Broadcast(keep));

            // With a weight of one for the new parameters the old average counts for nothing, exactly.
            parameter = UpdateMath<T>.Parameter(parameter);
            state0 = UpdateMath<T>.Normal(V.MultiplyAdd(V.Broadcast(newWeight), parameter, V.Broadcast(oldWeight) * state0));
            return parameter;
        }
    }

    private sealed class AveragesInUse(AveragedSgd<T> optimizer) : IDisposable
    {
        private AveragedSgd<T>? _optimizer = optimizer;

        public void Dispose()
        {
            if (_optimizer is { } optimizer)
            {
                _optimizer = null;
                optimizer.SwapWithState(0);
                optimizer._averagesInUse = false;
            }
        }
    }
}
