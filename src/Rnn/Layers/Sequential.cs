using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;
using Rnn.Layers.Engine;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>
/// Layers one after another, each reads the output of the one before: <c>new Sequential&lt;float&gt;(lstm, new LastStep&lt;float&gt;(), new Linear&lt;float&gt;(64, 10))</c>.
/// </summary>
/// <remarks>
/// The layers are named <c>0</c>, <c>1</c>, … in paths, as in PyTorch. Sequence layers in it start from their initial states and give their outputs; where their states are wanted too, use a
/// <see cref="SequenceChain{T}"/>.
/// </remarks>
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

    internal static string Type => "sequential";

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("layers", _layers);
    }

    /// <summary>What the last layer gives.</summary>
    /// <param name="input">The input of the first layer.</param>
    public override Tensor<T> Forward(Tensor<T> input) => Forward(input, default);

    /// <summary>What the last layer gives for sequences of several lengths.</summary>
    /// <param name="input">The input of the first layer, [N, T, …].</param>
    /// <param name="lengths">The valid steps of each row, which sequence layers and <see cref="LastStep{T}"/> go by; empty for full length.</param>
    /// <exception cref="ArgumentException">A shape or length does not fit.</exception>
    public Tensor<T> Forward(Tensor<T> input, ReadOnlySpan<int> lengths)
    {
        ArgumentNullException.ThrowIfNull(input);
        SequenceLayerOutput<T>? last = null;
        foreach (var layer in _layers)
        {
            switch (layer)
            {
                case SequenceLayer<T> sequence:
                    last = sequence.Forward(input, lengths);
                    input = last.Output;
                    break;
                case Sequential<T> nested when !lengths.IsEmpty && input.Rank == 3:
                    (input, last) = (nested.Forward(input, lengths), null);
                    lengths = input.Rank == 3 ? lengths : default;
                    break;
                case LastStep<T> when last is not null:
                    (input, last) = (last.Last, null);
                    lengths = default;
                    break;
                case LastStep<T> when !lengths.IsEmpty:
                    RecurrentChecks.CheckBatch(input, lengths, input.Rank == 0 ? 0 : input.Shape[-1]);
                    input = ResidualSum.AtEnd(input, lengths, backward: false);
                    lengths = default;
                    break;
                default:
                    (input, last) = (layer.Forward(input), null);
                    break;
            }
        }

        return input;
    }

    /// <inheritdoc/>
    public IEnumerator<Layer<T>> GetEnumerator() => _layers.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
