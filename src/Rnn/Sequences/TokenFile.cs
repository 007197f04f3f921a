using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using Microsoft.Win32.SafeHandles;
using Rnn.Formats;

namespace Rnn.Sequences;

/// <summary>
/// Tokens in a file, for texts larger than memory: written once from a stream, then read where they are wanted. A <see cref="TokenStreamSource"/> walks through it as through tokens in memory.
/// </summary>
/// <remarks>
/// The format, little-endian: the eight letters <c>rnntoken</c>, the version (1, four bytes), the bytes of a token (2 for vocabularies of up to 65,536 tokens, else 4; four bytes), the size of the vocabulary (eight bytes), the number
/// of tokens (eight bytes), and the tokens. Any number of threads may read one file.
/// </remarks>
/// <example>
/// <code>
/// using (var text = File.OpenText("corpus.txt"))
/// {
///     TokenFile.Write("corpus.tokens", text, vocabulary);
/// }
///
/// using var tokens = TokenFile.Open("corpus.tokens");
/// await trainer.FitAsync(new TokenStreamSource(tokens, rows: 32, steps: 64).Prefetch(), epochs: 1);
/// </code>
/// </example>
public sealed class TokenFile : IDisposable
{
    private const int HeaderSize = 32;
    private const int Version = 1;
    private const int BlockSize = 1 << 15;

    private readonly SafeFileHandle _handle;
    private readonly string _path;
    private readonly long _start;
    private readonly int _bytes;
    private readonly bool _isPart;
    private string? _fingerprint;

    private TokenFile(SafeFileHandle handle, string path, long start, long count, int bytes, int vocabularySize, bool isPart)
    {
        (_handle, _path, _start, _bytes, _isPart) = (handle, path, start, bytes, isPart);
        (Count, VocabularySize) = (count, vocabularySize);
    }

    private static ReadOnlySpan<byte> Magic => "rnntoken"u8;

    /// <summary>The number of tokens.</summary>
    public long Count { get; }

    /// <summary>The number V of the vocabulary's tokens: those here are 0 to V − 1.</summary>
    public int VocabularySize { get; }

    /// <summary>The hash that <see cref="Fingerprint"/> gives of all tokens at once. Reads the file, the first time.</summary>
    internal string Hash => _fingerprint ??= ComputeHash();

