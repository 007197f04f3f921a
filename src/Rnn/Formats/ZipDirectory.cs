using System.Buffers.Binary;

namespace Rnn.Formats;

/// <summary>
/// The list of a zip archive's members, read from its central directory and checked: every offset and length lies within the archive before anything is read there. Members that are stored are read where they lie.
/// </summary>
internal sealed class ZipDirectory
{
    private const int EndLength = 22;
    private const int Locator64Length = 20;
    private const int End64Length = 56;
    private const int CentralLength = 46;
    private const int LocalLength = 30;
    private const uint InExtra = uint.MaxValue;

    private readonly ByteSource _bytes;
    private readonly string _source;
    private readonly Dictionary<string, ZipMember> _members = new(StringComparer.Ordinal);

    private ZipDirectory(ByteSource bytes, string source) => (_bytes, _source) = (bytes, source);

    /// <summary>What the archive is called in messages.</summary>
    internal string Source => _source;

    /// <summary>The names of all members that are no folders, in the order of the directory.</summary>
    internal List<string> Names { get; } = [];

    /// <summary>Reads the directory of an archive.</summary>
    /// <exception cref="InvalidDataException">The archive is damaged, or of a kind that is not read.</exception>
    internal static ZipDirectory Read(ByteSource bytes, string source)
    {
        var directory = new ZipDirectory(bytes, source);
        var (offset, length, count) = directory.FindDirectory();
        directory.ReadMembers(offset, bytes.Read(offset, length), count);
        return directory;
    }

    /// <summary>Whether there is a member of this name.</summary>
    internal bool Contains(string name) => _members.ContainsKey(name);

    /// <summary>The content of a member: where it lies, or inflated when it is first read. Its checksum is compared then.</summary>
    internal ByteSource Open(string name) => _members[name].Open();

    /// <summary>The message for a damaged archive.</summary>
    internal InvalidDataException Damaged(string what) => new($"{_source}: the zip archive is damaged: {what}.");

    // The end of the directory is at the end of the archive, behind it a comment of up to 65,535 bytes.
    private (long Offset, int Length, long Count) FindDirectory()
    {
        var tail = _bytes.Read(Math.Max(0, _bytes.Length - EndLength - ushort.MaxValue), (int)Math.Min(_bytes.Length, EndLength + ushort.MaxValue)).AsSpan();
        for (var at = tail.Length - EndLength; at >= 0; at--)
        {
            if (!tail[at..].StartsWith("PK\x05\x06"u8) || at + EndLength + U16(tail, at + 20) != tail.Length)
            {
                continue;
            }

            var position = _bytes.Length - tail.Length + at;
            var (count, length, offset) = ((long)U16(tail, at + 10), (long)U32(tail, at + 12), (long)U32(tail, at + 16));
            if (count == ushort.MaxValue || length == InExtra || offset == InExtra)
            {
                (count, length, offset, position) = End64(position) ?? (count, length, offset, position);
            }

            // More members than the directory has room for would be the first sign of a forged count.
            return offset >= 0 && length >= 0 && length <= int.MaxValue && offset <= position - length && count <= length / CentralLength
                ? (offset, (int)length, count)
                : throw Damaged($"it gives a directory of {count} members and {length} bytes at {offset}, where the archive has {_bytes.Length} bytes");
        }

        throw Damaged("its directory is missing; it may be cut short");
    }

    private (long Count, long Length, long Offset, long Position)? End64(long end)
    {
        var locator = end >= Locator64Length ? _bytes.Read(end - Locator64Length, Locator64Length) : [];
        if (!locator.AsSpan().StartsWith("PK\x06\x07"u8))
        {
            return null;
        }

        var position = BinaryPrimitives.ReadInt64LittleEndian(locator.AsSpan(8));
        if (position < 0 || position > end - Locator64Length - End64Length)
        {
            throw Damaged($"it gives its directory's end at {position}");
        }

        var record = _bytes.Read(position, End64Length).AsSpan();
        return record.StartsWith("PK\x06\x06"u8)
            ? (I64(record, 32), I64(record, 40), I64(record, 48), position)
            : throw Damaged("the end of its directory is not where it says");
    }

