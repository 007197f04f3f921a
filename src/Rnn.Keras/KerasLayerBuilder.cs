using System.Numerics;
using Rnn.Layers;

namespace Rnn.Keras;

/// <summary>Makes our layers of Keras' ones, with their weights.</summary>
internal sealed class KerasLayerBuilder<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly List<Layer<T>> _layers = [];
    private readonly Dictionary<string, Layer<T>> _named = [];

    /// <summary>The layers so far.</summary>
    internal List<Layer<T>> Layers => _layers;

    /// <summary>The layers that have weights, by their names in Keras.</summary>
    internal Dictionary<string, Layer<T>> Named => _named;

    /// <summary>Whether rows end where their tokens are zero: <c>mask_zero</c> of an embedding.</summary>
    internal bool MasksZeros { get; private set; }

    /// <summary>The value that all features of steps have which do not count, where there is a <c>Masking</c> layer; else null.</summary>
    internal double? MaskValue { get; private set; }

    /// <summary>The names of layers that are stateful.</summary>
    internal List<string> Stateful { get; } = [];

    /// <summary>Adds a layer.</summary>
    internal void Add(KerasConfig config, KerasWeightGroup weights)
    {
        CheckPolicy(config);
        switch (config.ClassName)
        {
            case "InputLayer":
                break;
            case "Masking":
                RequireFirst(config);
                MaskValue = config.Number("mask_value") ?? 0;
                break;
            case "Embedding":
                AddEmbedding(config, weights);
                break;
            case "Dense":
                AddDense(config, weights);
                break;
            case "TimeDistributed":
                AddTimeDistributed(config, weights);
                break;
            case "LayerNormalization":
                AddNormalization(config, weights);
                break;
            case "Dropout":
                AddDropout(config.Probability("rate", "p"));
                break;
            case "LSTM" or "GRU" or "SimpleRNN":
                AddRecurrent(config, null, weights);
                break;
            case "Bidirectional":
                AddBidirectional(config, weights);
                break;
            default:
                AddActivation(config);
                break;
        }
    }

    private static void CheckPolicy(KerasConfig config)
    {
        if (config.Part("dtype") is { ClassName: "QuantizedDTypePolicy" or "QuantizedFloat8DTypePolicy" })
        {
            throw config.Refusal("dtype", "quantised weights cannot be read.");
        }

        if (config.Has("lora_rank"))
        {
            throw config.Refusal("lora_rank", "weights with a low-rank addition cannot be read; merge them in Keras first.");
        }
    }

    private void RequireFirst(KerasConfig config)
    {
        if (_layers.Count > 0)
        {
            throw config.Refusal("mask", "steps can be masked at the input of the model only, where lengths of rows say it.");
        }
    }

    private void Add(KerasConfig config, Layer<T> layer, KerasWeightGroup weights)
    {
        KerasLayerWeights<T>.Fill(layer, weights, config.Name, config);
        _layers.Add(layer);
        _named[config.Name] = layer;
    }

    private void AddDropout(double probability)
    {
        if (probability > 0)
        {
            _layers.Add(new Dropout<T>(probability));
        }
    }

    private void AddEmbedding(KerasConfig config, KerasWeightGroup weights)
    {
        var shape = weights.Arrays(config, 1)[0].Shape;
        var (count, size) = (config.Size("input_dim"), config.Size("output_dim"));
        Require(config, shape is [var rows, var columns] && rows == count && columns == size, $"the table has shape [{string.Join(", ", shape)}]; expected [{count}, {size}]");
        if (config.Flag("mask_zero", otherwise: false))
        {
            RequireFirst(config);
            MasksZeros = true;
        }

        Add(config, new Embedding<T>(count, size, new() { Initializer = Initializer.Zeros }), weights);
    }

    private void AddDense(KerasConfig config, KerasWeightGroup weights)
    {
        var hasBias = config.Flag("use_bias", otherwise: true, "bias");
        var shape = weights.Arrays(config, hasBias ? 2 : 1)[0].Shape;
        var units = config.Size("units", "output_dim");
        Require(config, shape.Length == 2 && shape[0] > 0 && shape[1] == units, $"the kernel has shape [{string.Join(", ", shape)}]; expected [inputs, {units}]");
        Add(config, new Linear<T>(shape[0], units, new() { Bias = hasBias, WeightInitializer = Initializer.Zeros }), weights);
        AddFunction(config, "activation");
    }

    private void AddTimeDistributed(KerasConfig config, KerasWeightGroup weights)
    {
        var inner = config.Part("layer") ?? throw config.Damage("layer: there is none");
        if (inner.ClassName is not ("Dense" or "Activation" or "Dropout" or "LayerNormalization"))
        {
            throw config.Refusal("layer", $"{inner.ClassName} at each step cannot be said; Dense, Activation, Dropout and LayerNormalization can.");
        }

        Add(inner, weights.Part("layer"));
        if (_named.Remove(inner.Name, out var layer))
        {
            _named[config.Name] = layer;
        }
    }

    private void AddNormalization(KerasConfig config, KerasWeightGroup weights)
    {
        config.Allow("rms_scaling", "False", "false");
        var (scale, center) = (config.Flag("scale", otherwise: true), config.Flag("center", otherwise: true));
        if (!scale && !center)
        {
            throw config.Refusal("scale and center", "without both the size is not in the file.");
        }

        var shape = weights.Arrays(config, (scale ? 1 : 0) + (center ? 1 : 0))[0].Shape;
        Require(config, shape is [> 0], $"gamma or beta has shape [{string.Join(", ", shape)}]; expected [size]");
        // Of [N, size] behind the end of a sequence, or of [N, T, size].
        var last = _layers.Exists(layer => layer is LastStep<T>) ? 1 : 2;
        if (config.Axes("axis") is { } axes && !(axes.Length == 1 && (axes[0] == -1 || axes[0] == last)))
        {
            throw config.Refusal("axis", $"{string.Join(", ", axes)} cannot be said; only the last can.");
        }

        Add(config, new LayerNorm<T>(shape[0], new() { Epsilon = config.Number("epsilon") ?? 1e-3, Scale = scale, Bias = center }), weights);
    }

    private void AddBidirectional(KerasConfig config, KerasWeightGroup weights)
    {
        var forward = config.Part("layer") ?? throw config.Damage("layer: there is none");
        if (forward.ClassName is not ("LSTM" or "GRU" or "SimpleRNN"))
        {
            throw config.Refusal("layer", $"{forward.ClassName} in both directions cannot be said; LSTM, GRU and SimpleRNN can.");
        }

        if (forward.Flag("go_backwards", otherwise: false))
        {
            throw config.Refusal("layer", "its forward direction goes backwards.");
        }

        if (config.Part("backward_layer") is { } backward)
        {
            CheckSame(config, forward, backward);
        }

        var merge = config.Has("merge_mode") ? config.Text("merge_mode")! : throw config.Refusal("merge_mode", "None gives two outputs; only concat, sum, ave and mul can be said.");
        AddRecurrent(forward, new(config, merge switch
        {
            "concat" or "mul" => DirectionMerge.Concatenate,
            "sum" => DirectionMerge.Sum,
            "ave" => DirectionMerge.Mean,
            _ => throw config.Refusal("merge_mode", $"'{merge}' is none of concat, sum, ave and mul."),
        }, merge == "mul"), weights);
    }

    // Both directions are one layer of ours: their options must be the same.
    private static void CheckSame(KerasConfig config, KerasConfig forward, KerasConfig backward)
    {
        var isSame = forward.ClassName == backward.ClassName && forward.Size("units", "output_dim") == backward.Size("units", "output_dim")
            && forward.Flag("use_bias", otherwise: true) == backward.Flag("use_bias", otherwise: true) && forward.Flag("reset_after", otherwise: false) == backward.Flag("reset_after", otherwise: false)
            && forward.Activation("activation", "tanh") == backward.Activation("activation", "tanh")
            && (forward.ClassName == "SimpleRNN" || forward.Activation("recurrent_activation", "sigmoid") == backward.Activation("recurrent_activation", "sigmoid"));
        if (!isSame || !backward.Flag("go_backwards", otherwise: false))
        {
            throw config.Refusal("backward_layer", "it differs from the forward layer in more than its direction.");
        }
    }

    private void AddRecurrent(KerasConfig config, BidirectionalOptions? both, KerasWeightGroup weights)
    {
        var name = both?.Config.Name ?? config.Name;
        if (config.Flag("return_state", otherwise: false))
        {
            throw config.Refusal("return_state", "the states as further outputs cannot be said; they are in the FinalState of the layer's output.");
        }

        var sequences = config.Flag("return_sequences", otherwise: false);
        var backwards = both is null && config.Flag("go_backwards", otherwise: false);
        var timeMajor = config.Flag("time_major", otherwise: false);
        if ((timeMajor || (backwards && sequences)) && (MasksZeros || MaskValue is not null))
        {
            throw config.Refusal(timeMajor ? "time_major" : "go_backwards", "with masked steps this cannot be said.");
        }

        if (config.Flag("stateful", otherwise: false))
        {
            Stateful.Add(name);
        }

        var layer = MakeRecurrent(config, both, weights, backwards);
        AddDropout(config.Probability("dropout", "dropout_W"));
        AddOperation(timeMajor, KerasOperationKind.SwapBatchAndTime);
        KerasLayerWeights<T>.Fill(layer, weights, name, both?.Config ?? config);
        _layers.Add(layer);
        _named[name] = layer;
        if (!sequences)
        {
            _layers.Add(new LastStep<T>());
        }

        AddOperation(both?.Multiplies == true, KerasOperationKind.MultiplyHalves);
        AddOperation(sequences && backwards, KerasOperationKind.ReverseTime);
        AddOperation(sequences && timeMajor, KerasOperationKind.SwapBatchAndTime);
    }

    private static RecurrentLayer<T> MakeRecurrent(KerasConfig config, BidirectionalOptions? both, KerasWeightGroup weights, bool backwards)
    {
        var units = config.Size("units", "output_dim");
        var cell = both is null ? weights.Part("cell") : weights.Part("forward_layer", 0, 2).Part("cell");
        var gates = config.ClassName switch { "LSTM" => 4, "GRU" => 3, _ => 1 };
        var first = cell.Arrays(config, 2, 3, 3 * gates)[0].Shape;
        var columns = cell.Arrays(config, 2, 3, 3 * gates).Length > 3 ? units : (long)units * gates;
        Require(config, first.Length == 2 && first[0] > 0 && first[1] == columns, $"the kernel has shape [{string.Join(", ", first)}]; expected [inputs, {columns}]");
        var activation = config.Activation("activation", "tanh");
        switch (config.ClassName)
        {
            case "LSTM":
                return new Lstm<T>(first[0], units, Shared(new LstmOptions
                {
                    GateActivation = config.Activation("recurrent_activation", "hard_sigmoid", "inner_activation"),
                    CandidateActivation = activation,
                    OutputActivation = activation,
                }));
            case "GRU":
                return new Gru<T>(first[0], units, Shared(new GruOptions
                {
                    GateActivation = config.Activation("recurrent_activation", "hard_sigmoid", "inner_activation"),
                    CandidateActivation = activation,
                    ResetAfter = config.Flag("reset_after", otherwise: false),
                }));
            default:
                return new SimpleRnn<T>(first[0], units, Shared(new SimpleRnnOptions { Activation = activation }));
        }

        // The weights are filled in: the cheapest start will do.
        TOptions Shared<TOptions>(TOptions options)
            where TOptions : RecurrentOptions => options with
            {
                Bidirectional = both is not null,
                Merge = both?.Merge ?? DirectionMerge.Concatenate,
                Reverse = backwards,
                Bias = config.Flag("use_bias", otherwise: true),
                RecurrentDropout = config.Probability("recurrent_dropout", "dropout_U"),
                Initialization = RecurrentInitialization.Uniform,
            };
    }

    private void AddOperation(bool isNeeded, KerasOperationKind kind)
    {
        if (isNeeded)
        {
            _layers.Add(new KerasOperation<T>(kind));
        }
    }

    private void AddActivation(KerasConfig config)
    {
        switch (config.ClassName)
        {
            case "Activation":
                AddFunction(config, "activation");
                break;
            case "Softmax":
                if (config.Axes("axis") is { } axes and not [-1])
                {
                    throw config.Refusal("axis", $"{string.Join(", ", axes)} cannot be said; only the last can.");
                }

                AddOperation(isNeeded: true, KerasOperationKind.Softmax);
                break;
            case "ReLU":
                _layers.Add(new ActivationLayer<T>(Relu(config)));
                break;
            case "LeakyReLU":
                _layers.Add(new ActivationLayer<T>(ActivationFunction.LeakyRelu(config.Number("negative_slope", "alpha") ?? 0.3)));
                break;
            case "ELU":
                _layers.Add(new ActivationLayer<T>(ActivationFunction.Elu(config.Number("alpha") ?? 1)));
                break;
            case "ThresholdedReLU":
                _layers.Add(new ActivationLayer<T>(ActivationFunction.ThresholdedRelu(config.Number("theta") ?? 1)));
                break;
            default:
                throw config.Refusal(
                    "class", "it cannot be read; SimpleRNN, LSTM, GRU, Bidirectional, Embedding, Dense, TimeDistributed, LayerNormalization, Dropout, Masking, Activation, ReLU, LeakyReLU, ELU, ThresholdedReLU and Softmax can.");
        }
    }

    private static ActivationFunction Relu(KerasConfig config) => (config.Number("max_value"), config.Number("negative_slope") ?? 0, config.Number("threshold") ?? 0) switch
    {
        (null, 0, 0) => Activation.Relu,
        (6, 0, 0) => Activation.Relu6,
        (null, var slope, 0) => ActivationFunction.LeakyRelu(slope),
        (null, 0, var threshold) => ActivationFunction.ThresholdedRelu(threshold),
        var (most, slope, threshold) => throw config.Refusal("max_value", FormattableString.Invariant($"{most} with negative_slope {slope} and threshold {threshold} cannot be said together.")),
    };

    private void AddFunction(KerasConfig config, string option)
    {
        var name = config.ActivationName(option) ?? "linear";
        if (name == "softmax")
        {
            AddOperation(isNeeded: true, KerasOperationKind.Softmax);
        }
        else if (name != "linear")
        {
            _layers.Add(new ActivationLayer<T>(config.Function(option, name)));
        }
    }

    private static void Require(KerasConfig config, bool condition, string problem)
    {
        if (!condition)
        {
            throw config.Damage(problem);
        }
    }

    private sealed record BidirectionalOptions(KerasConfig Config, DirectionMerge Merge, bool Multiplies);
}
