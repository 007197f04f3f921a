namespace Rnn.Sequences;

/// <summary>
/// A text in pieces that fit into memory and whose tokens together are those of the whole text: they end behind a line end, or in very long lines behind a space. Never before a byte order mark, which is none inside
/// a text.
/// </summary>
internal static class TextPieces
{
    private const int Size = 1 << 16;
    private const char ByteOrderMark = '\uFEFF';

    /// <summary>The pieces; each is good until the next one is asked for.</summary>
    internal static IEnumerable<ReadOnlyMemory<char>> Read(TextReader text, int size = Size)
    {
        var buffer = new char[size];
        var held = 0;
        while (text.ReadBlock(buffer, held, buffer.Length - held) is > 0 and var read)
        {
            held += read;
            var end = EndOfPiece(buffer.AsSpan(0, held));
            if (end > 0)
            {
                yield return buffer.AsMemory(0, end);
                buffer.AsSpan(end, held - end).CopyTo(buffer);
                held -= end;
            }
            else if (held == buffer.Length)
            {
                Array.Resize(ref buffer, checked(2 * buffer.Length));
            }
        }

        if (held > 0)
        {
            yield return buffer.AsMemory(0, held);
        }
    }

    // Where the last whole line ends, of which the next character is known, or the last space; 0 where there is none.
    private static int EndOfPiece(ReadOnlySpan<char> text)
    {
        return LastBehind(text, '\n') is > 0 and var end ? end : LastBehind(text, ' ');

        static int LastBehind(ReadOnlySpan<char> text, char character)
        {
            for (var end = text.Length - 1; end > 0;)
            {
                end = text[..end].LastIndexOf(character) + 1;
                if (end == 0 || text[end] != ByteOrderMark)
                {
                    return end;
                }

                end--;
            }

            return 0;
        }
    }
}
