using System.Buffers.Binary;

namespace Rnn.Keras;

/// <summary>
/// A file that is read a bounded number of times: a damaged HDF5 file whose structures point at each other in a circle ends in an exception and not in a loop.
/// </summary>
internal sealed class BoundedStream(Stream stream, string source) : Stream
{
    // The most that deflate compresses, and a little more.
    internal const ulong MostCompression = 1100;

    private const long FreeReads = 200_000;
    private const long FreeBytes = 16 << 20;

    // The lengths of the last reads, the latest first, what they gave where that is a number, and the signature of the structure that is read.
    private readonly int[] _lengths = new int[4];
    private readonly ulong[] _numbers = new ulong[4];
    private Structure _structure;
    private bool _isAtStart;

    private long _readsLeft = FreeReads + (4 * stream.Length);
    private long _bytesLeft = FreeBytes + (32 * stream.Length);

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => stream.Length;

    public override long Position
    {
        get => stream.Position;
        set
        {
            stream.Position = Checked(value);
            _isAtStart = true;
            _structure = Structure.Other;
        }
    }

    public override int Read(Span<byte> buffer)
    {
        Count(buffer.Length);

        // Whole or not at all: a part would leave what follows as it was.
        var read = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        if (read < buffer.Length)
        {
            throw new InvalidDataException($"{source}: the file ends where its structures say that more follows; it was cut short or is damaged.");
        }

        CheckSize(buffer);
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        ArgumentNullException.ThrowIfNull(buffer);
        return Read(buffer.AsSpan(offset, count));
    }

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => Position + offset,
        _ => Length + offset,
    };

    public override void Flush()
    {
        // Nothing is ever written.
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            stream.Dispose();
        }

        base.Dispose(disposing);
    }

    private long Checked(long position) => position >= 0 && position <= stream.Length
        ? position
        : throw new InvalidDataException($"{source}: a structure of the file points to byte {position} of {stream.Length}; the file was cut short or is damaged.");

    // PureHDF makes room for what a heap, a chunk, a type or a fill value says of its size before it reads it, up to two gigabytes. Such sizes are known by what is read before them: they are refused where they are
    // beyond the file, as the allocation would come first.
    private void CheckSize(ReadOnlySpan<byte> read)
    {
        if (_isAtStart && read.Length == 4)
        {
            _structure = read.SequenceEqual("HEAP"u8) ? Structure.LocalHeap : read.SequenceEqual("GCOL"u8) ? Structure.GlobalHeap
                : read.SequenceEqual("TREE"u8) ? Structure.Tree : Structure.Other;
        }

        var startsHere = _isAtStart;
        _isAtStart = false;
        var number = read.Length switch
        {
            1 => read[0],
            2 => BinaryPrimitives.ReadUInt16LittleEndian(read),
            4 => BinaryPrimitives.ReadUInt32LittleEndian(read),
            8 => BinaryPrimitives.ReadUInt64LittleEndian(read),
            _ => 0UL,
        };
        var isSize = read.Length switch
        {
            // Version, three bytes of nothing, size; of an object of a global heap: number, count, four bytes of nothing, size.
            8 => _lengths[0] == 3 ? _structure is Structure.LocalHeap or Structure.GlobalHeap : _lengths[0] == 4 && _structure == Structure.GlobalHeap,

            4 => _lengths switch
            {
                // A chunk, of which a node of a tree says its size behind the address of the one before.
                [8, ..] when _structure == Structure.Tree => !startsHere,

                // A fill value: version, two times and whether there is one; or version and flags; or, of an old one, the head of its message.
                [1, 1, 1, 1] => _numbers is [1, <= 3, <= 3, 1 or 2],
                [1, 1, ..] => (_numbers[0] & 0x20) != 0 && _numbers[1] == 3,
                [1, 2, 1, ..] => _numbers[2] == 4,
                [3, 1, 2, 2] when _numbers[3] == 4 => true,

                // A type of numbers or texts: version and class, three bytes of properties.
                [3, 1, ..] => _numbers[1] is >= 0x10 and < 0x50,
                _ => false,
            },
            _ => false,
        };

        // The first dimension of an attribute or data set, which may be compressed: version, rank and flags, then the kind or five bytes of nothing.
        var isDimension = read.Length == 8
            && (_lengths is [1, 1, 1, 1] ? _numbers is [1, <= 3, >= 1 and <= 32, 2] : _lengths is [5, 1, 1, 1] && _numbers is [_, <= 3, >= 1 and <= 32, 1])
            && number / MostCompression > (ulong)stream.Length;
        if ((isSize && number > (ulong)stream.Length) || isDimension)
        {
            throw new InvalidDataException($"{source}: a structure of the file says that it has {number} bytes, more than the file; it is damaged.");
        }

        for (var i = _lengths.Length - 1; i > 0; i--)
        {
            (_lengths[i], _numbers[i]) = (_lengths[i - 1], _numbers[i - 1]);
        }

        (_lengths[0], _numbers[0]) = (read.Length, number);
    }

    private void Count(int bytes)
    {
        _readsLeft--;
        _bytesLeft -= bytes;
        if (_readsLeft < 0 || _bytesLeft < 0)
        {
            throw new InvalidDataException($"{source}: the structures of the file point at each other in circles; it is damaged.");
        }
    }

    private enum Structure
    {
        Other,
        LocalHeap,
        GlobalHeap,
        Tree,
    }
}
