using System.Globalization;
using System.Numerics;
using System.Text.Json.Nodes;
using Rnn.Layers;

namespace Rnn.Keras;

/// <summary>A layer of Keras as it is written.</summary>
/// <param name="ClassName">Its class.</param>
/// <param name="Name">Its name in the model.</param>
/// <param name="Config">Its description, with class and options.</param>
/// <param name="Weights">Its weights by the path of their part, the empty one for the layer itself.</param>
internal sealed record KerasExportedLayer<T>(string ClassName, string Name, JsonObject Config, List<(string Part, List<(int[] Shape, T[] Values)> Arrays)> Weights);

/// <summary>Says a network of ours in layers of Keras 3.</summary>
/// <param name="network">The layers.</param>
/// <param name="nameOf">The name of a layer in Keras, null for one of its class and number.</param>
internal sealed class KerasExport<T>(IReadOnlyList<Layer<T>> network, Func<Layer<T>, string?> nameOf)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly IReadOnlyList<Layer<T>> _network = KerasStack<T>.Split(network);
    private readonly List<KerasExportedLayer<T>> _layers = [];
    private int _at;

    /// <summary>All layers.</summary>
    /// <param name="masksZeros">Whether an embedding at the beginning masks zeros.</param>
    /// <param name="maskValue">The value of a <c>Masking</c> layer at the beginning, or null.</param>
    /// <exception cref="NotSupportedException">Keras has no such layer.</exception>
    internal List<KerasExportedLayer<T>> Layers(bool masksZeros, double? maskValue)
    {
        AddInput();
        if (maskValue is { } value)
        {
            Add("Masking", null, new() { ["mask_value"] = value });
        }

        for (_at = 0; _at < _network.Count; _at++)
        {
            switch (_network[_at])
            {
                case RecurrentLayer<T> recurrent:
                    AddRecurrent(recurrent);
                    break;
                case Linear<T> linear:
                    Add("Dense", linear, new() { ["units"] = linear.OutputSize, ["activation"] = "linear", ["use_bias"] = linear.Bias is not null }, Dense(linear));
                    break;
                case Embedding<T> embedding:
                    Add("Embedding", embedding, new() { ["input_dim"] = embedding.Count, ["output_dim"] = embedding.Size, ["mask_zero"] = masksZeros && _at == 0 }, Whole(([embedding.Count, embedding.Size], embedding.Weight.Value.ToArray())));
                    break;
                case LayerNorm<T> norm:
                    Add("LayerNormalization", norm, new() { ["axis"] = -1, ["epsilon"] = norm.Epsilon, ["scale"] = norm.Weight is not null, ["center"] = norm.Bias is not null }, Norm(norm));
                    break;
                case Dropout<T> dropout:
                    Add("Dropout", dropout, new() { ["rate"] = dropout.Probability });
                    break;
                case ActivationLayer<T> activation:
                    AddActivation(activation);
                    break;
                case KerasOperation<T> { Kind: KerasOperationKind.Softmax } softmax:
                    Add("Softmax", softmax, new() { ["axis"] = -1 });
                    break;
                case var other:
                    throw Refusal(other, other is LastStep<T> ? "Keras takes the end of a sequence in a recurrent layer; let one stand before it" : "Keras has no such layer");
            }
        }

        return _layers;
    }

    private static NotSupportedException Refusal(Layer<T> layer, string reason) => new($"network: {layer.GetType().Name}: {reason}.");

    private static List<(string, List<(int[], T[])>)> Whole(params (int[] Shape, T[] Values)[] arrays) => [(string.Empty, [.. arrays])];

    private static List<(string, List<(int[], T[])>)> Dense(Linear<T> linear)
    {
        if (linear.Weight.Shape[1] != linear.InputSize)
        {
            throw Refusal(linear, "its weights are in blocks, which Keras has no layer for");
        }

        var kernel = (new[] { linear.InputSize, linear.OutputSize }, KerasLayerWeights<T>.Transposed(linear.Weight.Value.ToArray(), linear.InputSize));
        return linear.Bias is null ? Whole(kernel) : Whole(kernel, ([linear.OutputSize], linear.Bias.Value.ToArray()));
    }

    private static List<(string, List<(int[], T[])>)> Norm(LayerNorm<T> norm)
    {
        var arrays = new List<(int[], T[])>();
        foreach (var parameter in new[] { norm.Weight, norm.Bias }.OfType<Parameter<T>>())
        {
            arrays.Add(([norm.Size], parameter.Value.ToArray()));
        }

        return [(string.Empty, arrays)];
    }

    // Keras 3 names functions; those with numbers of their own are layers.
    private static string FunctionName(Layer<T> layer, ActivationFunction function) => (function.Kind, function != ActivationFunction.FromActivation(function.Kind)) switch
    {
        (_, true) => throw Refusal(layer, $"the activation {function} has no name in Keras 3"),
        (Activation.Identity, _) => "linear",
        (Activation.HardSigmoid, _) => "hard_sigmoid",
        (Activation.HardSilu, _) => "hard_silu",
        (Activation.Tanh or Activation.Relu or Activation.Elu or Activation.Gelu or Activation.Softplus or Activation.Softsign or Activation.Sigmoid or Activation.Exponential or Activation.Silu
            or Activation.Selu or Activation.Mish or Activation.Relu6, _) => KerasWeightGroup.SnakeCase(function.Kind.ToString()),
        _ => throw Refusal(layer, $"the activation {function} has no name in Keras 3"),
    };

    private void AddActivation(ActivationLayer<T> layer)
    {
        var function = layer.Activation;
        switch (function.Kind)
        {
            case Activation.LeakyRelu:
                Add("LeakyReLU", layer, new() { ["negative_slope"] = function.Alpha });
                break;
            case Activation.Elu:
                Add("ELU", layer, new() { ["alpha"] = function.Alpha });
                break;
            case Activation.ThresholdedRelu:
                Add("ReLU", layer, new() { ["max_value"] = null, ["negative_slope"] = 0.0, ["threshold"] = function.Alpha });
                break;
            default:
                Add("Activation", layer, new() { ["activation"] = FunctionName(layer, function) });
                break;
        }
    }

    private void AddInput()
    {
        var size = _network.Select(layer => layer switch
        {
            SequenceLayer<T> sequence => sequence.InputSize,
            Linear<T> linear => linear.InputSize,
            LayerNorm<T> norm => norm.Size,
            Embedding<T> => 0,
            _ => -1,
        }).FirstOrDefault(found => found >= 0, -1);
        var batch = size switch
        {
            < 0 => throw new NotSupportedException("network: no layer says the size of the input."),
            0 => new JsonArray(null, null),
            _ => _network.Any(layer => layer is SequenceLayer<T>) ? new JsonArray(null, null, size) : new JsonArray(null, size),
        };
        Add("InputLayer", null, new() { ["batch_shape"] = batch });
    }

    private void AddRecurrent(RecurrentLayer<T> layer)
    {
        var options = layer.Options;
        var sequences = Next<LastStep<T>>() is null;
        var multiplies = Next<KerasOperation<T>>(operation => operation.Kind == KerasOperationKind.MultiplyHalves) is not null;
        var reverses = Next<KerasOperation<T>>(operation => operation.Kind == KerasOperationKind.ReverseTime) is not null;
        if (sequences && options.Reverse != reverses)
        {
            throw Refusal(layer, "Keras gives the outputs of a layer that goes backwards in the order of the run; put a KerasOperation ReverseTime behind it");
        }

        if (multiplies && (layer.Directions == 1 || options.Merge is DirectionMerge.Sum or DirectionMerge.Mean))
        {
            throw Refusal(layer, "directions are multiplied that it does not have");
        }

        var lacking = options.LearnedInitialState ? "learned initial state"
            : options.HiddenZoneout > 0 || options.CellZoneout > 0 ? "zoneout, which also acts in evaluation"
            : options is LstmOptions { ForgetFromInput: true } ? "forget gate that is made from the input gate" : null;
        if (lacking is not null)
        {
            throw Refusal(layer, $"Keras has no {lacking}");
        }

        // Throws where Keras has no such cell.
        var arrays = Enumerable.Range(0, layer.Directions).Select(direction => KerasLayerWeights<T>.Export(layer, direction)).ToArray();
        var (className, config) = Cell(layer);
        foreach (var (option, value) in new (string, JsonNode)[] { ("units", layer.HiddenSize), ("use_bias", options.Bias), ("return_sequences", sequences), ("return_state", false), ("go_backwards", options.Reverse), ("stateful", false), ("recurrent_dropout", options.RecurrentDropout) })
        {
            config[option] = value;
        }

        if (layer.Directions == 1)
        {
            Add(className, layer, config, [("cell", arrays[0])]);
            return;
        }

        var merge = multiplies ? "mul" : options.Merge switch { DirectionMerge.Sum => "sum", DirectionMerge.Mean => "ave", _ => "concat" };
        var inner = KerasWeightGroup.SnakeCase(className);
        var backward = (JsonObject)config.DeepClone();
        backward["go_backwards"] = true;
        Add(
            "Bidirectional", layer, new() { ["merge_mode"] = merge, ["layer"] = Described(className, $"forward_{inner}", config), ["backward_layer"] = Described(className, $"backward_{inner}", backward) },
            [("forward_layer/cell", arrays[0]), ("backward_layer/cell", arrays[1])]);
    }

    private static (string ClassName, JsonObject Config) Cell(RecurrentLayer<T> layer)
    {
        var activations = layer.Activations ?? new();
        if (activations.Clip is not null)
        {
            throw Refusal(layer, "Keras has no clip");
        }

        var gates = KerasLayerWeights<T>.Gates(layer);
        if (gates == 1)
        {
            // A plain network's activation is part of its cell's name where the cell has one of its own.
            var name = layer.Activations is null ? layer.Layout.Name["rnn-".Length..] : FunctionName(layer, activations.Candidate);
            return name is "leaky_relu"
                ? throw Refusal(layer, "the activation LeakyRelu has another slope in Keras")
                : ("SimpleRNN", new() { ["activation"] = name == "identity" ? "linear" : name });
        }

        if (gates == 4 && activations.Candidate != activations.Output)
        {
            throw Refusal(layer, "Keras has one activation for candidate and output");
        }

        var config = new JsonObject { ["activation"] = FunctionName(layer, activations.Candidate), ["recurrent_activation"] = FunctionName(layer, activations.Gate) };
        if (gates == 3)
        {
            config["reset_after"] = layer.Layout.Gates.Count == 4;
        }

        return (gates == 4 ? "LSTM" : "GRU", config);
    }

    // The next layer, where it is of a kind; it is passed over then.
    private TLayer? Next<TLayer>(Func<TLayer, bool>? accepts = null)
        where TLayer : Layer<T>
    {
        if (_at + 1 < _network.Count && _network[_at + 1] is TLayer next && accepts?.Invoke(next) != false)
        {
            _at++;
            return next;
        }

        return null;
    }

    private void Add(string className, Layer<T>? layer, JsonObject config, List<(string Part, List<(int[] Shape, T[] Values)> Arrays)>? weights = null)
    {
        var plain = KerasWeightGroup.SnakeCase(className);
        var number = _layers.Count(other => other.ClassName == className);
        var name = (layer is null ? null : nameOf(layer)) ?? (number == 0 ? plain : $"{plain}_{number.ToString(CultureInfo.InvariantCulture)}");
        for (var more = number + 1; _layers.Exists(other => other.Name == name); more++)
        {
            name = $"{plain}_{more.ToString(CultureInfo.InvariantCulture)}";
        }

        _layers.Add(new(className, name, Described(className, name, config), weights ?? []));
    }

    private static JsonObject Described(string className, string name, JsonObject config)
    {
        config["name"] = name;
        config["trainable"] = true;
        config["dtype"] = typeof(T) == typeof(double) ? "float64" : "float32";
        return new() { ["module"] = "keras.layers", ["class_name"] = className, ["config"] = config, ["registered_name"] = null };
    }
}
