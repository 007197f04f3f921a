using System.Numerics;
using Rnn.Autograd;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>An element-wise nonlinearity as a layer, to stand in a <see cref="Sequential{T}"/>: <c>new ActivationLayer&lt;float&gt;(Activation.Relu)</c>.</summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
/// <param name="activation">The nonlinearity.</param>
public sealed class ActivationLayer<T>(Activation activation) : Layer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The nonlinearity.</summary>
    public Activation Activation { get; } = Enum.IsDefined(activation)
        ? activation
        : throw new ArgumentOutOfRangeException(nameof(activation), activation, $"activation: {activation} is none of {string.Join(", ", Enum.GetNames<Activation>())}.");

    internal static string Type => "activation";

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override string Description => $"{Activation}";

    /// <inheritdoc/>
    protected override string Arithmetic => $"{Activation}";

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("activation", Activation.ToString());
    }

    /// <summary>The nonlinearity of every element.</summary>
    /// <param name="input">A tensor of any shape.</param>
    public override Tensor<T> Forward(Tensor<T> input) => ActivationChoice.Create<Applied, Tensor<T>>(Activation, new(input));

    private readonly struct Applied(Tensor<T> input) : IActivationFactory<Tensor<T>>
    {
        public Tensor<T> Create<TActivation>()
            where TActivation : struct, IActivation => Unary.Apply(input, default(ActivationFunction<T, TActivation>));
    }
}
