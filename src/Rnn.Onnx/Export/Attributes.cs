using Google.Protobuf;
using Rnn.Onnx.Schema;
using Kind = Rnn.Onnx.Schema.AttributeProto.Types.AttributeType;

namespace Rnn.Onnx.Export;

/// <summary>Attributes of nodes.</summary>
internal static class Attributes
{
    internal static AttributeProto Of(string name, object value) => value switch
    {
        int number => Integer(name, number),
        long number => Integer(name, number),
        float number => Number(name, number),
        double number => Number(name, (float)number),
        string text => Text(name, text),
        int[] numbers => Integers(name, Array.ConvertAll(numbers, number => (long)number)),
        long[] numbers => Integers(name, numbers),
        float[] numbers => Numbers(name, numbers),
        double[] numbers => Numbers(name, Array.ConvertAll(numbers, number => (float)number)),
        string[] texts => Texts(name, texts),
        _ => throw new ArgumentException($"attributes: expected a number, a text or an array of these for '{name}' but got {value?.GetType().Name ?? "null"}.", nameof(value)),
    };

    internal static AttributeProto Integer(string name, long value) => new() { Name = name, I = value, Type = Kind.Int };

    internal static AttributeProto Number(string name, float value) => new() { Name = name, F = value, Type = Kind.Float };

    internal static AttributeProto Text(string name, string value) => new() { Name = name, S = ByteString.CopyFromUtf8(value), Type = Kind.String };

    internal static AttributeProto Graph(string name, GraphProto graph) => new() { Name = name, G = graph, Type = Kind.Graph };

    internal static AttributeProto Integers(string name, params ReadOnlySpan<long> values)
    {
        var attribute = new AttributeProto { Name = name, Type = Kind.Ints };
        foreach (var value in values)
        {
            attribute.Ints.Add(value);
        }

        return attribute;
    }

    internal static AttributeProto Numbers(string name, IEnumerable<float> values) => new() { Name = name, Type = Kind.Floats, Floats = { values } };

    internal static AttributeProto Texts(string name, IEnumerable<string> values) => new() { Name = name, Type = Kind.Strings, Strings = { values.Select(ByteString.CopyFromUtf8) } };
}
