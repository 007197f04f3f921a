using System.Numerics;
using Rnn.Layers;

namespace Rnn.Training;

/// <summary>
/// Adam with weight decay apart from the gradient: p ← p (1 − η λ), then the step of <see cref="Adam{T}"/>. λ is 0.01 unless set.
/// </summary>
/// <remarks>Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019).</remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class AdamW<T> : AdamBase<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>An optimiser to be attached later. The learning rate is 0.001 unless set.</summary>
    public AdamW()
        : base(weightDecay: 1e-2)
    {
    }

    /// <summary>An optimiser of all parameters of a module.</summary>
    /// <param name="module">The module.</param>
    public AdamW(Module<T> module)
        : this() => Attach(module);

    /// <summary>An optimiser of some parameters.</summary>
    /// <param name="parameters">The parameters.</param>
    public AdamW(IEnumerable<Parameter<T>> parameters)
        : this() => Attach(parameters);

    private protected override void Update(in UpdateRun run) => Run(MakeRule(run, decayInGradient: 0, run.LearningRate * run.WeightDecay), run);
}
