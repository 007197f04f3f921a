using System.IO.MemoryMappedFiles;

namespace Rnn.Formats;

/// <summary>The bytes of a file, or of a part of it: in memory, or mapped into memory by the system, which reads what is asked for.</summary>
internal abstract class ByteSource : IDisposable
{
    /// <summary>The number of bytes.</summary>
    internal abstract long Length { get; }

    /// <summary>Bytes in memory, which must stay as they are.</summary>
    internal static ByteSource Of(ReadOnlyMemory<byte> bytes) => new InMemory(bytes);

    /// <summary>Maps a file.</summary>
    internal static ByteSource Map(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var stream = new FileStream(path, new FileStreamOptions { BufferSize = 0 });

        // Nothing cannot be mapped; what is no file, such as a pipe, has no length.
        return stream.Length == 0 ? Of(default) : new Mapped(stream);
    }

    /// <summary>Copies bytes that exist.</summary>
    /// <exception cref="ObjectDisposedException">The file was closed.</exception>
    internal abstract void Read(long offset, Span<byte> destination);

    /// <summary>A copy of bytes that exist.</summary>
    internal byte[] Read(long offset, int count)
    {
        var bytes = GC.AllocateUninitializedArray<byte>(count);
        Read(offset, bytes);
        return bytes;
    }

    /// <summary>The first bytes, as many as are asked for or there are, without work for the others.</summary>
    internal virtual byte[] Peek(int count) => Read(0, (int)Math.Min(count, Length));

    /// <inheritdoc/>
    public virtual void Dispose()
    {
    }

    private sealed class InMemory(ReadOnlyMemory<byte> bytes) : ByteSource
    {
        internal override long Length => bytes.Length;

        internal override void Read(long offset, Span<byte> destination) => bytes.Span.Slice((int)offset, destination.Length).CopyTo(destination);
    }

    private sealed class Mapped : ByteSource
    {
        private readonly MemoryMappedFile _file;
        private readonly MemoryMappedViewAccessor _view;

        internal Mapped(FileStream stream)
        {
            Length = stream.Length;
            _file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
            _view = _file.CreateViewAccessor(0, Length, MemoryMappedFileAccess.Read);
        }

        internal override long Length { get; }

        // The handle counts who reads: where another thread closes it, the memory stays until they have done.
        internal override unsafe void Read(long offset, Span<byte> destination)
        {
            byte* start = null;
            _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
            try
            {
                new ReadOnlySpan<byte>(start + _view.PointerOffset + offset, destination.Length).CopyTo(destination);
            }
            finally
            {
                _view.SafeMemoryMappedViewHandle.ReleasePointer();
            }
        }

        public override void Dispose()
        {
            _view.Dispose();
            _file.Dispose();
            base.Dispose();
        }
    }
}
