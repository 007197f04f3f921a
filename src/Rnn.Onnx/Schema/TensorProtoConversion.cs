using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Rnn.Tensors;
using DataType = Rnn.Onnx.Schema.TensorProto.Types.DataType;

namespace Rnn.Onnx.Schema;

/// <summary>Tensors of ONNX files to values and back.</summary>
internal static class TensorProtoConversion
{
    // Deeper than any model; the limit keeps forged files from making lists of a million dimensions.
    private const int MaxRank = 32;

    /// <summary>Reads a tensor of any supported type, whichever way its elements are stored; floating-point numbers become <typeparamref name="T"/>.</summary>
    /// <param name="proto">The tensor.</param>
    /// <param name="folder">The folder of the model's file, in which external data are looked for; null refuses them.</param>
    /// <exception cref="InvalidDataException">The tensor is malformed or of an unsupported type; the message says why.</exception>
    internal static OnnxValue<T> Read<T>(TensorProto proto, string? folder = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var type = (OnnxElementType)proto.DataType;
        var size = ElementSize(type);
        if (size == 0)
        {
            throw Invalid(proto, $"elements of type {type} are not supported");
        }

        var shape = ReadShape(proto);
        var count = shape.ElementCount;
        if (proto.DataLocation == TensorProto.Types.DataLocation.External)
        {
            return Raw<T>(proto, ExternalData.Read(proto, folder, (long)count * size), type, shape);
        }

        if (proto.HasRawData && (proto.RawData.Length > 0 || count == 0))
        {
            return proto.RawData.Length == (long)count * size
                ? Raw<T>(proto, proto.RawData.Span, type, shape)
                : throw Invalid(proto, $"{proto.RawData.Length} bytes of raw data do not fill the shape {shape} of {type}");
        }

        return type switch
        {
            OnnxElementType.Float => Floating<T, float>(proto, proto.FloatData, shape),
            OnnxElementType.Double => Floating<T, double>(proto, proto.DoubleData, shape),
            OnnxElementType.Float16 => Halves<T>(proto, shape, bits => T.CreateTruncating(BitConverter.UInt16BitsToHalf(bits))),
            OnnxElementType.BFloat16 => Halves<T>(proto, shape, bits => T.CreateTruncating(BitConverter.Int32BitsToSingle(bits << 16))),
            OnnxElementType.Int64 => Whole<T, long>(proto, proto.Int64Data, type, shape),
            OnnxElementType.UInt32 or OnnxElementType.UInt64 => Whole<T, ulong>(proto, proto.Uint64Data, type, shape),
            _ => Whole<T, int>(proto, proto.Int32Data, type, shape),
        };
    }

