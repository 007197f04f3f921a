using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Text.Encodings.Web;
using System.Text.Json;
using Rnn.Tensors;

namespace Rnn.Formats;

/// <summary>Lays out a safetensors file and writes it; the same tensors and metadata give the same bytes whatever order they come in.</summary>
internal sealed class SafeTensorsWriter<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int ChunkElements = 1 << 16;

    private readonly List<KeyValuePair<string, Tensor<T>>> _tensors;
    private readonly List<KeyValuePair<string, string>> _metadata;

    internal SafeTensorsWriter(IEnumerable<KeyValuePair<string, Tensor<T>>> tensors, IEnumerable<KeyValuePair<string, string>>? metadata)
    {
        _tensors = Sorted(tensors, nameof(tensors));
        _metadata = Sorted(metadata ?? [], nameof(metadata));
        foreach (var (name, _) in _tensors)
        {
            UnicodeText.Check(name, nameof(tensors), "a name's character");
        }

        foreach (var (key, text) in _metadata)
        {
            UnicodeText.Check(key, nameof(metadata), "a key's character");
            ArgumentNullException.ThrowIfNull(text, nameof(metadata));
            UnicodeText.Check(text, nameof(metadata), $"in '{key}' the character");
        }

        if (_tensors.Exists(tensor => tensor.Key == "__metadata__"))
        {
            throw new ArgumentException("tensors: the name '__metadata__' is reserved by the format.", nameof(tensors));
        }
    }

    internal void WriteTo(Stream stream, CancellationToken cancellationToken)
    {
        var header = Header();
        Span<byte> prefix = stackalloc byte[SafeTensorsHeader.PrefixLength];
        BinaryPrimitives.WriteUInt64LittleEndian(prefix, (ulong)header.Length);
        stream.Write(prefix);
        stream.Write(header);
        foreach (var (_, tensor) in _tensors)
        {
            var rest = tensor.AsReadOnlySpan();
            while (!rest.IsEmpty)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var count = Math.Min(rest.Length, ChunkElements);
                stream.Write(SafeTensorsConversion.Write(rest[..count]));
                rest = rest[count..];
            }
        }
    }

    private static List<KeyValuePair<string, TValue>> Sorted<TValue>(IEnumerable<KeyValuePair<string, TValue>> pairs, string parameterName)
    {
        ArgumentNullException.ThrowIfNull(pairs, parameterName);
        var sorted = pairs.OrderBy(pair => pair.Key, StringComparer.Ordinal).ToList();
        for (var i = 1; i < sorted.Count; i++)
        {
            if (sorted[i].Key == sorted[i - 1].Key)
            {
                throw new ArgumentException($"{parameterName}: the name '{sorted[i].Key}' comes twice.", parameterName);
            }
        }

        return sorted;
    }

    private byte[] Header()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            WriteMetadata(writer);
            var type = SafeTensorsConversion.TypeOf<T>();
            var end = 0L;
            foreach (var (name, tensor) in _tensors)
            {
                writer.WriteStartObject(name);
                writer.WriteString("dtype", type.Name);
                writer.WriteStartArray("shape");
                foreach (var size in tensor.Shape.Dimensions)
                {
                    writer.WriteNumberValue(size);
                }

                writer.WriteEndArray();
                writer.WriteStartArray("data_offsets");
                writer.WriteNumberValue(end);
                end += (long)tensor.Length * (type.Bits / 8);
                writer.WriteNumberValue(end);
                writer.WriteEndArray();
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        // Spaces at the end align the data to eight bytes, as other writers of the format do.
        while (buffer.WrittenCount % 8 != 0)
        {
            buffer.Write(" "u8);
        }

        return buffer.WrittenSpan.ToArray();
    }

    private void WriteMetadata(Utf8JsonWriter writer)
    {
        if (_metadata.Count == 0)
        {
            return;
        }

        writer.WriteStartObject("__metadata__");
        foreach (var (key, text) in _metadata)
        {
            writer.WriteString(key, text);
        }

        writer.WriteEndObject();
    }
}