    private void ReadMembers(long directoryOffset, ReadOnlySpan<byte> directory, long count)
    {
        for (; count > 0; count--)
        {
            if (directory.Length < CentralLength || !directory.StartsWith("PK\x01\x02"u8))
            {
                throw Damaged("its directory ends early");
            }

            var (nameLength, extraLength, commentLength) = (U16(directory, 28), U16(directory, 30), U16(directory, 32));
            var length = CentralLength + nameLength + extraLength + commentLength;
            if (length > directory.Length)
            {
                throw Damaged("its directory ends early");
            }

            var name = WeightFormats.Text(directory.Slice(CentralLength, nameLength), _source);
            var (size, packed, local) = ((long)U32(directory, 24), (long)U32(directory, 20), (long)U32(directory, 42));
            ReadExtra(directory.Slice(CentralLength + nameLength, extraLength), ref size, ref packed, ref local);
            var (flags, method) = (U16(directory, 8), U16(directory, 10));
            if (!name.EndsWith('/'))
            {
                Names.Add(name);
                if (!_members.TryAdd(name, new(this, name, method, U32(directory, 16), Locate(name, flags, method, local, packed, size, directoryOffset), packed, size)))
                {
                    throw Damaged($"the member '{name}' comes twice");
                }
            }

            directory = directory[length..];
        }

        if (!directory.IsEmpty)
        {
            throw Damaged("its directory has more than it says");
        }
    }

    // Sizes and offset of 64 bits stand in the extra field of number 1, in this order, those alone that have no room before.
    private void ReadExtra(ReadOnlySpan<byte> extra, ref long size, ref long packed, ref long local)
    {
        while (extra.Length >= 4 && (size == InExtra || packed == InExtra || local == InExtra))
        {
            var (id, length) = (U16(extra, 0), U16(extra, 2));
            if (length > extra.Length - 4)
            {
                throw Damaged("an extra field is longer than its place");
            }

            var field = extra.Slice(4, length);
            extra = extra[(4 + length)..];
            if (id == 1)
            {
                Take(ref field, ref size);
                Take(ref field, ref packed);
                Take(ref field, ref local);
                return;
            }
        }

        static void Take(ref ReadOnlySpan<byte> field, ref long value)
        {
            if (value == InExtra && field.Length >= 8)
            {
                value = I64(field, 0);
                field = field[8..];
            }
        }
    }

    private long Locate(string name, int flags, int method, long local, long packed, long size, long directoryOffset)
    {
        if ((flags & 1) != 0 || method is not (0 or 8))
        {
            throw new InvalidDataException($"{_source}: the member '{name}' of the zip archive is {((flags & 1) != 0 ? "encrypted" : $"compressed by method {method}")}; what is stored or deflated is read.");
        }

        // Deflate makes a thousandth at best (1,032 : 1), so a larger promise is forged.
        if (local < 0 || packed < 0 || size < 0 || local > directoryOffset - LocalLength || (method == 0 ? size != packed : size / 1032 > packed))
        {
            throw Damaged($"the member '{name}' has impossible sizes or place: {size} bytes, {packed} packed, at {local}");
        }

        var header = _bytes.Read(local, LocalLength).AsSpan();
        var data = local + LocalLength + U16(header, 26) + U16(header, 28);
        return header.StartsWith("PK\x03\x04"u8) && data <= directoryOffset && packed <= directoryOffset - data
            ? data
            : throw Damaged($"the member '{name}' does not lie where the directory says");
    }

    private static int U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static long I64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);

    /// <summary>A member: where its bytes lie, and what they must be.</summary>
    private sealed class ZipMember(ZipDirectory archive, string name, int method, uint checksum, long offset, long packed, long size)
    {
        private ByteSource? _content;

        internal ByteSource Open() => _content ??= new ZipContent(archive._bytes, $"{archive._source}: the member '{name}' of the zip archive", method == 8, checksum, offset, packed, size);
    }
}
