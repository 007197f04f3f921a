using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Keras;

/// <summary>
/// A model of Keras: read from a <c>.keras</c> archive or an old <c>.h5</c> file, computed and trained as a <see cref="Sequential{T}"/>.
/// </summary>
/// <remarks>
/// <para>Sequential models, and functional ones that are a chain of layers, of SimpleRNN, LSTM, GRU, Bidirectional, Embedding, Dense, TimeDistributed, LayerNormalization, Dropout, Masking, Activation, ReLU,
/// LeakyReLU, ELU, ThresholdedReLU and Softmax, written by Keras 1, 2 or 3. What cannot be said here is refused with the layer's name and the option's.</para>
/// <para>Three things are as here and not as in Keras. Outputs of steps past the end of a masked row are those of a zero, where Keras repeats the last one; what follows from valid steps is the same. Dropout within a recurrent
/// layer is drawn for each number of its input, and one mask serves all gates; that matters in training only. Every <c>Forward</c> starts from zero states, also of layers that are
/// <see cref="StatefulLayers">stateful</see> in Keras: a stepper of <see cref="ToChain"/> carries them on.</para>
/// </remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>; files may hold numbers of 16, 32 or 64 bits.</typeparam>
public sealed class KerasModel<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Dictionary<string, Layer<T>> _layers;

    private KerasModel(string name, string? version, KerasLayerBuilder<T> made)
    {
        (Name, KerasVersion, _layers) = (name, version, made.Named);
        (MasksZeros, MaskValue, StatefulLayers) = (made.MasksZeros, made.MaskValue, made.Stateful);
        Network = new([.. made.Layers]);
        Network.Evaluate();
    }

    /// <summary>A network of yours as a model that <see cref="Save"/> writes for Keras.</summary>
    /// <param name="network">Recurrent layers, Linear, Embedding, LayerNorm, Dropout, ActivationLayer, LastStep behind recurrent layers, and <see cref="KerasOperation{T}"/>; not copied.</param>
    /// <param name="name">The name of the model in Keras.</param>
    public KerasModel(Sequential<T> network, string name = "sequential")
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentException.ThrowIfNullOrEmpty(name);
        (Name, Network, StatefulLayers, _layers) = (name, network, Array.Empty<string>(), []);
        KerasOperation<T>.Register();
        foreach (var layer in network.Where(layer => layer.NamedParameters.Count > 0))
        {
            var plain = KerasWeightGroup.SnakeCase(layer switch
            {
                RecurrentLayer<T> { Directions: 2 } => "Bidirectional",
                Lstm<T> => "LSTM",
                Gru<T> => "GRU",
                SimpleRnn<T> => "SimpleRNN",
                Linear<T> => "Dense",
                LayerNorm<T> => "LayerNormalization",
                _ => layer.GetType().Name.Split('`')[0],
            });
            var number = 0;
            while (!_layers.TryAdd(number == 0 ? plain : FormattableString.Invariant($"{plain}_{number}"), layer))
            {
                number++;
            }
        }
    }

    /// <summary>The name of the model in Keras.</summary>
    public string Name { get; }

    /// <summary>The version of Keras that has written the file; null where the file does not say.</summary>
    public string? KerasVersion { get; }

    /// <summary>The layers, in evaluation mode at first. Save them with <c>Network.Save</c>, train them after <c>Network.Train()</c>, or take some out.</summary>
    public Sequential<T> Network { get; }

    /// <summary>The names in Keras of the layers that have weights, in order.</summary>
    public IReadOnlyList<string> LayerNames => [.. _layers.Keys];

    /// <summary>Whether rows end where their tokens are zero, as an embedding with <c>mask_zero</c> says.</summary>
    public bool MasksZeros { get; }

    /// <summary>The value that all features of a step have which does not count, where there is a <c>Masking</c> layer; else null.</summary>
    public double? MaskValue { get; }

    /// <summary>The names of the layers that are stateful in Keras.</summary>
    public IReadOnlyList<string> StatefulLayers { get; }

    /// <summary>The layer that was made of one of Keras: a recurrent layer, Linear, Embedding or LayerNorm.</summary>
    /// <param name="name">One of <see cref="LayerNames"/>.</param>
    /// <exception cref="KeyNotFoundException">There is none of this name.</exception>
    public Layer<T> this[string name] => _layers.TryGetValue(name, out var layer)
        ? layer
        : throw new KeyNotFoundException($"name: there is no layer '{name}' with weights; the layers are {string.Join(", ", _layers.Keys)}.");

    /// <summary>Reads a model.</summary>
    /// <param name="path">A <c>.keras</c> archive, or an <c>.h5</c> file of a whole model.</param>
    /// <exception cref="InvalidDataException">The file is damaged, no model of Keras, or has weights alone.</exception>
    /// <exception cref="NotSupportedException">The model has something that cannot be said here; the message names the layer and the option.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static KerasModel<T> Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Load(File.OpenRead(path), path);
    }

    /// <summary>Reads a model from a stream that can be searched; it is closed afterwards.</summary>
    /// <param name="stream">The bytes of a <c>.keras</c> archive, or of an <c>.h5</c> file of a whole model.</param>
    /// <param name="source">What messages call it.</param>
    /// <exception cref="InvalidDataException">The file is damaged, no model of Keras, or has weights alone.</exception>
    /// <exception cref="NotSupportedException">The model has something that cannot be said here; the message names the layer and the option.</exception>
    public static KerasModel<T> Load(Stream stream, string source = "stream")
    {
        ArgumentNullException.ThrowIfNull(stream);
        KerasOperation<T>.Register();
        using var archive = KerasArchive.Open(stream, source);
        if (archive.Config is null)
        {
            throw new InvalidDataException($"{source}: the file has no description of a model, as files of weights alone; make the layers yourself and fill them with {nameof(KerasWeights)}.Load.");
        }

        var nodes = KerasGraph.Read(archive.Config, archive.Version, source, out var name);
        var builder = new KerasLayerBuilder<T>();
        try
        {
            foreach (var node in nodes)
            {
                builder.Add(node.Config, KerasWeightGroup.OfLayer(archive.Weights, nodes, node));
            }
        }
        catch (Exception exception) when (exception is KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException or OverflowException)
        {
            throw new InvalidDataException($"{source}: the description of the model is damaged: {exception.Message}", exception);
        }

        return new(name, archive.Version, builder);
    }

    /// <summary>What the model gives for a batch; recorded for the backward pass where gradients are wanted.</summary>
    /// <param name="input">What the model's first layer reads: [N, T, features], or tokens [N, T] as whole numbers where that is an embedding.</param>
    /// <exception cref="ArgumentException">The shape does not fit, or a step that is masked stands before one that is not.</exception>
    public Tensor<T> Forward(Tensor<T> input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return Network.Forward(input, Lengths(input));
    }

    /// <summary>What the model gives for tokens.</summary>
    /// <param name="tokens">[N, T].</param>
    /// <exception cref="ArgumentException">A token is unknown, or one that is masked stands before one that is not.</exception>
    [SuppressMessage("Performance", "CA1814", Justification = "A batch of tokens is a matrix.")]
    public Tensor<T> Forward(int[,] tokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        return Forward(Tensor<T>.From([.. tokens.Cast<int>().Select(T.CreateChecked)], tokens.GetLength(0), tokens.GetLength(1)));
    }

    /// <summary>The valid steps of each row as the model's mask has them; empty where it has none.</summary>
    /// <param name="input">What <see cref="Forward(Tensor{T})"/> gets.</param>
    /// <exception cref="ArgumentException">A step that is masked stands before one that is not: lengths cannot say it.</exception>
    public int[] Lengths(Tensor<T> input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if ((!MasksZeros && MaskValue is null) || input.Rank != (MasksZeros ? 2 : 3))
        {
            return [];
        }

        var (rows, steps) = (input.Shape[0], input.Shape[1]);
        var size = MasksZeros ? 1 : input.Shape[2];
        var masked = T.CreateTruncating(MaskValue ?? 0);
        var values = input.AsReadOnlySpan();
        var lengths = new int[rows];
        for (var row = 0; row < rows; row++)
        {
            var gap = -1;
            for (var step = 0; step < steps; step++)
            {
                if (!values.Slice(((row * steps) + step) * size, size).ContainsAnyExcept(masked))
                {
                    gap = gap < 0 ? step : gap;
                }
                else if (gap >= 0)
                {
                    throw new ArgumentException($"input: row {row} has a masked step {gap} before step {step}, which counts; only steps at the end of a row can be masked. Pad rows behind (padding='post').", nameof(input));
                }
            }

            lengths[row] = gap < 0 ? steps : gap;
        }

        return lengths;
    }

    /// <summary>Writes the model as Keras 3 does, for <c>keras.models.load_model</c> or <c>model.load_weights</c>.</summary>
    /// <param name="path">A <c>.keras</c> archive of the whole model, or a <c>.weights.h5</c> file of its weights, by the end of the name.</param>
    /// <exception cref="ArgumentException">The name ends in something else.</exception>
    /// <exception cref="NotSupportedException">The network has something that Keras has no layer for; the message names it.</exception>
    /// <exception cref="IOException">The file cannot be written; one that was there stays whole.</exception>
    public void Save(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var isArchive = path.EndsWith(".keras", StringComparison.Ordinal);
        if (!isArchive && !path.EndsWith(".weights.h5", StringComparison.Ordinal))
        {
            throw new ArgumentException($"path: expected a name that ends in .keras or .weights.h5 but got '{path}'.", nameof(path));
        }

        var layers = new KerasExport<T>(Network, layer => _layers.FirstOrDefault(pair => pair.Value == layer).Key).Layers(MasksZeros, MaskValue);
        if (isArchive)
        {
            KerasWriter.WriteArchive(path, Name, layers);
        }
        else
        {
            KerasWriter.WriteWeightFile(path, layers);
        }
    }

    /// <summary>The layers as one sequence layer, for steppers and streams, and to carry states on: the network without the parts that take the end of a sequence alone. It shares the weights.</summary>
    /// <exception cref="ArgumentException">A layer does not work step by step, or the model begins with an embedding, which reads tokens.</exception>
    public SequenceChain<T> ToChain() => new([.. Network.Where(layer => layer is not LastStep<T>)]);

    /// <summary>The model's layers with their parameters, as <see cref="Network"/> prints itself.</summary>
    public override string ToString() => $"{Name}\n{Network}";
}
