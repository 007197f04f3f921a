using System.Numerics;
using System.Runtime.InteropServices;
using Rnn.Formats;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>
/// Compressed weights in files: bfloat16 as tensors of type BF16; 8 bits as a tensor of type I8 with the scales of its rows beside it, under its name and <c>.scale</c>.
/// </summary>
internal static class CompressedFiles
{
    private const string ScaleSuffix = ".scale";

    /// <summary>What is written of a parameter or buffer.</summary>
    internal static IEnumerable<SafeTensorsPart> Parts<T>(KeyValuePair<string, Tensor<T>> saved)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (name, tensor) = saved;
        if (tensor is not Tensor<float> weights || tensor.Memory.Format == PackedFormat.Full)
        {
            return new SafeTensorsPart[] { SafeTensorsPart.Of(name, tensor) };
        }

        if (tensor.Memory.Format == PackedFormat.BFloat16)
        {
            return new SafeTensorsPart[] { new(name, WeightType.BFloat16, tensor.Shape, (stream, _) => stream.Write(BFloat16(weights.AsReadOnlySpan()))) };
        }

        var whole = new SafeTensorsPart(name, WeightType.Int8, tensor.Shape, (stream, _) => stream.Write(Int8(weights)));
        return new SafeTensorsPart[] { whole, SafeTensorsPart.Of(name + ScaleSuffix, Scales(weights)) };
    }

    /// <summary>Takes the scales of tensors of 8 bits out of a file's list, by the names of those tensors.</summary>
    internal static Dictionary<string, WeightEntry> TakeScales(Dictionary<string, WeightEntry> entries)
    {
        var scales = new Dictionary<string, WeightEntry>(StringComparer.Ordinal);
        foreach (var (name, entry) in entries)
        {
            if (entry.Type == WeightType.Int8 && entry.Shape.Rank == 2 && entries.TryGetValue(name + ScaleSuffix, out var scale)
                && scale.Type == WeightType.Float32 && scale.Shape.Rank == 1 && scale.Shape[0] == entry.Shape[0])
            {
                scales.Add(name, scale);
            }
        }

        foreach (var name in scales.Keys)
        {
            entries.Remove(name + ScaleSuffix);
        }

        return scales;
    }

    /// <summary>Reads a tensor, of 8 bits where there are scales. Into compressed weights it is rounded.</summary>
    internal static void Read<T>(SafeTensorsReader reader, WeightEntry entry, WeightEntry? scale, Tensor<T> tensor)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var values = tensor.AsSpan();
        if (scale is null)
        {
            reader.Read(entry, values);
        }
        else
        {
            var scales = new T[scale.Shape.ElementCount];
            reader.Read(scale, scales.AsSpan());
            var whole = MemoryMarshal.Cast<byte, sbyte>(reader.ReadBytes(entry));
            var columns = entry.Shape[1];
            for (var i = 0; i < whole.Length; i++)
            {
                values[i] = T.CreateTruncating(whole[i]) * scales[i / columns];
            }
        }

        if (tensor is Tensor<float> && tensor.Memory.Format != PackedFormat.Full)
        {
            WeightRounding.Round(MemoryMarshal.Cast<T, float>(values), tensor.Shape[1], tensor.Memory.Format);
        }
    }

    /// <summary>Compresses the weights of a module that has just been read as those of its file are. In double precision they are what the file says, but not compressed.</summary>
    internal static void Restore<T>(Module<T> module, SafeTensorsHeader header)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (module is not Module<float> compressible)
        {
            return;
        }

        var entries = header.Entries.ToDictionary(entry => entry.Name, StringComparer.Ordinal);
        var any = false;
        foreach (var (name, parameter) in compressible.NamedParameters)
        {
            var type = entries[name].Type;
            if (parameter.IsWeightMatrix && (type == WeightType.BFloat16 || type == WeightType.Int8))
            {
                ModuleCompression.CompressMatrix(parameter, type == WeightType.Int8 ? PackedFormat.Int8 : PackedFormat.BFloat16);
                any = true;
            }
        }

        if (any)
        {
            ModuleCompression.Freeze(compressible);
        }
    }

    private static ReadOnlySpan<byte> BFloat16(ReadOnlySpan<float> values)
    {
        var bytes = new byte[2 * values.Length];
        for (var i = 0; i < values.Length; i++)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2 * i), WeightRounding.ToBFloat16(values[i]));
        }

        return bytes;
    }

    private static ReadOnlySpan<byte> Int8(Tensor<float> weights)
    {
        var values = weights.AsReadOnlySpan();
        var scales = Scales(weights).AsReadOnlySpan();
        var bytes = new byte[values.Length];
        var columns = weights.Shape[1];
        for (var i = 0; i < values.Length; i++)
        {
            bytes[i] = (byte)WeightRounding.ToInt8(values[i], scales[i / columns]);
        }

        return bytes;
    }

    private static Tensor<float> Scales(Tensor<float> weights)
    {
        var values = weights.AsReadOnlySpan();
        var columns = weights.Shape[1];
        var scales = new float[weights.Shape[0]];
        for (var row = 0; row < scales.Length; row++)
        {
            scales[row] = WeightRounding.Scale(values.Slice(row * columns, columns));
        }

        return Tensor<float>.From(scales, scales.Length);
    }
}
