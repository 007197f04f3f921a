using Google.Protobuf;
using Rnn.Onnx.Schema;
using AttributeType = Rnn.Onnx.Schema.AttributeProto.Types.AttributeType;

namespace Rnn.Onnx.Tests.Support;

/// <summary>Small models made by hand.</summary>
internal static class Small
{
    internal static NodeProto Node(string op, string[] inputs, string[] outputs, params (string Name, object Value)[] attributes)
    {
        var node = new NodeProto { OpType = op, Name = $"the_{op}" };
        node.Input.AddRange(inputs);
        node.Output.AddRange(outputs);
        node.Attribute.AddRange(attributes.Select(attribute => Attribute(attribute.Name, attribute.Value)));
        return node;
    }

    internal static AttributeProto Attribute(string name, object value)
    {
        var attribute = new AttributeProto { Name = name };
        switch (value)
        {
            case int number:
                (attribute.I, attribute.Type) = (number, AttributeType.Int);
                break;
            case float number:
                (attribute.F, attribute.Type) = (number, AttributeType.Float);
                break;
            case string text:
                (attribute.S, attribute.Type) = (ByteString.CopyFromUtf8(text), AttributeType.String);
                break;
            case int[] numbers:
                attribute.Ints.AddRange(numbers.Select(number => (long)number));
                attribute.Type = AttributeType.Ints;
                break;
            case float[] numbers:
                attribute.Floats.AddRange(numbers);
                attribute.Type = AttributeType.Floats;
                break;
            case string[] texts:
                attribute.Strings.AddRange(texts.Select(ByteString.CopyFromUtf8));
                attribute.Type = AttributeType.Strings;
                break;
            case TensorProto tensor:
                (attribute.T, attribute.Type) = (tensor, AttributeType.Tensor);
                break;
            case GraphProto graph:
                (attribute.G, attribute.Type) = (graph, AttributeType.Graph);
                break;
            default:
                throw new ArgumentException($"{value.GetType()}", nameof(value));
        }

        return attribute;
    }

    internal static ValueInfoProto Info(string name, OnnxElementType type, params object?[] dimensions)
    {
        var shape = new TensorShapeProto();
        foreach (var dimension in dimensions)
        {
            shape.Dim.Add(dimension is int size ? new TensorShapeProto.Types.Dimension { DimValue = size } : new TensorShapeProto.Types.Dimension { DimParam = dimension as string ?? string.Empty });
        }

        return new() { Name = name, Type = new() { TensorType = new() { ElemType = (int)type, Shape = shape } } };
    }

    // An input or output of any shape.
    internal static ValueInfoProto Anything(string name, OnnxElementType type = OnnxElementType.Float) => new() { Name = name, Type = new() { TensorType = new() { ElemType = (int)type } } };

    internal static GraphProto Graph(IEnumerable<NodeProto> nodes, IEnumerable<ValueInfoProto> inputs, IEnumerable<ValueInfoProto> outputs, params TensorProto[] initializers)
    {
        var graph = new GraphProto { Name = "graph" };
        graph.Node.AddRange(nodes);

        // The other runtime wants names that differ.
        foreach (var same in graph.Node.GroupBy(node => node.Name))
        {
            foreach (var (node, i) in same.Skip(1).Select((node, i) => (node, i)))
            {
                node.Name = $"{node.Name}_{i + 2}";
            }
        }

        graph.Input.AddRange(inputs);
        graph.Output.AddRange(outputs);
        graph.Initializer.AddRange(initializers);
        return graph;
    }

    internal static ModelProto Model(GraphProto graph, int opset = 17)
    {
        var model = new ModelProto { IrVersion = opset > 20 ? 10 : 8, Graph = graph, ProducerName = "tests" };
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = string.Empty, Version = opset });
        return model;
    }

    internal static TensorProto Tensor<T>(string name, OnnxValue<T> value)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        if (value.IsFloatingPoint)
        {
            return TensorProtoConversion.Write(name, value.Tensor);
        }

        var proto = new TensorProto { Name = name, DataType = (int)value.ElementType };
        proto.Dims.AddRange(value.Shape.Select(dimension => (long)dimension));
        if (value.ElementType == OnnxElementType.Int64)
        {
            proto.Int64Data.AddRange(value.Integers.ToArray());
        }
        else
        {
            proto.Int32Data.AddRange(value.Integers.ToArray().Select(number => (int)number));
        }

        return proto;
    }

    internal static int[] Ints(params int[] values) => values;

    internal static OnnxValue<float> Random(int seed, params int[] shape) =>
        Rnn.Tensors.Tensor<float>.RandomUniform(new((ulong)seed), -1, 1, shape);

    internal static OnnxValue<float> Longs(params long[] values) => OnnxValue<float>.FromIntegers(values, values.Length);
}
