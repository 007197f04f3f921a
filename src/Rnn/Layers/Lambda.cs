using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>A function as a layer without parameters: <c>new Lambda&lt;float&gt;(x =&gt; x.Tanh())</c>.</summary>
/// <remarks>A file cannot say what the function is: your program creates a model that has one in it, and fills it by <c>Load</c>.</remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
/// <param name="function">What turns the input into the output; recorded operations let gradients flow.</param>
public sealed class Lambda<T>(Func<Tensor<T>, Tensor<T>> function) : Layer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Func<Tensor<T>, Tensor<T>> _function = function ?? throw new ArgumentNullException(nameof(function));

    /// <inheritdoc/>
    public override Tensor<T> Forward(Tensor<T> input) => _function(input);
}
