using System.Globalization;
using System.Text;
using Rnn.Formats;

namespace Rnn.Sequences;

/// <summary>The tokens of a vocabulary and their texts, both ways; special ones first.</summary>
internal sealed class TokenTable
{
    internal const string UnknownName = "<unk>";
    internal const string BeginName = "<s>";
    internal const string EndName = "</s>";

    /// <summary>What unknown tokens are written as.</summary>
    internal const string Replacement = "\uFFFD";

    private readonly string[] _texts;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _tokens;

    internal TokenTable(bool unknown, bool beginAndEnd, IEnumerable<string> texts)
    {
        var list = new List<string>();
        if (unknown)
        {
            Unknown = list.Count;
            list.Add(UnknownName);
        }

        if (beginAndEnd)
        {
            Begin = list.Count;
            End = list.Count + 1;
            list.Add(BeginName);
            list.Add(EndName);
        }

        Special = list.Count;
        list.AddRange(texts);
        _texts = [.. list];
        var tokens = new Dictionary<string, int>(_texts.Length, StringComparer.Ordinal);
        for (var i = 0; i < _texts.Length; i++)
        {
            UnicodeText.Check(_texts[i], nameof(texts), $"in token {i - Special} the character");
            if (_texts[i].Length == 0)
            {
                throw new ArgumentException($"texts: expected tokens of one character or more but token {i - Special} is empty.", nameof(texts));
            }

            if (!tokens.TryAdd(_texts[i], i))
            {
                throw new ArgumentException($"texts: {Quote(_texts[i])} comes twice.", nameof(texts));
            }
        }

        _tokens = tokens.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    internal int Count => _texts.Length;

    /// <summary>The number of special tokens.</summary>
    internal int Special { get; }

    internal int? Unknown { get; }

    internal int? Begin { get; }

    internal int? End { get; }

    /// <summary>The texts of the tokens that are not special.</summary>
    internal ReadOnlySpan<string> Ordinary => _texts.AsSpan(Special);

    internal string this[int token] => (uint)token < (uint)_texts.Length
        ? _texts[token]
        : throw new ArgumentOutOfRangeException(
            nameof(token), token, $"token: expected a token from 0 to {_texts.Length - 1} but got {token}; the vocabulary has {_texts.Length}.");

    /// <summary>What a token contributes to decoded text.</summary>
    internal string Text(int token)
    {
        var text = this[token];
        return token >= Special ? text : token == Unknown ? Replacement : string.Empty;
    }

    internal bool TryGetToken(ReadOnlySpan<char> text, out int token) => _tokens.TryGetValue(text, out token);

    /// <summary>The token of a character or word of a text, or the unknown one.</summary>
    internal int Token(ReadOnlySpan<char> text, int position, string what)
    {
        // A word of the text that reads like a special token is not one.
        if (_tokens.TryGetValue(text, out var token) && token >= Special)
        {
            return token;
        }

        return Unknown ?? throw NotFound(text, position, what);
    }

    /// <summary>The error for a part of a text that has no token.</summary>
    internal ArgumentException NotFound(ReadOnlySpan<char> text, int position, string what) => new(
        $"text: the {what} {Quote(text)} at position {position} is not among the {Count} tokens of the vocabulary; build it from a text that has this {what}, or with an Unknown token.",
        nameof(text));

    /// <summary>A part of a text for a message: quoted, control characters and lone surrogates as code points.</summary>
    internal static string Quote(ReadOnlySpan<char> text)
    {
        var quoted = new StringBuilder("'");
        foreach (var character in text)
        {
            if (char.IsControl(character) || (char.IsSurrogate(character) && text.Length == 1))
            {
                quoted.Append(CultureInfo.InvariantCulture, $"U+{(int)character:X4}");
            }
            else
            {
                quoted.Append(character);
            }
        }

        return quoted.Append('\'').ToString();
    }
}
