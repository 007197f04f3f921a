using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Autograd;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>An element-wise nonlinearity as a layer, to stand in a <see cref="Sequential{T}"/>: <c>new ActivationLayer&lt;float&gt;(Activation.Relu)</c>.</summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
/// <param name="activation">The nonlinearity: one of <see cref="Layers.Activation"/>, or one with numbers of its own, such as <c>ActivationFunction.LeakyRelu(0.3)</c>.</param>
public sealed class ActivationLayer<T>(ActivationFunction activation) : Layer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The nonlinearity.</summary>
    public ActivationFunction Activation { get; } = activation;

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
    public override Tensor<T> Forward(Tensor<T> input) => ActivationChoice.HasCell(Activation.Kind) && Activation.HasDefaultNumbers
        ? ActivationChoice.Create<Plain, Tensor<T>>(Activation.Kind, new(input))
        : ActivationChoice.CreateAny<Any, Tensor<T>>(Activation.Kind, new(input, Activation));

    private readonly struct Plain(Tensor<T> input) : IActivationFactory<Tensor<T>>
    {
        public Tensor<T> Create<TActivation>()
            where TActivation : struct, IActivation => Unary.Apply(input, default(ActivationFunction<T, TActivation>));
    }

    private readonly struct Any(Tensor<T> input, ActivationFunction function) : IRowActivationFactory<Tensor<T>>
    {
        public Tensor<T> Create<TActivation>()
            where TActivation : struct, IRowActivation =>
            Unary.Apply(input, new WithNumbers<TActivation>(Element.From<T>(function.Alpha), Element.From<T>(function.Beta)));
    }

    private readonly struct WithNumbers<TActivation>(T alpha, T beta) : IUnaryFunction<T>
        where TActivation : struct, IRowActivation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Value<V>(V x)
            where V : struct, IVector<V, T> => TActivation.Apply<V, T>(x, V.Broadcast(alpha), V.Broadcast(beta));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Derivative<V>(V x, V y)
            where V : struct, IVector<V, T>
        {
            TActivation.Apply<V, T>(x, V.Broadcast(alpha), V.Broadcast(beta), out var derivative);
            return derivative;
        }
    }
}
