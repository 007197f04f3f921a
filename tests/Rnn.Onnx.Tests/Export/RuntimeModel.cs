using Microsoft.ML.OnnxRuntime;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Onnx.Tests.Export;

/// <summary>An exported file as ONNX Runtime runs it; this library's own importer must give the same.</summary>
internal sealed class RuntimeModel : IDisposable
{
    private static readonly SessionOptions Quiet = new() { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR, IntraOpNumThreads = 1, InterOpNumThreads = 1 };

    private readonly InferenceSession _session;
    private readonly OnnxModel<float> _imported;
    private readonly List<(string Name, OrtValue Value)> _inputs = [];

    internal RuntimeModel(byte[] file)
    {
        _session = new(file, Quiet);
        _imported = OnnxModel.Load<float>(file);
    }

    internal RuntimeModel(Module<float> module, OnnxExportOptions? options = null)
        : this(module.ToOnnx(options))
    {
    }

    internal IReadOnlyList<string> InputNames => _session.InputNames;

    internal IReadOnlyList<string> OutputNames => _session.OutputNames;

    internal ModelMetadata Metadata => _session.ModelMetadata;

    internal RuntimeModel With(string name, Tensor<float> values) => Add(name, OrtValue.CreateTensorValueFromMemory(values.ToArray(), Shape(values.Shape)));

    internal RuntimeModel With(string name, ReadOnlySpan<int> values, params int[] shape) => Add(name, OrtValue.CreateTensorValueFromMemory(values.ToArray(), Array.ConvertAll(shape, size => (long)size)));

    internal RuntimeModel WithTokens(string name, ReadOnlySpan<int> values, params int[] shape) =>
        Add(name, OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(values.ToArray(), value => (long)value), Array.ConvertAll(shape, size => (long)size)));

    internal RuntimeModel WithState(SequenceState<float>? state)
    {
        for (var i = 0; state is not null && i < state.Names.Count; i++)
        {
            With(state.Names[i], state.Tensors[i]);
        }

        return this;
    }

    /// <summary>Runs the file with the inputs that were given, which are forgotten then.</summary>
    internal Dictionary<string, Tensor<float>> Run()
    {
        using var options = new RunOptions();
        using var results = _session.Run(options, _inputs.Select(input => input.Name).ToArray(), _inputs.Select(input => input.Value).ToArray(), _session.OutputNames);
        var found = new Dictionary<string, Tensor<float>>();
        for (var i = 0; i < results.Count; i++)
        {
            var info = results[i].GetTensorTypeAndShape();
            int[] shape = [.. info.Shape.Select(size => (int)size)];
            found[_session.OutputNames[i]] = info.ElementDataType switch
            {
                Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Int64 => Tensor<float>.From(Array.ConvertAll(results[i].GetTensorDataAsSpan<long>().ToArray(), value => (float)value), shape),
                Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Int32 => Tensor<float>.From(Array.ConvertAll(results[i].GetTensorDataAsSpan<int>().ToArray(), value => (float)value), shape),
                _ => Tensor<float>.From(results[i].GetTensorDataAsSpan<float>().ToArray(), shape),
            };
        }

        var again = _imported.Run([.. _inputs.Where(input => _imported.Inputs.Any(declared => declared.Name == input.Name)).Select(input => (input.Name, Value(input.Value)))]);
        foreach (var (name, expected) in found)
        {
            var actual = again[name].IsFloatingPoint ? again[name].Tensor : Tensor<float>.From(Array.ConvertAll(again[name].Integers.ToArray(), number => (float)number), again[name].Shape);
            Numbers.Agree(expected, actual, $"{name} of the file, imported again");
        }

        _inputs.ForEach(input => input.Value.Dispose());
        _inputs.Clear();
        return found;
    }

    public void Dispose() => _session.Dispose();

    private RuntimeModel Add(string name, OrtValue value)
    {
        _inputs.Add((name, value));
        return this;
    }

    private static OnnxValue<float> Value(OrtValue value)
    {
        var info = value.GetTensorTypeAndShape();
        Shape shape = [.. info.Shape.Select(size => (int)size)];
        return info.ElementDataType switch
        {
            Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Int64 => OnnxValue<float>.FromIntegers(value.GetTensorDataAsSpan<long>(), shape),
            Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Int32 => OnnxValue<float>.FromIntegers(value.GetTensorDataAsSpan<int>(), shape),
            _ => Tensor<float>.From(value.GetTensorDataAsSpan<float>(), shape),
        };
    }

    private static long[] Shape(Shape shape) => [.. shape.Dimensions.ToArray().Select(size => (long)size)];
}

/// <summary>What exported files are tested with.</summary>
internal static class Numbers
{
    /// <summary>Gives every parameter and normalising buffer other numbers, so that no bias of zero or gain of one hides an error, and sets evaluation mode.</summary>
    internal static TModule Fill<TModule>(TModule module, ulong seed = 1, double scale = 0.5)
        where TModule : Module<float>
    {
        var random = new RandomSource(seed);
        foreach (var (name, parameter) in module.NamedParameters)
        {
            using var edit = parameter.Value.Edit();
            foreach (ref var value in edit.Span)
            {
                value = (float)((random.NextDouble() - 0.5) * 2 * scale) + (name.Contains("norm", StringComparison.Ordinal) ? 1 : 0);
            }
        }

        module.Evaluate();
        return module;
    }

    internal static Tensor<float> Random(ulong seed, params int[] shape)
    {
        var random = new RandomSource(seed);
        var values = new float[shape.Aggregate(1, (product, size) => product * size)];
        foreach (ref var value in values.AsSpan())
        {
            value = (float)((random.NextDouble() - 0.5) * 3);
        }

        return Tensor<float>.From(values, shape);
    }

    internal static int[] Tokens(ulong seed, int count, int below)
    {
        var random = new RandomSource(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(below))];
    }

    /// <summary>States as the layer itself gives them: not all numbers are states, such as a normaliser below zero.</summary>
    internal static SequenceState<float> State(SequenceLayer<float> layer, int rows, ulong seed) => layer.Forward(Random(seed, rows, 3, layer.InputSize), default(ReadOnlySpan<int>)).FinalState;

    /// <summary>Lengths from 0 to T, of which the first is T.</summary>
    internal static int[] Lengths(int rows, int steps) => [.. Enumerable.Range(0, rows).Select(row => Math.Max(0, steps - (row * 2)))];

    internal static void Agree(Tensor<float> expected, Tensor<float> actual, string what)
    {
        Assert.True(expected.Shape == actual.Shape, $"{what}: expected {expected.Shape} but got {actual.Shape}");
        var (x, y) = (expected.ToArray(), actual.ToArray());
        for (var i = 0; i < x.Length; i++)
        {
            Assert.True(Math.Abs(x[i] - y[i]) <= 1e-5 * Math.Max(1, Math.Abs(x[i])), $"{what}: element {i} of {x.Length}: expected {x[i]} but got {y[i]}");
        }
    }
}
