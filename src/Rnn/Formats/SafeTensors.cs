using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Formats;

/// <summary>
/// Reads and writes safetensors files: named tensors behind a header of JSON, the format that PyTorch's and other libraries' weights
/// are exchanged in. Nothing in such a file is ever executed, and every offset is checked before it is used.
/// </summary>
/// <remarks>
/// A file may hold tensors of types that are not read, such as the 8-bit floats F8_E4M3 and F8_E5M2 or one that is newer than this library: its header is read and its other tensors are, and
/// such a tensor is refused by its type when it is asked for.
/// </remarks>
/// <example>
/// <code>
/// var file = SafeTensors.Read("encoder.safetensors");
/// Tensor&lt;float&gt; weight = file.Get&lt;float&gt;("lstm.weight_ih_l0");
/// SafeTensors.Write("copy.safetensors", [new("weight", weight)], [new("note", "one tensor")]);
/// </code>
/// </example>
public static class SafeTensors
{
    /// <summary>Reads a file into memory; <see cref="WeightFile.Open"/> maps it and reads what is asked for. Tensors are converted when they are asked for.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">The file is not a valid safetensors file, or is cut short.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static WeightFile Read(string path)
    {
        using var reader = SafeTensorsReader.Open(path);
        return reader.ReadAll();
    }

    /// <summary>Reads a stream from its position to its end into memory.</summary>
    /// <param name="stream">The stream, left open; it need not be seekable.</param>
    /// <exception cref="InvalidDataException">The content is not a valid safetensors file, or is cut short.</exception>
    public static WeightFile Read(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var reader = new SafeTensorsReader(stream, "stream", leaveOpen: true);
        return reader.ReadAll();
    }

    /// <summary>Reads a file that is in memory already; the memory is not copied and must stay as it is.</summary>
    /// <param name="bytes">The whole file.</param>
    /// <exception cref="InvalidDataException">The bytes are not a valid safetensors file, or are cut short.</exception>
    public static WeightFile Read(ReadOnlyMemory<byte> bytes) => Read(ByteSource.Of(bytes), "bytes");

    /// <summary>Reads the header of a file and checks it against the file's length.</summary>
    internal static WeightFile Read(ByteSource bytes, string source, IDisposable? owner = null)
    {
        if (bytes.Length < SafeTensorsHeader.PrefixLength)
        {
            throw new InvalidDataException($"{source}: not a safetensors file; {bytes.Length} bytes are too few for a header.");
        }

        var length = SafeTensorsHeader.JsonLength(bytes.Read(0, SafeTensorsHeader.PrefixLength), source);
        var data = SafeTensorsHeader.PrefixLength + length;
        if (bytes.Length < data)
        {
            throw SafeTensorsReader.Truncated(source, data, bytes.Length);
        }

        var header = SafeTensorsHeader.Parse(bytes.Read(SafeTensorsHeader.PrefixLength, length), source);
        SafeTensorsReader.CheckLength(header, data, bytes.Length, source);
        return new WeightFile(source, SafeTensorsHeader.Format, header.Entries.Select(entry => entry.With(source: bytes, offset: data)).ToArray(), header.Metadata) { Owner = owner };
    }

    /// <summary>
    /// Writes a file in one piece: into a temporary file of the same folder, flushed to the disk, then renamed. Whatever goes wrong on
    /// the way, the path holds either its old content or all of the new one, and the temporary file is removed.
    /// </summary>
    /// <remarks>Tensors are stored in the order of their names, so the same tensors give the same bytes.</remarks>
    /// <param name="path">The file to make or replace.</param>
    /// <param name="tensors">Names and tensors.</param>
    /// <param name="metadata">Free text to keep beside the tensors.</param>
    /// <param name="cancellationToken">Ends the writing; the path keeps its old content.</param>
    /// <typeparam name="T">The element type of the tensors and of the file.</typeparam>
    /// <exception cref="ArgumentException">A name comes twice or is <c>__metadata__</c>, or a name or text holds half of a surrogate pair.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write<T>(
        string path,
        IEnumerable<KeyValuePair<string, Tensor<T>>> tensors,
        IEnumerable<KeyValuePair<string, string>>? metadata = null,
        CancellationToken cancellationToken = default)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(tensors);
        Write(path, tensors.Select(pair => SafeTensorsPart.Of(pair.Key, pair.Value)), metadata, cancellationToken);
    }

    /// <summary>Writes a file of tensors of any types in one piece.</summary>
    internal static void Write(string path, IEnumerable<SafeTensorsPart> tensors, IEnumerable<KeyValuePair<string, string>>? metadata, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var writer = new SafeTensorsWriter(tensors, metadata);
        AtomicFile.Write(path, stream => writer.WriteTo(stream, cancellationToken), cancellationToken);
    }

    /// <summary>Writes the content of a safetensors file to a stream.</summary>
    /// <param name="stream">Where to; left open and not flushed.</param>
    /// <param name="tensors">Names and tensors.</param>
    /// <param name="metadata">Free text to keep beside the tensors.</param>
    /// <param name="cancellationToken">Ends the writing part way.</param>
    /// <typeparam name="T">The element type of the tensors and of the file.</typeparam>
    /// <exception cref="ArgumentException">A name comes twice or is <c>__metadata__</c>, or a name or text holds half of a surrogate pair.</exception>
    public static void Write<T>(
        Stream stream,
        IEnumerable<KeyValuePair<string, Tensor<T>>> tensors,
        IEnumerable<KeyValuePair<string, string>>? metadata = null,
        CancellationToken cancellationToken = default)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(tensors);
        Write(stream, tensors.Select(pair => SafeTensorsPart.Of(pair.Key, pair.Value)), metadata, cancellationToken);
    }

    /// <summary>Writes tensors of any types to a stream.</summary>
    internal static void Write(Stream stream, IEnumerable<SafeTensorsPart> tensors, IEnumerable<KeyValuePair<string, string>>? metadata, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(stream);
        new SafeTensorsWriter(tensors, metadata).WriteTo(stream, cancellationToken);
    }
}