    /// <summary>Writes a tensor of floating-point numbers as raw data.</summary>
    /// <param name="name">Its name in the file.</param>
    /// <param name="tensor">The tensor.</param>
    internal static TensorProto Write<T>(string name, Tensor<T> tensor)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var proto = new TensorProto { Name = name, DataType = (int)OnnxValue<T>.FloatingType };
        AddDimensions(proto, tensor.Shape);
        proto.RawData = ToBytes(tensor.AsReadOnlySpan());
        return proto;
    }

    /// <summary>Writes whole numbers of 64 bits as raw data.</summary>
    /// <param name="name">The name in the file.</param>
    /// <param name="values">The numbers.</param>
    /// <param name="shape">The dimensions; none for a scalar.</param>
    internal static TensorProto Write(string name, ReadOnlySpan<long> values, Shape shape)
    {
        var proto = new TensorProto { Name = name, DataType = (int)DataType.Int64 };
        AddDimensions(proto, shape);
        proto.RawData = ToBytes(values);
        return proto;
    }

    /// <summary>The bytes of an element, or 0 for types that are not supported.</summary>
    internal static int ElementSize(OnnxElementType type) => type switch
    {
        OnnxElementType.UInt8 or OnnxElementType.Int8 or OnnxElementType.Boolean => 1,
        OnnxElementType.UInt16 or OnnxElementType.Int16 or OnnxElementType.Float16 or OnnxElementType.BFloat16 => 2,
        OnnxElementType.Float or OnnxElementType.Int32 or OnnxElementType.UInt32 => 4,
        OnnxElementType.Double or OnnxElementType.Int64 or OnnxElementType.UInt64 => 8,
        _ => 0,
    };

    internal static InvalidDataException Invalid(TensorProto proto, string what) => new($"the tensor '{proto.Name}': {what}.");

    private static void AddDimensions(TensorProto proto, Shape shape)
    {
        foreach (var dimension in shape.Dimensions)
        {
            proto.Dims.Add(dimension);
        }
    }

    // Files are little-endian.
    private static ByteString ToBytes<TElement>(ReadOnlySpan<TElement> values)
        where TElement : unmanaged
    {
        var bytes = MemoryMarshal.AsBytes(values).ToArray();
        if (!BitConverter.IsLittleEndian)
        {
            SwapBytes(bytes, bytes.Length / Math.Max(1, values.Length));
        }

        return UnsafeByteOperations.UnsafeWrap(bytes);
    }

    private static void SwapBytes(Span<byte> bytes, int size)
    {
        for (var i = 0; i + size <= bytes.Length; i += size)
        {
            bytes.Slice(i, size).Reverse();
        }
    }

    private static Shape ReadShape(TensorProto proto)
    {
        if (proto.Dims.Count > MaxRank)
        {
            throw Invalid(proto, $"{proto.Dims.Count} dimensions; up to {MaxRank} are supported");
        }

        var dimensions = new int[proto.Dims.Count];
        var count = 1L;
        for (var i = 0; i < dimensions.Length; i++)
        {
            var dimension = proto.Dims[i];
            if (dimension is < 0 or > int.MaxValue || (count *= Math.Max(1, dimension)) > Array.MaxLength)
            {
                throw Invalid(proto, $"the dimensions [{string.Join(", ", proto.Dims)}] are negative or too large");
            }

            dimensions[i] = (int)dimension;
        }

        return new(dimensions);
    }

    private static OnnxValue<T> Floating<T, TSource>(TensorProto proto, RepeatedField<TSource> source, Shape shape)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TSource : unmanaged, INumber<TSource>
    {
        CheckCount(proto, source.Count, shape);
        var values = new T[source.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = T.CreateTruncating(source[i]);
        }

        return new(Tensor<T>.From(values, shape));
    }

    // Sixteen bits each, in the low half of a whole number.
    private static OnnxValue<T> Halves<T>(TensorProto proto, Shape shape, Func<ushort, T> widen)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        CheckCount(proto, proto.Int32Data.Count, shape);
        var values = new T[proto.Int32Data.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = widen((ushort)proto.Int32Data[i]);
        }

        return new(Tensor<T>.From(values, shape));
    }

    private static OnnxValue<T> Whole<T, TSource>(TensorProto proto, RepeatedField<TSource> source, OnnxElementType type, Shape shape)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TSource : unmanaged, IBinaryInteger<TSource>
    {
        CheckCount(proto, source.Count, shape);
        var values = new long[source.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = IntegerTypes.Wrap(long.CreateTruncating(source[i]), type);
        }

        return new(values, shape, type);
    }

    private static void CheckCount(TensorProto proto, int count, Shape shape)
    {
        if (count != shape.ElementCount)
        {
            throw Invalid(proto, $"{count} elements do not fill the shape {shape}");
        }
    }

    private static OnnxValue<T> Raw<T>(TensorProto proto, ReadOnlySpan<byte> bytes, OnnxElementType type, Shape shape)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var count = shape.ElementCount;
        if (type is OnnxElementType.Float or OnnxElementType.Double or OnnxElementType.Float16 or OnnxElementType.BFloat16)
        {
            var values = new T[count];
            for (var i = 0; i < count; i++)
            {
                values[i] = type switch
                {
                    OnnxElementType.Float => T.CreateTruncating(BinaryPrimitives.ReadSingleLittleEndian(bytes[(i * 4)..])),
                    OnnxElementType.Double => T.CreateTruncating(BinaryPrimitives.ReadDoubleLittleEndian(bytes[(i * 8)..])),
                    OnnxElementType.Float16 => T.CreateTruncating(BinaryPrimitives.ReadHalfLittleEndian(bytes[(i * 2)..])),
                    _ => T.CreateTruncating(BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadUInt16LittleEndian(bytes[(i * 2)..]) << 16)),
                };
            }

            return new(Tensor<T>.From(values, shape));
        }

        var integers = new long[count];
        for (var i = 0; i < count; i++)
        {
            integers[i] = type switch
            {
                OnnxElementType.Boolean => bytes[i] != 0 ? 1 : 0,
                OnnxElementType.UInt8 => bytes[i],
                OnnxElementType.Int8 => (sbyte)bytes[i],
                OnnxElementType.UInt16 => BinaryPrimitives.ReadUInt16LittleEndian(bytes[(i * 2)..]),
                OnnxElementType.Int16 => BinaryPrimitives.ReadInt16LittleEndian(bytes[(i * 2)..]),
                OnnxElementType.Int32 => BinaryPrimitives.ReadInt32LittleEndian(bytes[(i * 4)..]),
                OnnxElementType.UInt32 => BinaryPrimitives.ReadUInt32LittleEndian(bytes[(i * 4)..]),
                _ => BinaryPrimitives.ReadInt64LittleEndian(bytes[(i * 8)..]),
            };
            if (type == OnnxElementType.UInt64 && integers[i] < 0)
            {
                throw Invalid(proto, string.Create(CultureInfo.InvariantCulture, $"the element {(ulong)integers[i]} is above {long.MaxValue}"));
            }
        }

        return new(integers, shape, type);
    }
}
