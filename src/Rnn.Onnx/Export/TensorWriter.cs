using System.Buffers.Binary;
using System.Numerics;
using Google.Protobuf;
using Rnn.Onnx.Schema;

namespace Rnn.Onnx.Export;

/// <summary>Numbers as tensors of the file, in little-endian bytes.</summary>
internal static class TensorWriter
{
    /// <summary>Floating-point numbers, converted to the element type of the file.</summary>
    internal static TensorProto OfNumbers<T>(string name, OnnxElementType type, ReadOnlySpan<long> dimensions, ReadOnlySpan<T> values)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var width = type == OnnxElementType.Double ? sizeof(double) : sizeof(float);
        var bytes = new byte[checked(values.Length * width)];
        for (var i = 0; i < values.Length; i++)
        {
            if (width == sizeof(double))
            {
                BinaryPrimitives.WriteDoubleLittleEndian(bytes.AsSpan(i * width), double.CreateTruncating(values[i]));
            }
            else
            {
                BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * width), float.CreateTruncating(values[i]));
            }
        }

        return Of(name, type, dimensions, bytes);
    }

    /// <summary>Whole numbers of 64 bits.</summary>
    internal static TensorProto OfIntegers(string name, ReadOnlySpan<long> dimensions, ReadOnlySpan<long> values)
    {
        var bytes = new byte[values.Length * sizeof(long)];
        for (var i = 0; i < values.Length; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(i * sizeof(long)), values[i]);
        }

        return Of(name, OnnxElementType.Int64, dimensions, bytes);
    }

    private static TensorProto Of(string name, OnnxElementType type, ReadOnlySpan<long> dimensions, byte[] bytes)
    {
        var tensor = new TensorProto { Name = name, DataType = (int)type, RawData = UnsafeByteOperations.UnsafeWrap(bytes) };
        foreach (var size in dimensions)
        {
            tensor.Dims.Add(size);
        }

        return tensor;
    }
}
