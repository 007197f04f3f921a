using Google.Protobuf;
using Rnn.Onnx.Schema;
using Rnn.Tensors;

namespace Rnn.Onnx.Tests.Import;

/// <summary>Tensors of every type, as raw bytes and as lists of numbers.</summary>
public class TensorProtoTests
{
    private static readonly int[] Numbers = [3, -2, 100, 0];

    [Fact]
    public void Floating_point_tensors_are_widened_or_narrowed_from_both_forms()
    {
        float[] values = [1.5f, -2, 0.25f, 1024];
        foreach (var (type, fill, raw) in new (OnnxElementType, Action<TensorProto>, byte[])[]
        {
            (OnnxElementType.Float, proto => proto.FloatData.AddRange(values), [.. values.SelectMany(BitConverter.GetBytes)]),
            (OnnxElementType.Double, proto => proto.DoubleData.AddRange(values.Select(value => (double)value)), [.. values.SelectMany(value => BitConverter.GetBytes((double)value))]),
            (OnnxElementType.Float16, proto => proto.Int32Data.AddRange(values.Select(value => (int)BitConverter.HalfToUInt16Bits((Half)value))), [.. values.SelectMany(value => BitConverter.GetBytes((Half)value))]),
            (OnnxElementType.BFloat16, proto => proto.Int32Data.AddRange(values.Select(value => BitConverter.SingleToInt32Bits(value) >> 16)), [.. values.SelectMany(value => BitConverter.GetBytes((short)(BitConverter.SingleToInt32Bits(value) >> 16)))]),
        })
        {
            var (listed, packed) = (Proto(type), Proto(type));
            fill(listed);
            packed.RawData = ByteString.CopyFrom(raw);
            foreach (var proto in new[] { listed, packed })
            {
                Assert.Equal(values, TensorProtoConversion.Read<float>(proto).Tensor.ToArray());
                var wide = TensorProtoConversion.Read<double>(proto);
                Assert.Equal((OnnxElementType.Double, new Shape(2, 2)), (wide.ElementType, wide.Shape));
                Assert.Equal(values.Select(value => (double)value), wide.Tensor.ToArray());
            }
        }
    }

    [Fact]
    public void Whole_numbers_are_read_from_both_forms()
    {
        foreach (var type in Enum.GetValues<OnnxElementType>().Where(IntegerTypes.IsInteger))
        {
            var (listed, packed) = (Proto(type), Proto(type));
            long[] expected = [.. Numbers.Select(number => type == OnnxElementType.UInt64 ? Math.Abs((long)number) : IntegerTypes.Wrap(number, type))];
            switch (type)
            {
                case OnnxElementType.Int64:
                    listed.Int64Data.AddRange(expected);
                    break;
                case OnnxElementType.UInt32 or OnnxElementType.UInt64:
                    listed.Uint64Data.AddRange(expected.Select(number => (ulong)number));
                    break;
                default:
                    listed.Int32Data.AddRange(Numbers);
                    break;
            }

            packed.RawData = ByteString.CopyFrom([.. expected.SelectMany(number => BitConverter.GetBytes(number)[..TensorProtoConversion.ElementSize(type)])]);
            foreach (var proto in new[] { listed, packed })
            {
                var value = TensorProtoConversion.Read<float>(proto);
                Assert.Equal(type, value.ElementType);
                Assert.Equal(expected, value.Integers.ToArray());
            }
        }
    }

    [Fact]
    public void What_is_written_is_read()
    {
        var tensor = Tensor<double>.From([1, 2, double.Pi], 3, 1);
        Assert.Equal(tensor.ToArray(), TensorProtoConversion.Read<double>(TensorProtoConversion.Write("t", tensor)).Tensor.ToArray());
        var numbers = TensorProtoConversion.Read<float>(TensorProtoConversion.Write("n", [4, -5], new Shape(2)));
        Assert.Equal([4, -5], numbers.Integers.ToArray());
        Assert.Equal(new Shape(), TensorProtoConversion.Read<float>(TensorProtoConversion.Write("s", [4], new Shape())).Shape);
    }

    [Theory]
    [InlineData(new long[] { -1, 2 }, "are negative or too large")]
    [InlineData(new long[] { 1L << 40 }, "are negative or too large")]
    [InlineData(new long[] { 1 << 20, 1 << 20 }, "are negative or too large")]
    [InlineData(new long[] { 3, 3 }, "do not fill the shape")]
    public void Shapes_that_do_not_fit_are_refused_before_memory_is_taken(long[] dimensions, string message)
    {
        var proto = new TensorProto { Name = "weight", DataType = 1, RawData = ByteString.CopyFrom(new byte[16]) };
        proto.Dims.AddRange(dimensions);
        var error = Assert.Throws<InvalidDataException>(() => TensorProtoConversion.Read<float>(proto));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Contains("'weight'", error.Message, StringComparison.Ordinal);
        proto.RawData = ByteString.Empty;
        _ = Assert.Throws<InvalidDataException>(() => TensorProtoConversion.Read<float>(proto));
    }

    [Theory]
    [InlineData(8)]
    [InlineData(14)]
    [InlineData(99)]
    public void Types_that_are_not_supported_are_refused(int type) =>
        Assert.Contains("are not supported", Assert.Throws<InvalidDataException>(() => TensorProtoConversion.Read<float>(new() { DataType = type })).Message, StringComparison.Ordinal);

    private static TensorProto Proto(OnnxElementType type)
    {
        var proto = new TensorProto { Name = "t", DataType = (int)type };
        proto.Dims.AddRange([2, 2]);
        return proto;
    }
}
