using System.IO.Compression;

namespace Rnn.Formats;

/// <summary>The content of a member of a zip archive: stored, and then read where it lies, or deflated, and then inflated whole when it is first read. The checksum is compared before.</summary>
internal sealed class ZipContent(ByteSource archive, string source, bool isDeflated, uint checksum, long offset, long packed, long size) : ByteSource
{
    private const int ChunkLength = 1 << 16;

    private readonly Lock _lock = new();
    private volatile bool _isChecked;
    private byte[] _inflated = [];

    /// <inheritdoc/>
    internal override long Length => size;

    /// <inheritdoc/>
    internal override void Read(long start, Span<byte> destination)
    {
        if (!_isChecked)
        {
            lock (_lock)
            {
                Check();
            }
        }

        if (isDeflated)
        {
            _inflated.AsSpan((int)start, destination.Length).CopyTo(destination);
        }
        else
        {
            archive.Read(offset + start, destination);
        }
    }

    /// <inheritdoc/>
    internal override byte[] Peek(int count)
    {
        count = (int)Math.Min(count, size);
        if (!isDeflated)
        {
            return archive.Read(offset, count);
        }

        using var stream = Deflated((int)Math.Min(packed, count + (long)ChunkLength));
        var bytes = new byte[count];
        return bytes[..stream.ReadAtLeast(bytes, count, throwOnEndOfStream: false)];
    }

    private void Check()
    {
        if (_isChecked)
        {
            return;
        }

        if (isDeflated)
        {
            _inflated = Inflate();
        }

        var crc = uint.MaxValue;
        if (isDeflated)
        {
            crc = Crc32.Add(crc, _inflated);
        }
        else
        {
            var buffer = new byte[(int)Math.Min(ChunkLength, size)];
            for (var at = 0L; at < size; at += buffer.Length)
            {
                var chunk = buffer.AsSpan(0, (int)Math.Min(buffer.Length, size - at));
                archive.Read(offset + at, chunk);
                crc = Crc32.Add(crc, chunk);
            }
        }

        _isChecked = ~crc == checksum ? true : throw new InvalidDataException($"{source} is damaged: its checksum is {~crc:x8} where the archive says {checksum:x8}.");
    }

    private DeflateStream Deflated(int count) => new(new MemoryStream(archive.Read(offset, count), writable: false), CompressionMode.Decompress);

    private byte[] Inflate()
    {
        if (size > Array.MaxLength)
        {
            throw new InvalidDataException($"{source} is deflated and has {size} bytes, more than can be held in memory in one piece; write the archive without compression.");
        }

        using var stream = Deflated(checked((int)packed));
        var bytes = new byte[size];
        var read = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return read == size && stream.ReadByte() < 0 ? bytes : throw new InvalidDataException($"{source} is damaged: it has other than the {size} bytes that the archive says.");
    }
}

/// <summary>The checksum of zip archives, CRC-32 of the polynomial 0xEDB88320: four bytes at a time by as many tables.</summary>
internal static class Crc32
{
    private static readonly uint[] Tables = MakeTables();

    /// <summary>Takes bytes into a checksum that begins with all bits set; its complement is the result.</summary>
    internal static uint Add(uint crc, ReadOnlySpan<byte> bytes)
    {
        var tables = Tables;
        for (; bytes.Length >= 4; bytes = bytes[4..])
        {
            crc ^= System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(bytes);
            crc = tables[768 + (byte)crc] ^ tables[512 + (byte)(crc >> 8)] ^ tables[256 + (byte)(crc >> 16)] ^ tables[crc >> 24];
        }

        foreach (var value in bytes)
        {
            crc = tables[(byte)(crc ^ value)] ^ (crc >> 8);
        }

        return crc;
    }

    private static uint[] MakeTables()
    {
        var tables = new uint[4 * 256];
        for (var i = 0; i < tables.Length; i++)
        {
            // The first table has one byte, each further one a zero byte more.
            var crc = i < 256 ? (uint)i : tables[i - 256];
            if (i < 256)
            {
                for (var bit = 0; bit < 8; bit++)
                {
                    crc = (crc >> 1) ^ ((crc & 1) == 0 ? 0 : 0xEDB88320);
                }
            }
            else
            {
                crc = tables[(byte)crc] ^ (crc >> 8);
            }

            tables[i] = crc;
        }

        return tables;
    }
}
