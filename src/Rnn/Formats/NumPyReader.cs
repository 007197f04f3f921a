using System.Buffers.Binary;
using System.Globalization;

namespace Rnn.Formats;

/// <summary>Reads arrays of NumPy (<c>.npy</c>, versions 1.0 to 3.0 of the format) and archives of them (<c>.npz</c>).</summary>
internal static class NumPyReader
{
    // Magic, version and a header's length of four bytes.
    private const int LongestPrefix = 12;
    private const string Suffix = ".npy";

    internal static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>An archive of arrays, named as its members are without <c>.npy</c>.</summary>
    internal static WeightFile Read(ZipDirectory archive, string source, IDisposable? owner)
    {
        if (archive.Names.FirstOrDefault(name => !name.EndsWith(Suffix, StringComparison.Ordinal)) is { } other)
        {
            throw new InvalidDataException($"{source}: this zip archive is neither .npz nor a file of torch.save: it has a member '{other}', which is no .npy array.");
        }

        return new(source, "NumPy", archive.Names.ConvertAll(name => Read(archive.Open(name), name[..^Suffix.Length], source)), null) { Owner = owner };
    }

    /// <summary>One array.</summary>
    internal static WeightEntry Read(ByteSource bytes, string name, string source)
    {
        var prefix = bytes.Peek(LongestPrefix).AsSpan();
        if (prefix.Length < 10 || !prefix.StartsWith(Magic))
        {
            throw Damaged(name, source, "it does not begin as one");
        }

        var (major, isShort) = (prefix[6], prefix[6] == 1);
        if (major is < 1 or > 3 || prefix[7] != 0 || (!isShort && prefix.Length < LongestPrefix))
        {
            throw Damaged(name, source, $"its version is {major}.{prefix[7]}; 1.0, 2.0 and 3.0 are read");
        }

        var headerStart = isShort ? 10 : LongestPrefix;
        var headerLength = isShort ? BinaryPrimitives.ReadUInt16LittleEndian(prefix[8..]) : BinaryPrimitives.ReadUInt32LittleEndian(prefix[8..]);
        var dataStart = headerStart + (long)headerLength;
        if (dataStart > bytes.Length || dataStart > SafeTensorsHeader.MaxJsonLength)
        {
            throw Damaged(name, source, $"its header of {headerLength} bytes is longer than the array of {bytes.Length}");
        }

        var header = bytes.Peek((int)dataStart);
        if (header.Length < dataStart)
        {
            throw Damaged(name, source, "it is cut short");
        }

        // Latin letters before version 3, UTF-8 from there on; what is read of it is ASCII.
        var text = System.Text.Encoding.Latin1.GetString(header.AsSpan(headerStart));
        return Entry(new NumPyHeader(text, what => Damaged(name, source, what)), bytes, dataStart, name, source);
    }

    private static WeightEntry Entry(NumPyHeader header, ByteSource bytes, long dataStart, string name, string source)
    {
        var (type, isBigEndian) = Type(header.Description);
        var shape = WeightFormats.Shape(header.Shape, name, source);
        if (type.Bits > 0 && (decimal)shape.ElementCount * (type.Bits / 8) != bytes.Length - dataStart)
        {
            throw Damaged(name, source, $"its type {header.Description} and shape {shape} need {(decimal)shape.ElementCount * (type.Bits / 8)} bytes but {bytes.Length - dataStart} follow its header");
        }

        long[]? strides = null;
        if (header.IsFortranOrder && shape.Rank > 1)
        {
            strides = new long[shape.Rank];
            var stride = 1L;
            for (var axis = 0; axis < strides.Length; axis++)
            {
                (strides[axis], stride) = (stride, stride * shape[axis]);
            }
        }

        return new(name, type, shape, dataStart, bytes.Length) { Source = bytes, Strides = strides, IsBigEndian = isBigEndian };
    }

    // '<f4': order of bytes, kind, bytes of an element.
    private static (WeightType Type, bool IsBigEndian) Type(string description)
    {
        var name = description.Length > 1 && description[0] is '<' or '>' or '|' or '='
            ? description[1..] switch
            {
                "f2" => "F16",
                "f4" => "F32",
                "f8" => "F64",
                "c8" => "C64",
                "c16" => "C128",
                "i1" or "i2" or "i4" or "i8" => $"I{8 * (description[2] - '0')}",
                "u1" or "u2" or "u4" or "u8" => $"U{8 * (description[2] - '0')}",
                "b1" => "BOOL",
                _ => null,
            }
            : null;
        return name is null ? (new(description, 0), false) : (WeightType.Of(name), description[0] == '>');
    }

