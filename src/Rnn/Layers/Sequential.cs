using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>Layers one after another, each fed with what the one before gave: <c>new Sequential&lt;float&gt;(embedding, lstm, head)</c>.</summary>
/// <remarks>The layers are named <c>0</c>, <c>1</c>, … in paths, as in PyTorch.</remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
[SuppressMessage("Naming", "CA1710", Justification = "A layer that happens to list its parts.")]
public sealed class Sequential<T> : Layer<T>, IReadOnlyList<Layer<T>>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly List<Layer<T>> _layers = [];

    /// <summary>A chain of layers.</summary>
    /// <param name="layers">The layers, first first; with none the input is the output.</param>
    public Sequential(params ReadOnlySpan<Layer<T>> layers)
    {
        foreach (var layer in layers)
        {
            ArgumentNullException.ThrowIfNull(layer, nameof(layers));
            _layers.Add(AddModule(_layers.Count.ToString(CultureInfo.InvariantCulture), layer));
        }
    }

    /// <summary>The number of layers.</summary>
    public int Count => _layers.Count;

    /// <summary>One of the layers.</summary>
    /// <param name="index">Its number, from 0.</param>
    public Layer<T> this[int index] => _layers[index];

    /// <summary>What the last layer gives.</summary>
    /// <param name="input">The input of the first layer.</param>
    public override Tensor<T> Forward(Tensor<T> input)
    {
        ArgumentNullException.ThrowIfNull(input);
        foreach (var layer in _layers)
        {
            input = layer.Forward(input);
        }

        return input;
    }

    /// <inheritdoc/>
    public IEnumerator<Layer<T>> GetEnumerator() => _layers.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
