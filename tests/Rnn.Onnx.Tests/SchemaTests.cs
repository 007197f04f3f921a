using Google.Protobuf;
using Rnn.Onnx.Schema;

namespace Rnn.Onnx.Tests;

/// <summary>The fields of the ONNX format by their numbers.</summary>
public class SchemaTests
{
    [Fact]
    public void A_node_is_written_by_the_field_numbers_of_the_specification()
    {
        var node = new NodeProto { OpType = "LSTM", Input = { "x", "", "w" }, Attribute = { new AttributeProto { Name = "clip", F = 1.5f, Type = AttributeProto.Types.AttributeType.Float } } };
        byte[] expected = [10, 1, (byte)'x', 10, 0, 10, 1, (byte)'w', 34, 4, .. "LSTM"u8, 42, 14, 10, 4, .. "clip"u8, 21, 0, 0, 0xC0, 0x3F, 0xA0, 1, 1];
        Assert.Equal(expected, node.ToByteArray());
        Assert.Equal(node, NodeProto.Parser.ParseFrom(expected));
    }
}