    /// <summary>Writes a file of the tokens of a text, piece by piece: memory does not grow with the text. A file that exists is replaced when all is written.</summary>
    /// <param name="path">The file.</param>
    /// <param name="text">The text, read to its end and left open.</param>
    /// <param name="vocabulary">
    /// What makes tokens of it. It gets pieces that end behind a line end, or in very long lines behind a space: with characters and words their tokens are those of the whole text, with a vocabulary whose tokens reach across
    /// line ends they may differ there.
    /// </param>
    /// <exception cref="ArgumentException">A character or word is not in the vocabulary and there is no token for unknown ones.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, TextReader text, IVocabulary vocabulary)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(vocabulary);
        Write(path, TextPieces.Read(text).Select(piece => vocabulary.Encode(piece.Span)), vocabulary.Count);
    }

    /// <summary>Writes a file of tokens that come in pieces of any size, such as one sequence after the other. A file that exists is replaced when all is written.</summary>
    /// <param name="path">The file.</param>
    /// <param name="pieces">The tokens, each from 0 to V − 1.</param>
    /// <param name="vocabularySize">V.</param>
    /// <exception cref="ArgumentException">A token is out of range.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, IEnumerable<int[]> pieces, int vocabularySize)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(pieces);
        OptionRange.AtLeast(1, vocabularySize, nameof(vocabularySize));
        AtomicFile.Write(path, file =>
        {
            var stream = new BufferedStream(file, 1 << 16);
            var header = new byte[HeaderSize];
            var bytes = BytesFor(vocabularySize);
            stream.Write(header);
            var count = 0L;
            var buffer = Array.Empty<byte>();
            foreach (var tokens in pieces)
            {
                if (buffer.Length < tokens.Length * bytes)
                {
                    buffer = new byte[checked(tokens.Length * bytes)];
                }

                for (var i = 0; i < tokens.Length; i++)
                {
                    if ((uint)tokens[i] >= (uint)vocabularySize)
                    {
                        throw new ArgumentException(
                            string.Create(CultureInfo.InvariantCulture, $"pieces: expected tokens from 0 to {vocabularySize - 1} but token {count + i} is {tokens[i]}."), nameof(pieces));
                    }

                    Put(buffer.AsSpan(i * bytes), tokens[i], bytes);
                }

                stream.Write(buffer, 0, tokens.Length * bytes);
                count += tokens.Length;
            }

            Magic.CopyTo(header);
            BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(8), Version);
            BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(12), bytes);
            BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(16), vocabularySize);
            BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(24), count);
            stream.Position = 0;
            stream.Write(header);
            stream.Flush();
        });
    }

    /// <summary>Opens a file that <see cref="Write(string, TextReader, IVocabulary)"/> wrote.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">It is no such file, of another version, or its end is missing; the message says which.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static TokenFile Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        var handle = File.OpenHandle(path);
        try
        {
            Span<byte> header = stackalloc byte[HeaderSize];
            var length = RandomAccess.GetLength(handle);
            if (ReadAll(handle, header, 0) < HeaderSize || !header[..8].SequenceEqual(Magic))
            {
                throw new InvalidDataException($"{path}: this is not a file of tokens; make one by TokenFile.Write.");
            }

            var (version, bytes) = (BinaryPrimitives.ReadInt32LittleEndian(header[8..]), BinaryPrimitives.ReadInt32LittleEndian(header[12..]));
            var (vocabularySize, count) = (BinaryPrimitives.ReadInt64LittleEndian(header[16..]), BinaryPrimitives.ReadInt64LittleEndian(header[24..]));
            if (version != Version)
            {
                throw new InvalidDataException($"{path}: expected version {Version} of the format but the file has {version}; write it again with this library.");
            }

            if (vocabularySize is < 1 or > int.MaxValue || bytes != BytesFor((int)vocabularySize) || count is < 0 or > long.MaxValue / 8)
            {
                throw new InvalidDataException($"{path}: the header is damaged: a vocabulary of {vocabularySize}, {count} tokens of {bytes} bytes.");
            }

            return length == HeaderSize + (count * bytes)
                ? new(handle, path, 0, count, bytes, (int)vocabularySize, isPart: false)
                : throw new InvalidDataException(
                    $"{path}: expected {HeaderSize + (count * bytes)} bytes for {count} tokens but the file has {length}; {(length < HeaderSize + (count * bytes) ? "its end is missing" : "something stands behind its end")}.");
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>A part of the tokens, such as those to train on and those to validate on. It reads the same file and ends with it.</summary>
    /// <param name="start">The first token.</param>
    /// <param name="count">How many; null for all that follow.</param>
    /// <exception cref="ArgumentOutOfRangeException">The part reaches outside.</exception>
    public TokenFile Slice(long start, long? count = null)
    {
        if (start < 0 || start > Count || (count is { } given && (given < 0 || given > Count - start)))
        {
            throw new ArgumentOutOfRangeException(nameof(start), start, $"start: expected a part of the {Count} tokens but got {count?.ToString(CultureInfo.InvariantCulture) ?? "all"} from {start}.");
        }

        return new(_handle, _path, _start + start, count ?? (Count - start), _bytes, VocabularySize, isPart: true);
    }

    /// <summary>Reads tokens.</summary>
    /// <param name="start">The first one.</param>
    /// <param name="tokens">Receives them.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are not so many.</exception>
    /// <exception cref="InvalidDataException">The file is damaged: a token is none of the vocabulary.</exception>
    public void Read(long start, Span<int> tokens)
    {
        if (start < 0 || tokens.Length > Count - start)
        {
            throw new ArgumentOutOfRangeException(nameof(start), start, $"start: expected a part of the {Count} tokens but got {tokens.Length} from {start}.");
        }

        var buffer = ArrayPool<byte>.Shared.Rent(Math.Min(tokens.Length, BlockSize) * _bytes);
        try
        {
            while (!tokens.IsEmpty)
            {
                var part = tokens[..Math.Min(tokens.Length, BlockSize)];
                var bytes = buffer.AsSpan(0, part.Length * _bytes);
                if (ReadAll(_handle, bytes, HeaderSize + ((_start + start) * _bytes)) < bytes.Length)
                {
                    throw new InvalidDataException($"{_path}: the end of the file is missing; it was there when it was opened.");
                }

                Take(bytes, part, start);
                tokens = tokens[part.Length..];
                start += part.Length;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Closes the file, with all its parts; on a part it does nothing.</summary>
    public void Dispose()
    {
        if (!_isPart)
        {
            _handle.Dispose();
        }
    }

    private void Take(ReadOnlySpan<byte> bytes, Span<int> tokens, long start)
    {
        for (var i = 0; i < tokens.Length; i++)
        {
            tokens[i] = _bytes == sizeof(ushort) ? BinaryPrimitives.ReadUInt16LittleEndian(bytes[(2 * i)..]) : BinaryPrimitives.ReadInt32LittleEndian(bytes[(4 * i)..]);
            if ((uint)tokens[i] >= (uint)VocabularySize)
            {
                throw new InvalidDataException($"{_path}: the file is damaged: token {_start + start + i} is {tokens[i]}, expected 0 to {VocabularySize - 1}.");
            }
        }
    }

    private string ComputeHash()
    {
        var hash = new Fingerprint();
        hash.AddLength(Count * sizeof(int));
        var tokens = new int[(int)Math.Min(Count, BlockSize)];
        for (var at = 0L; at < Count; at += tokens.Length)
        {
            var part = tokens.AsSpan(0, (int)Math.Min(tokens.Length, Count - at));
            Read(at, part);
            hash.AddPart<int>(part);
        }

        return hash.ToString();
    }

    private static int BytesFor(int vocabularySize) => vocabularySize <= ushort.MaxValue + 1 ? sizeof(ushort) : sizeof(int);

    private static void Put(Span<byte> to, int token, int bytes)
    {
        if (bytes == sizeof(ushort))
        {
            BinaryPrimitives.WriteUInt16LittleEndian(to, (ushort)token);
        }
        else
        {
            BinaryPrimitives.WriteInt32LittleEndian(to, token);
        }
    }

    // The system may give less than is asked for; less in all only at the end of the file.
    private static int ReadAll(SafeFileHandle handle, Span<byte> bytes, long offset)
    {
        var read = 0;
        while (read < bytes.Length && RandomAccess.Read(handle, bytes[read..], offset + read) is > 0 and var more)
        {
            read += more;
        }

        return read;
    }
}
