using System.Buffers;
using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Rnn.Formats;

/// <summary>Lays out a safetensors file and writes it; the same tensors and metadata give the same bytes whatever order they come in.</summary>
internal sealed class SafeTensorsWriter
{
    private readonly List<SafeTensorsPart> _tensors;
    private readonly List<KeyValuePair<string, string>> _metadata;

    internal SafeTensorsWriter(IEnumerable<SafeTensorsPart> tensors, IEnumerable<KeyValuePair<string, string>>? metadata)
    {
        _tensors = Sorted(tensors, tensor => tensor.Name, nameof(tensors));
        _metadata = Sorted(metadata ?? [], pair => pair.Key, nameof(metadata));
        foreach (var tensor in _tensors)
        {
            UnicodeText.Check(tensor.Name, nameof(tensors), "a name's character");
        }

        foreach (var (key, text) in _metadata)
        {
            UnicodeText.Check(key, nameof(metadata), "a key's character");
            ArgumentNullException.ThrowIfNull(text, nameof(metadata));
            UnicodeText.Check(text, nameof(metadata), $"in '{key}' the character");
        }

        if (_tensors.Exists(tensor => tensor.Name == "__metadata__"))
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
        foreach (var tensor in _tensors)
        {
            tensor.Write(stream, cancellationToken);
        }
    }

    private static List<TItem> Sorted<TItem>(IEnumerable<TItem> items, Func<TItem, string> name, string parameterName)
    {
        var sorted = items.OrderBy(name, StringComparer.Ordinal).ToList();
        for (var i = 1; i < sorted.Count; i++)
        {
            if (name(sorted[i]) == name(sorted[i - 1]))
            {
                throw new ArgumentException($"{parameterName}: the name '{name(sorted[i])}' comes twice.", parameterName);
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
            var end = 0L;
            foreach (var tensor in _tensors)
            {
                writer.WriteStartObject(tensor.Name);
                writer.WriteString("dtype", tensor.Type.Name);
                writer.WriteStartArray("shape");
                foreach (var size in tensor.Shape.Dimensions)
                {
                    writer.WriteNumberValue(size);
                }

                writer.WriteEndArray();
                writer.WriteStartArray("data_offsets");
                writer.WriteNumberValue(end);
                end += (long)tensor.Shape.ElementCount * (tensor.Type.Bits / 8);
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
