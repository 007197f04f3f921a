using System.Numerics;
using Rnn.Layers;

namespace Rnn.Training;

/// <summary>Parameters that an optimiser treats alike, with a learning rate and weight decay of their own where given.</summary>
/// <example>
/// <code>
/// var optimizer = new AdamW&lt;float&gt; { LearningRate = 1e-3 };
/// optimizer.Attach(new ParameterGroup&lt;float&gt;(encoder) { LearningRate = 1e-4 }, new ParameterGroup&lt;float&gt;(head));
/// </code>
/// </example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class ParameterGroup<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>A group of all parameters of a module.</summary>
    /// <param name="module">The module; its dotted paths name the parameters.</param>
    public ParameterGroup(Module<T> module)
    {
        ArgumentNullException.ThrowIfNull(module);
        NamedParameters = module.NamedParameters;
    }

    /// <summary>A group of some parameters.</summary>
    /// <param name="parameters">The parameters; one that comes twice counts once.</param>
    public ParameterGroup(IEnumerable<Parameter<T>> parameters)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        NamedParameters = parameters.Distinct().Select(parameter => new KeyValuePair<string, Parameter<T>>(parameter.Name, parameter)).ToArray();
    }

    /// <summary>The learning rate of this group; null for the optimiser's.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or not finite.</exception>
    public double? LearningRate
    {
        get;
        set => field = value is { } number ? Optimizer<T>.NotNegative(number, nameof(LearningRate)) : null;
    }

    /// <summary>The weight decay of this group; null for the optimiser's.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative or not finite.</exception>
    public double? WeightDecay
    {
        get;
        set => field = value is { } number ? Optimizer<T>.NotNegative(number, nameof(WeightDecay)) : null;
    }

    /// <summary>The parameters with their names.</summary>
    public IReadOnlyList<KeyValuePair<string, Parameter<T>>> NamedParameters { get; }
}
