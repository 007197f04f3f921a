using System.Globalization;
using System.Text;

namespace Rnn.Sequences;

/// <summary>Walks over the words, punctuation marks and line ends of a text without allocating.</summary>
internal ref struct WordReader(ReadOnlySpan<char> text)
{
    private const string LineEnd = "\n";
    private readonly ReadOnlySpan<char> _text = text;
    private int _next;

    /// <summary>The word.</summary>
    public ReadOnlySpan<char> Current { get; private set; }

    /// <summary>Where in the text it begins.</summary>
    internal int Position { get; private set; }

    /// <summary>Where in the text it ends: behind both characters of a line end of two.</summary>
    internal readonly int End => _next;

    public readonly WordReader GetEnumerator() => this;

    /// <summary>Goes to the next word.</summary>
    public bool MoveNext()
    {
        while (_next < _text.Length)
        {
            Position = _next;
            var kind = KindAt(_next, out var length);
            _next += length;
            switch (kind)
            {
                case Kind.LineEnd:
                    Current = LineEnd;
                    return true;
                case Kind.Space:
                    continue;
                case Kind.Word:
                    _next = EndOfWord(_next);
                    break;
                case Kind.Mark:
                    _next = EndOfAccents(_next);
                    break;
            }

            Current = _text[Position.._next];
            return true;
        }

        return false;
    }

    private enum Kind
    {
        Word,
        Mark,
        Space,
        LineEnd,
    }

    private readonly int EndOfWord(int at)
    {
        while (at < _text.Length)
        {
            var kind = KindAt(at, out var length);
            if (kind != Kind.Word && !Joins(at) && !IsAccent(at))
            {
                break;
            }

            at += length;
        }

        return at;
    }

    // Accents and variation selectors belong to what they stand behind.
    private readonly int EndOfAccents(int at)
    {
        while (at < _text.Length && IsAccent(at))
        {
            _ = KindAt(at, out var length);
            at += length;
        }

        return at;
    }

    private readonly bool IsAccent(int at)
    {
        _ = Rune.DecodeFromUtf16(_text[at..], out var rune, out _);
        return IsAccent(rune);
    }

    private static bool IsAccent(Rune rune) => Rune.GetUnicodeCategory(rune) is
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark;

    // What has no look of its own: format characters (byte order mark, joiners, soft hyphen, marks of direction) and variation selectors.
    private static bool IsInvisible(Rune rune) =>
        Rune.GetUnicodeCategory(rune) == UnicodeCategory.Format || rune.Value is (>= 0xFE00 and <= 0xFE0F) or (>= 0xE0100 and <= 0xE01EF);

    // Whether the mark between two parts of a word belongs to it.
    private readonly bool Joins(int at)
    {
        if (at + 1 >= _text.Length || KindAt(at + 1, out _) != Kind.Word)
        {
            return false;
        }

        return _text[at] switch
        {
            '\'' or '’' or '-' or '\u00AD' or '\u200C' or '\u200D' => true,
            '.' or ',' => char.IsAsciiDigit(_text[at - 1]) && char.IsAsciiDigit(_text[at + 1]),
            _ => false,
        };
    }

    private readonly Kind KindAt(int at, out int length)
    {
        _ = Rune.DecodeFromUtf16(_text[at..], out var rune, out length);
        if (rune.Value == '\r' && at + 1 < _text.Length && _text[at + 1] == '\n')
        {
            length = 2;
            return Kind.LineEnd;
        }

        if (rune.Value is '\n' or '\r')
        {
            return Kind.LineEnd;
        }

        if (Rune.IsWhiteSpace(rune) || Rune.IsControl(rune) || IsInvisible(rune))
        {
            return Kind.Space;
        }

        return rune.Value == '_' || Rune.IsLetterOrDigit(rune) || IsAccent(rune) ? Kind.Word : Kind.Mark;
    }
}
