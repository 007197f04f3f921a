namespace Rnn.Keras;

/// <summary>
/// A file that is read a bounded number of times: a damaged HDF5 file whose structures point at each other in a circle ends in an exception and not in a loop.
/// </summary>
internal sealed class BoundedStream(Stream stream, string source) : Stream
{
    private const long FreeReads = 200_000;
    private const long FreeBytes = 16 << 20;

    private long _readsLeft = FreeReads + (4 * stream.Length);
    private long _bytesLeft = FreeBytes + (32 * stream.Length);

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => stream.Length;

    public override long Position
    {
        get => stream.Position;
        set => stream.Position = Checked(value);
    }

    public override int Read(Span<byte> buffer)
    {
        Count(buffer.Length);

        // Whole or not at all: a part would leave what follows as it was.
        var read = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        return read == buffer.Length
            ? read
            : throw new InvalidDataException($"{source}: the file ends where its structures say that more follows; it was cut short or is damaged.");
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

    private void Count(int bytes)
    {
        _readsLeft--;
        _bytesLeft -= bytes;
        if (_readsLeft < 0 || _bytesLeft < 0)
        {
            throw new InvalidDataException($"{source}: the structures of the file point at each other in circles; it is damaged.");
        }
    }
}
