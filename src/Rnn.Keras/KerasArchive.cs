using System.IO.Compression;
using System.Text;
using System.Text.Json;

namespace Rnn.Keras;

/// <summary>A file of Keras, taken apart: the HDF5 file with the weights, and the description of the model where there is one.</summary>
internal sealed class KerasArchive : IDisposable
{
    private const int LargestText = 64 << 20;

    private KerasArchive(HdfFile weights, string? config, string? version) => (Weights, Config, Version) = (weights, config, version);

    /// <summary>The file with the weights.</summary>
    internal HdfFile Weights { get; }

    /// <summary>The description of the model as JSON; null in a file of weights alone.</summary>
    internal string? Config { get; }

    /// <summary>The version of Keras that has written the file; null where the file does not say.</summary>
    internal string? Version { get; }

    public void Dispose() => Weights.Dispose();

    /// <summary>Opens a <c>.keras</c> archive, a <c>.weights.h5</c> or an old <c>.h5</c> file, told apart by what is in it; the stream is closed with it.</summary>
    /// <exception cref="InvalidDataException">It is none of these, or damaged.</exception>
    internal static KerasArchive Open(Stream stream, string source)
    {
        try
        {
            Span<byte> start = stackalloc byte[4];
            var read = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
            stream.Position = 0;
            return read == start.Length && start[..2].SequenceEqual("PK"u8) ? OpenZip(stream, source) : OpenHdf(stream, source);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    private static KerasArchive OpenHdf(Stream stream, string source)
    {
        var file = HdfFile.Open(stream, source);
        try
        {
            return new(file, file.Text(string.Empty, "model_config"), file.Text(string.Empty, "keras_version") ?? file.Text("model_weights", "keras_version"));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static KerasArchive OpenZip(Stream stream, string source)
    {
        var (config, metadata, weights) = HdfFile.Guard(source, "the archive is damaged", () =>
        {
            using var zip = new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true);
            return (Content(zip, "config.json", LargestText), Content(zip, "metadata.json", LargestText), Content(zip, "model.weights.h5", Array.MaxLength));
        });
        stream.Dispose();
        string? version = null;
        try
        {
            using var document = JsonDocument.Parse(metadata);
            version = document.RootElement.TryGetProperty("keras_version", out var value) ? value.GetString() : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"{source}: metadata.json is damaged: {exception.Message}", exception);
        }

        return new(HdfFile.Open(new MemoryStream(weights, writable: false), source), Encoding.UTF8.GetString(config), version);
    }

    // An entry's length is what the archive says of itself: it is trusted as far as the compressed bytes can hold it.
    private static byte[] Content(ZipArchive zip, string name, int largest)
    {
        var entry = zip.GetEntry(name) ?? throw new InvalidDataException($"it has no {name}");
        if (entry.Length > largest || entry.Length / 1100 > entry.CompressedLength)
        {
            throw new InvalidDataException($"{name} has {entry.Length} bytes of {entry.CompressedLength} compressed ones");
        }

        using var content = entry.Open();
        var bytes = new byte[entry.Length];
        content.ReadExactly(bytes);
        return bytes;
    }
}