    private static InvalidDataException Damaged(string name, string source, string what) =>
        new($"{source}: {(name.Length == 0 ? "the .npy array" : $"the array '{name}'")} is damaged: {what}.");
}

/// <summary>The header of an array: a dictionary as Python prints it, with the members <c>descr</c>, <c>fortran_order</c> and <c>shape</c>.</summary>
internal sealed class NumPyHeader
{
    private readonly string _text;
    private readonly Func<string, Exception> _damaged;
    private int _position;

    internal NumPyHeader(string text, Func<string, Exception> damaged)
    {
        (_text, _damaged) = (text, damaged);
        string? description = null;
        bool? isFortranOrder = null;
        long[]? shape = null;
        Expect('{');
        while (!Accept('}'))
        {
            var key = ReadText();
            Expect(':');
            switch (key)
            {
                case "descr" when description is null:
                    description = ReadDescription();
                    break;
                case "fortran_order" when isFortranOrder is null:
                    isFortranOrder = ReadTruth();
                    break;
                case "shape" when shape is null:
                    shape = ReadShape();
                    break;
                default:
                    throw Invalid();
            }

            if (!Accept(','))
            {
                Expect('}');
                break;
            }
        }

        if (description is null || isFortranOrder is null || shape is null || _text.AsSpan(_position).ContainsAnyExcept(" \n\0"))
        {
            throw Invalid();
        }

        (Description, IsFortranOrder, Shape) = (description, isFortranOrder.Value, shape);
    }

    /// <summary>The type, such as <c>&lt;f4</c>; of a record the list of its fields.</summary>
    internal string Description { get; }

    /// <summary>Whether the first index runs fastest.</summary>
    internal bool IsFortranOrder { get; }

    /// <summary>The dimensions.</summary>
    internal long[] Shape { get; }

    private Exception Invalid() => _damaged(
        $"its header is not the dictionary of 'descr', 'fortran_order' and 'shape': {_text[..Math.Min(_text.Length, 120)].TrimEnd()}");

    private void SkipSpace()
    {
        while (_position < _text.Length && _text[_position] is ' ' or '\n')
        {
            _position++;
        }
    }

    private bool Accept(char wanted)
    {
        SkipSpace();
        var isThere = _position < _text.Length && _text[_position] == wanted;
        _position += isThere ? 1 : 0;
        return isThere;
    }

    private void Expect(char wanted)
    {
        if (!Accept(wanted))
        {
            throw Invalid();
        }
    }

    private string ReadText()
    {
        SkipSpace();
        var quote = _position < _text.Length ? _text[_position] : '\0';
        var end = quote is '\'' or '"' ? _text.IndexOf(quote, _position + 1) : -1;
        if (end < 0)
        {
            throw Invalid();
        }

        var text = _text[(_position + 1)..end];
        _position = end + 1;
        return text;
    }

    // Records are lists of tuples and lists; what matters of them is that they are some.
    private string ReadDescription()
    {
        SkipSpace();
        if (_position < _text.Length && _text[_position] != '[')
        {
            return ReadText();
        }

        var (start, depth) = (_position, 0);
        do
        {
            depth += _position >= _text.Length ? throw Invalid() : _text[_position] switch { '[' => 1, ']' => -1, _ => 0 };
            _position++;
        }
        while (depth > 0);
        return _text[start.._position];
    }

    private bool ReadTruth()
    {
        SkipSpace();
        foreach (var (word, value) in new[] { ("True", true), ("False", false) })
        {
            if (_text.AsSpan(_position).StartsWith(word, StringComparison.Ordinal))
            {
                _position += word.Length;
                return value;
            }
        }

        throw Invalid();
    }

    private long[] ReadShape()
    {
        var sizes = new List<long>();
        Expect('(');
        while (!Accept(')'))
        {
            SkipSpace();
            var start = _position;
            while (_position < _text.Length && char.IsAsciiDigit(_text[_position]))
            {
                _position++;
            }

            sizes.Add(long.TryParse(_text.AsSpan(start, _position - start), NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size : throw Invalid());

            // Python 2 wrote long numbers so.
            _ = Accept('L');
            if (!Accept(','))
            {
                Expect(')');
                break;
            }
        }

        return [.. sizes];
    }
}
