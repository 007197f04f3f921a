using System.Buffers;
using System.Numerics;

namespace Rnn.Formats;

/// <summary>
/// Reads a safetensors stream piece by piece: the header at once, tensors as asked, through a small buffer. Memory grows only with
/// bytes that really came, whatever the header promises.
/// </summary>
internal sealed class SafeTensorsReader : IDisposable
{
    private const int ChunkLength = 1 << 18;

    private readonly Stream _stream;
    private readonly bool _leaveOpen;
    private readonly long _dataPosition;

    internal SafeTensorsReader(Stream stream, string source, bool leaveOpen)
    {
        _stream = stream;
        _leaveOpen = leaveOpen;
        Source = source;
        var start = stream.CanSeek ? stream.Position : 0;
        Span<byte> prefix = stackalloc byte[SafeTensorsHeader.PrefixLength];
        if (stream.ReadAtLeast(prefix, prefix.Length, throwOnEndOfStream: false) < prefix.Length)
        {
            throw new InvalidDataException($"{source}: not a safetensors file; it is shorter than the eight bytes of a header's length.");
        }

        var length = SafeTensorsHeader.JsonLength(prefix, source);
        var dataStart = SafeTensorsHeader.PrefixLength + (long)length;
        if (stream.CanSeek && stream.Length - start < dataStart)
        {
            throw Truncated(source, dataStart, stream.Length - start);
        }

        Header = SafeTensorsHeader.Parse(ReadGrowing(length, dataStart), source);
        _dataPosition = start + dataStart;
        if (stream.CanSeek)
        {
            CheckLength(Header, dataStart, stream.Length - start, source);
        }
    }

    /// <summary>A reader of a stream, which stays open; one that is not seekable is read into memory.</summary>
    internal static SafeTensorsReader Of(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (stream.CanSeek)
        {
            return new(stream, "stream", leaveOpen: true);
        }

        var memory = new MemoryStream();
        stream.CopyTo(memory);
        memory.Position = 0;
        return new(memory, "stream", leaveOpen: false);
    }

    /// <summary>The number of elements of all tensors.</summary>
    internal double WeightCount => Header.Entries.Sum(entry => (double)entry.Shape.ElementCount);

    /// <summary>What the file is called in messages.</summary>
    internal string Source { get; }

    /// <summary>The checked header.</summary>
    internal SafeTensorsHeader Header { get; }

    /// <summary>Opens a file.</summary>
    internal static SafeTensorsReader Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var stream = new FileStream(path, new FileStreamOptions { Options = FileOptions.SequentialScan, BufferSize = 0 });
        try
        {
            return new(stream, Path.GetFileName(path), leaveOpen: false);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Refuses content whose length is not what the header says.</summary>
    internal static void CheckLength(SafeTensorsHeader header, long dataStart, long length, string source)
    {
        var expected = dataStart + header.DataLength;
        if (length < expected)
        {
            throw Truncated(source, expected, length);
        }

        if (length > expected)
        {
            throw new InvalidDataException($"{source}: {length - expected} bytes follow after the last tensor; the file is not a valid safetensors file.");
        }
    }

    /// <summary>The message for content that ends too early.</summary>
    internal static InvalidDataException Truncated(string source, long expected, long length) =>
        new($"{source}: the file is cut short: its header needs {expected} bytes but there are {length}.");

    /// <summary>Reads one tensor of a seekable stream, converted, through a small buffer.</summary>
    internal void Read<T>(WeightEntry entry, Span<T> destination)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        WeightFile.CheckReadable(entry, Source);
        var size = entry.Type.Bits / 8;
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkLength);
        try
        {
            _stream.Position = _dataPosition + entry.Begin;
            while (!destination.IsEmpty)
            {
                var count = Math.Min(destination.Length, ChunkLength / size);
                var bytes = buffer.AsSpan(0, count * size);
                _stream.ReadExactly(bytes);
                if (!BitConverter.IsLittleEndian)
                {
                    WeightConversion.Reverse(bytes, size);
                }

                WeightConversion.Read<T>(bytes, entry.Type, destination[..count]);
                destination = destination[count..];
            }
        }
        catch (EndOfStreamException exception)
        {
            throw new InvalidDataException($"{Source}: the file was cut short while '{entry.Name}' was read.", exception);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Reads the bytes of one tensor of a seekable stream as they are.</summary>
    internal byte[] ReadBytes(WeightEntry entry)
    {
        _stream.Position = _dataPosition + entry.Begin;
        return ReadGrowing(checked((int)(entry.End - entry.Begin)), _dataPosition + entry.End);
    }

    /// <summary>Reads all tensors in the order of their data; the stream need not be seekable.</summary>
    internal WeightFile ReadAll()
    {
        var position = _dataPosition;
        var entries = new List<WeightEntry>();
        foreach (var entry in Header.Entries)
        {
            var length = entry.End - entry.Begin;
            if (length > Array.MaxLength)
            {
                throw new InvalidDataException($"{Source}: the tensor '{entry.Name}' of {length} bytes is too large to be read into memory in one piece; WeightFile.Open maps the file.");
            }

            position += length;
            entries.Add(entry.With(source: ByteSource.Of(ReadGrowing((int)length, position)), offset: -entry.Begin));
        }

        var file = new WeightFile(Source, SafeTensorsHeader.Format, entries, Header.Metadata);
        if (!_stream.CanSeek && _stream.ReadByte() >= 0)
        {
            throw new InvalidDataException($"{Source}: bytes follow after the last tensor; this is not a valid safetensors file.");
        }

        return file;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_leaveOpen)
        {
            _stream.Dispose();
        }
    }

    private byte[] ReadGrowing(int length, long endPosition)
    {
        // Where the stream's length is known it was compared with the header's promise before; else trust only what arrives.
        var bytes = GC.AllocateUninitializedArray<byte>(_stream.CanSeek ? length : Math.Min(length, ChunkLength));
        var read = 0;
        while (read < length)
        {
            if (read == bytes.Length)
            {
                Array.Resize(ref bytes, (int)Math.Min(length, 2L * read));
            }

            var count = _stream.Read(bytes, read, bytes.Length - read);
            if (count == 0)
            {
                throw Truncated(Source, endPosition, endPosition - length + read);
            }

            read += count;
        }

        return bytes;
    }
}
