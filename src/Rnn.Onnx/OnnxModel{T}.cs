using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;
using Rnn.Layers;
using Rnn.Onnx.Import;
using Rnn.Onnx.Schema;
using Rnn.Tensors;

namespace Rnn.Onnx;

/// <summary>
/// A model from an ONNX file: a module whose weights are parameters, so that it can be run, trained on and stand among other layers. Its RNN, GRU and
/// LSTM nodes are layers of this library. Made by <see cref="OnnxModel.Load{T}(string, OnnxOptions)"/>.
/// </summary>
/// <remarks>
/// Any number of threads may run a model at once, as long as nobody trains it. Floating-point tensors of every precision are computed in
/// <typeparamref name="T"/>. Dropout and batch normalisation act as in inference.
/// </remarks>
/// <example>
/// <code>
/// var model = OnnxModel.Load&lt;float&gt;("model.onnx");
/// var outputs = model.Run(("input", Tensor&lt;float&gt;.Zeros(1, 10, 40)));
/// Tensor&lt;float&gt; y = outputs["output"].Tensor;
/// </code>
/// </example>
/// <typeparam name="T">The floating-point type, <see cref="float"/> or <see cref="double"/>.</typeparam>
[SuppressMessage("Naming", "CA1724", Justification = "The class of its factory has the same name without the type parameter.")]
public sealed class OnnxModel<T> : Layer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal OnnxModel(ModelProto proto, string? folder, OnnxOptions options)
    {
        var scope = new ModelScope<T>(proto, folder);
        Options = options;
        Opset = scope.Opset;
        Producer = proto.ProducerName.Length == 0 ? string.Empty : $"{proto.ProducerName} {proto.ProducerVersion}".TrimEnd();
        Program = new GraphBuilder<T>(scope, null, scope.Opset).Build(proto.Graph);
        var names = Program.Inputs.Select(slot => Program.Names[slot]).ToHashSet(StringComparer.Ordinal);
        Inputs = [.. proto.Graph.Input.Where(input => names.Contains(input.Name)).Select(input => new OnnxValueInfo(input))];
        Outputs = [.. proto.Graph.Output.Select(output => new OnnxValueInfo(output))];
        var register = new ParameterCollector<T>(scope.Initializers);
        register.Visit(Program);
        foreach (var (name, layer) in register.Layers)
        {
            _ = AddModule(name, layer);
        }

        foreach (var (name, value) in register.Weights)
        {
            _ = AddParameter(name, value);
        }
    }

    /// <summary>The inputs that a run must be given, in the order of the file.</summary>
    public IReadOnlyList<OnnxValueInfo> Inputs { get; }

    /// <summary>The outputs, in the order of the file.</summary>
    public IReadOnlyList<OnnxValueInfo> Outputs { get; }

    /// <summary>The version of the standard's operators that the model uses.</summary>
    public int Opset { get; }

    /// <summary>The name and version of the program that wrote the file; empty where it does not say.</summary>
    public string Producer { get; }

    internal OnnxOptions Options { get; }

    internal GraphProgram<T> Program { get; }

    /// <inheritdoc/>
    protected override string Description =>
        string.Create(CultureInfo.InvariantCulture, $"{string.Join(", ", Inputs)} → {string.Join(", ", Outputs)}, {Program.Nodes.Count} nodes, opset {Opset}");

    /// <summary>Runs the model without recording anything.</summary>
    /// <param name="inputs">Every input by name; a tensor stands for a value.</param>
    /// <returns>The outputs by name.</returns>
    /// <exception cref="ArgumentException">An input is missing, unknown, or of a type or shape that the model does not declare.</exception>
    /// <exception cref="InvalidDataException">The shapes do not fit an operator, or a limit of <see cref="OnnxOptions"/> is passed; the message names the node.</exception>
    public IReadOnlyDictionary<string, OnnxValue<T>> Run(params ReadOnlySpan<(string Name, OnnxValue<T> Value)> inputs)
    {
        using var noGradient = NoGradient.Enter();
        return Forward(inputs);
    }

    /// <summary>Runs the model and records it where gradients are wanted, so that <c>Backward</c> on an output gives gradients of parameters and inputs.</summary>
    /// <param name="inputs">Every input by name; a tensor stands for a value.</param>
    /// <returns>The outputs by name.</returns>
    /// <exception cref="ArgumentException">As for <see cref="Run"/>.</exception>
    /// <exception cref="InvalidDataException">As for <see cref="Run"/>.</exception>
    public IReadOnlyDictionary<string, OnnxValue<T>> Forward(params ReadOnlySpan<(string Name, OnnxValue<T> Value)> inputs)
    {
        var values = new OnnxValue<T>?[Inputs.Count];
        foreach (var (name, value) in inputs)
        {
            var index = IndexOf(name);
            ArgumentNullException.ThrowIfNull(value, nameof(inputs));
            values[index] = values[index] is null
                ? Checked(Inputs[index], value)
                : throw new ArgumentException($"inputs: '{name}' comes twice.", nameof(inputs));
        }

        var missing = Array.IndexOf(values, null);
        if (missing >= 0)
        {
            throw new ArgumentException($"inputs: '{Inputs[missing].Name}' is missing; the model takes {string.Join(", ", Inputs)}.", nameof(inputs));
        }

        var outputs = Program.Run(values, [], new RunContext(Options, values.Sum(value => (long)value!.Length)));
        var result = new Dictionary<string, OnnxValue<T>>(outputs.Length, StringComparer.Ordinal);
        for (var i = 0; i < outputs.Length; i++)
        {
            result[Outputs[i].Name] = !outputs[i].IsSequence ? outputs[i]
                : throw new InvalidDataException($"the output '{Outputs[i].Name}' is {outputs[i]}; models give tensors only: join them in the model (ConcatFromSequence)");
        }

        return result;
    }

    /// <summary>The first output for the only input, recorded where gradients are wanted: a model of one floating-point input as a layer among others.</summary>
    /// <param name="input">The input.</param>
    /// <exception cref="InvalidOperationException">The model takes several inputs, or gives whole numbers; use <see cref="Run"/>.</exception>
    /// <exception cref="ArgumentException">The shape is none that the model declares.</exception>
    public override Tensor<T> Forward(Tensor<T> input) => Inputs.Count == 1
        ? Forward((Inputs[0].Name, input))[Outputs[0].Name].Tensor
        : throw new InvalidOperationException($"The model takes {Inputs.Count} inputs ({string.Join(", ", Inputs)}); give them by name.");

    /// <summary>Prepares the model for inputs of fixed shapes, to be run again and again without allocation, with states that are carried from run to run.</summary>
    /// <param name="shapes">The shapes of inputs whose dimensions the file leaves open; those with fixed dimensions need none.</param>
    /// <exception cref="ArgumentException">An input's shape is open and not given, or is none that the model declares.</exception>
    /// <exception cref="InvalidDataException">The shapes do not fit an operator.</exception>
    public OnnxSession<T> CreateSession(params ReadOnlySpan<(string Name, Shape Shape)> shapes) => new(this, [], shapes);

    /// <summary>Prepares the model for inputs of fixed shapes, some of which always have the same values, such as a sampling rate: what follows from these alone is computed once, and of branches that they choose only one is kept.</summary>
    /// <param name="constants">Inputs with their values.</param>
    /// <param name="shapes">The shapes of other inputs whose dimensions the file leaves open.</param>
    /// <exception cref="ArgumentException">An input's shape is open and not given, or is none that the model declares.</exception>
    /// <exception cref="InvalidDataException">The shapes do not fit an operator.</exception>
    /// <example><code>
    /// var session = model.CreateSession([("sr", OnnxValue&lt;float&gt;.FromIntegers([16_000L], new Shape()))], ("input", new Shape(1, 512)), ("state", new Shape(2, 1, 128)));
    /// </code></example>
    public OnnxSession<T> CreateSession(IReadOnlyList<(string Name, OnnxValue<T> Value)> constants, params ReadOnlySpan<(string Name, Shape Shape)> shapes)
    {
        ArgumentNullException.ThrowIfNull(constants);
        return new(this, constants, shapes);
    }

    internal int IndexOf(string name)
    {
        for (var i = 0; i < Inputs.Count; i++)
        {
            if (Inputs[i].Name == name)
            {
                return i;
            }
        }

        throw new ArgumentException($"inputs: the model has no input '{name}'; it takes {string.Join(", ", Inputs)}.", nameof(name));
    }

    // The value as the model declares it: whole numbers take the declared width.
    internal static OnnxValue<T> Checked(OnnxValueInfo info, OnnxValue<T> value)
    {
        var floating = IntegerTypes.IsFloating(info.ElementType);
        if (info.ElementType != OnnxElementType.Undefined && floating != value.IsFloatingPoint)
        {
            throw new ArgumentException($"inputs: expected {info} but got {value}.", nameof(value));
        }

        var fits = info.Dimensions is null || info.Dimensions.Count == value.Rank;
        for (var i = 0; fits && i < info.Dimensions?.Count; i++)
        {
            fits = info.Dimensions[i] is not { } dimension || dimension == value.Shape[i];
        }

        return !fits ? throw new ArgumentException($"inputs: expected {info} but got {value}.", nameof(value))
            : value.IsFloatingPoint || info.ElementType is OnnxElementType.Undefined || info.ElementType == value.ElementType ? value
            : ArithmeticOperators.Cast(value, info.ElementType);
    }
}
