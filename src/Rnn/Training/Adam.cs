using System.Numerics;
using Rnn.Layers;

namespace Rnn.Training;

/// <summary>
/// Adam: m = β₁ m + (1 − β₁) g, v = β₂ v + (1 − β₂) g²; p ← p − η m̂ / (√v̂ + ε) with m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ).
/// Weight decay λ adds λ p to the gradient; <see cref="AdamW{T}"/> decays apart from it.
/// </summary>
/// <remarks>Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015).</remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class Adam<T> : AdamBase<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>An optimiser to be attached later. The learning rate is 0.001 unless set.</summary>
    public Adam()
    {
    }

    /// <summary>An optimiser of all parameters of a module.</summary>
    /// <param name="module">The module.</param>
    public Adam(Module<T> module)
        : this() => Attach(module);

    /// <summary>An optimiser of some parameters.</summary>
    /// <param name="parameters">The parameters.</param>
    public Adam(IEnumerable<Parameter<T>> parameters)
        : this() => Attach(parameters);

    private protected override void Update(in UpdateRun run) => Run(MakeRule(run, run.WeightDecay, decayApart: 0), run);
}
