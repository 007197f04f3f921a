using System.Globalization;
using System.Text;
using Rnn.Formats;

namespace Rnn.Sequences;

/// <summary>The symbols of a vocabulary by number and by name: special ones first.</summary>
internal sealed class SymbolTable
{
    internal const string UnknownName = "<unk>";
    internal const string BeginName = "<s>";
    internal const string EndName = "</s>";

    /// <summary>What unknown tokens are written as.</summary>
    internal const string Replacement = "\uFFFD";

    private readonly string[] _symbols;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _tokens;

    internal SymbolTable(bool unknown, bool beginAndEnd, IEnumerable<string> symbols)
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
        list.AddRange(symbols);
        _symbols = [.. list];
        var tokens = new Dictionary<string, int>(_symbols.Length, StringComparer.Ordinal);
        for (var i = 0; i < _symbols.Length; i++)
        {
            UnicodeText.Check(_symbols[i], nameof(symbols), $"in symbol {i - Special} the character");
            if (_symbols[i].Length == 0)
            {
                throw new ArgumentException($"symbols: expected symbols of one character or more but symbol {i - Special} is empty.", nameof(symbols));
            }

            if (!tokens.TryAdd(_symbols[i], i))
            {
                throw new ArgumentException($"symbols: {Quote(_symbols[i])} comes twice.", nameof(symbols));
            }
        }

        _tokens = tokens.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    internal int Count => _symbols.Length;

    /// <summary>The number of special tokens.</summary>
    internal int Special { get; }

    internal int? Unknown { get; }

    internal int? Begin { get; }

    internal int? End { get; }

    /// <summary>The symbols behind the special ones.</summary>
    internal ReadOnlySpan<string> Ordinary => _symbols.AsSpan(Special);

    internal string this[int token] => (uint)token < (uint)_symbols.Length
        ? _symbols[token]
        : throw new ArgumentOutOfRangeException(
            nameof(token), token, $"token: expected a token from 0 to {_symbols.Length - 1} but got {token}; the vocabulary has {_symbols.Length}.");

    /// <summary>What a token contributes to decoded text.</summary>
    internal string Text(int token)
    {
        var symbol = this[token];
        return token >= Special ? symbol : token == Unknown ? Replacement : string.Empty;
    }

    internal bool TryGetToken(ReadOnlySpan<char> symbol, out int token) => _tokens.TryGetValue(symbol, out token);

    /// <summary>The token of a symbol of the text, or of the unknown one.</summary>
    internal int Token(ReadOnlySpan<char> symbol, int position, string what)
    {
        // A word of the text that reads like a special token is not one.
        if (_tokens.TryGetValue(symbol, out var token) && token >= Special)
        {
            return token;
        }

        return Unknown ?? throw NotFound(symbol, position, what);
    }

    /// <summary>The error for a part of a text that has no token.</summary>
    internal ArgumentException NotFound(ReadOnlySpan<char> text, int position, string what) => new(
        $"text: the {what} {Quote(text)} at position {position} is not among the {Count} symbols of the vocabulary; build it from a text that has this {what}, or with an Unknown token.",
        nameof(text));

    /// <summary>A symbol for a message: quoted, control characters and lone surrogates as code points.</summary>
    internal static string Quote(ReadOnlySpan<char> symbol)
    {
        var text = new StringBuilder("'");
        foreach (var character in symbol)
        {
            if (char.IsControl(character) || (char.IsSurrogate(character) && symbol.Length == 1))
            {
                text.Append(CultureInfo.InvariantCulture, $"U+{(int)character:X4}");
            }
            else
            {
                text.Append(character);
            }
        }

        return text.Append('\'').ToString();
    }
}
