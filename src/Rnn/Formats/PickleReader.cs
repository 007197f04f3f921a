using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace Rnn.Formats;

/// <summary>
/// Reads a pickle of <c>torch.save</c> and builds nothing but dictionaries, lists, tuples, texts, numbers, truth values and the description of tensors. A pickle is a program for a small machine that may call whatever it
/// names; here a name that is none of those few is refused when it is read, and nothing is ever called.
/// </summary>
/// <remarks>
/// Values are null, bool, long, double, string, <see cref="List{T}"/>, object[] for tuples, <see cref="PickleDictionary"/>, <see cref="PickleStorage"/>, <see cref="PickleTensor"/> and <see cref="PickleName"/>.
/// Opcodes: Python's pickletools, protocols 2 to 5.
/// </remarks>
internal sealed class PickleReader
{
    private const int MaxObjects = 2_000_000;
    private const int BufferLength = 1 << 12;
    private const int LongestWholeNumber = 1024;

    private readonly ByteSource _bytes;
    private readonly string _source;
    private readonly List<object?> _stack = [];
    private readonly List<int> _marks = [];
    private readonly Dictionary<long, object?> _memo = [];
    private readonly byte[] _buffer = new byte[BufferLength];
    private readonly Func<object?[], PickleStorage> _storage;
    private long _bufferStart;
    private int _bufferCount;
    private int _objects;

    /// <summary>A reader of the pickles in some bytes, one after the other.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="source">What the file is called in messages.</param>
    /// <param name="storage">Gives the storage that a pickle refers to by a tuple.</param>
    internal PickleReader(ByteSource bytes, string source, Func<object?[], PickleStorage> storage) => (_bytes, _source, _storage) = (bytes, source, storage);

    /// <summary>Where the next pickle begins.</summary>
    internal long Position { get; private set; }

    /// <summary>Reads one pickle to its end.</summary>
    /// <exception cref="InvalidDataException">The pickle is damaged, or names something that is not built.</exception>
    internal object? Read()
    {
        _stack.Clear();
        _marks.Clear();
        _memo.Clear();
        while (true)
        {
            var opcode = Take(1)[0];
            if (opcode == '.')
            {
                var result = Pop();
                return _stack.Count == 0 && _marks.Count == 0 ? result : throw Damaged("it ends with values left over");
            }

            if (!RunNumber(opcode) && !RunText(opcode) && !RunContainer(opcode))
            {
                Run(opcode);
            }
        }
    }

    internal InvalidDataException Damaged(string what) => new($"{_source}: the pickle is damaged at byte {Position}: {what}.");

    /// <summary>The next bytes, good until the next call.</summary>
    internal ReadOnlySpan<byte> Take(long count)
    {
        if (count < 0 || count > _bytes.Length - Position)
        {
            throw Damaged($"{count} bytes are announced and {_bytes.Length - Position} are left");
        }

        if (count > BufferLength)
        {
            Position += count;
            return _bytes.Read(Position - count, checked((int)count));
        }

        if (Position < _bufferStart || Position + count > _bufferStart + _bufferCount)
        {
            (_bufferStart, _bufferCount) = (Position, (int)Math.Min(BufferLength, _bytes.Length - Position));
            _bytes.Read(_bufferStart, _buffer.AsSpan(0, _bufferCount));
        }

        Position += count;
        return _buffer.AsSpan((int)(Position - count - _bufferStart), (int)count);
    }

    /// <summary>Passes over bytes that exist.</summary>
    internal void Skip(long count) => Position += count;

    private bool RunNumber(byte opcode)
    {
        switch (opcode)
        {
            case (byte)'N':
                Push(null);
                return true;
            case 0x88 or 0x89:
                Push(opcode == 0x88);
                return true;
            case (byte)'J':
                Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4)));
                return true;
            case (byte)'K':
                Push((long)Take(1)[0]);
                return true;
            case (byte)'M':
                Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2)));
                return true;
            case 0x8A:
                PushWhole(Take(1)[0]);
                return true;
            case 0x8B:
                PushWhole(BinaryPrimitives.ReadInt32LittleEndian(Take(4)));
                return true;
            case (byte)'G':
                Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8)));
                return true;
            case (byte)'I':
                var line = Line();
                Push(line is "00" or "01" ? line == "01"
                    : long.TryParse(line, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : throw Damaged($"'{line}' is no number"));
                return true;
            default:
                return false;
        }
    }

    private bool RunText(byte opcode)
    {
        long? length = opcode switch
        {
            (byte)'X' or (byte)'T' => BinaryPrimitives.ReadUInt32LittleEndian(Take(4)),
            0x8C or (byte)'U' => Take(1)[0],
            0x8D => BinaryPrimitives.ReadInt64LittleEndian(Take(8)),
            _ => null,
        };
        if (length is null)
        {
            return false;
        }

        // Texts of Python 2 have one byte a letter, of whatever alphabet.
        var bytes = Take(length.Value);
        Push(opcode is (byte)'T' or (byte)'U' ? Encoding.Latin1.GetString(bytes) : WeightFormats.Text(bytes, _source));
        return true;
    }

    private bool RunContainer(byte opcode)
    {
        switch (opcode)
        {
            case (byte)'(':
                _marks.Add(_stack.Count);
                return true;
            case (byte)')' or 0x85 or 0x86 or 0x87 or (byte)'t':
                Push(PopTail(opcode switch { (byte)')' => 0, (byte)'t' => SinceMark(), _ => opcode - 0x84 }));
                return true;
            case (byte)']':
                Push(new List<object?>());
                return true;
            case (byte)'l':
                Push(new List<object?>(PopTail(SinceMark())));
                return true;
            case (byte)'a' or (byte)'e':
                var items = PopTail(opcode == 'a' ? 1 : SinceMark());
                (Top() as List<object?> ?? throw Damaged("it appends to what is no list")).AddRange(items);
                return true;
            case (byte)'}':
                Push(new PickleDictionary());
                return true;
            case (byte)'d':
                var made = new PickleDictionary();
                Fill(made, PopTail(SinceMark()));
                Push(made);
                return true;
            case (byte)'s' or (byte)'u':
                var pairs = PopTail(opcode == 's' ? 2 : SinceMark());
                Fill(Top() as PickleDictionary ?? throw Damaged("it sets a member of what is no dictionary"), pairs);
                return true;
            default:
                return false;
        }
    }

    private void Run(byte opcode)
    {
        switch (opcode)
        {
            case 0x80:
                if (Take(1)[0] is > 5 and var version)
                {
                    throw new InvalidDataException($"{_source}: a pickle of protocol {version}; 2 to 5 are read.");
                }

                break;
            case 0x95:
                // What frames the following opcodes; they are checked one by one.
                Take(8);
                break;
            case (byte)'0':
                Pop();
                break;
            case (byte)'1':
                PopTail(SinceMark());
                break;
            case (byte)'2':
                Push(Top());
                break;
            case (byte)'q' or (byte)'r' or 0x94:
                _memo[opcode == 0x94 ? _memo.Count : Index(opcode == 'q')] = Top();
                break;
            case (byte)'h' or (byte)'j':
                Push(_memo.TryGetValue(Index(opcode == 'h'), out var value) ? value : throw Damaged("it recalls a value that it has not kept"));
                break;
            case (byte)'c':
                var module = Line();
                Push(PickleName.Of($"{module}.{Line()}", _source));
                break;
            case 0x93:
                var (name, owner) = (Pop() as string, Pop() as string);
                Push(PickleName.Of($"{owner}.{name}", _source));
                break;
            case (byte)'R':
                var arguments = Pop() as object?[] ?? throw Damaged("arguments are no tuple");
                Push((Pop() as PickleName ?? throw Damaged("what would be called is no name")).Build(arguments, this));
                break;
            case (byte)'b':
                // The versions of modules stand beside a state dict, as an attribute of the dictionary.
                _ = Pop() is PickleDictionary && Top() is PickleDictionary ? true : throw new InvalidDataException($"{_source}: the pickle sets attributes of something that is no dictionary; only tensors, dictionaries, lists, tuples, texts and numbers are built.");
                break;
            case (byte)'Q':
                Push(_storage(Pop() as object?[] ?? throw Damaged("it refers to a storage by what is no tuple")));
                break;
            case 0x81 or 0x92 or (byte)'i' or (byte)'o':
                throw new InvalidDataException($"{_source}: the pickle makes an object of a class ({(opcode == 'i' ? $"{Line()}.{Line()}" : _stack.OfType<PickleName>().LastOrDefault()?.Name ?? "unnamed")}); only tensors, dictionaries, lists, tuples, texts and numbers are built.");
            default:
                throw Damaged($"the opcode 0x{opcode:X2} is not known or not read");
        }
    }

    private void Push(object? value)
    {
        // A byte can make an object of a hundred: an absurd number of them is no file of weights.
        if (++_objects > MaxObjects)
        {
            throw Damaged($"it has more than {MaxObjects} values");
        }

        _stack.Add(value);
    }

    private object? Pop()
    {
        var value = Top();
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private object? Top() => _stack.Count > (_marks.Count == 0 ? 0 : _marks[^1]) ? _stack[^1] : throw Damaged("it takes a value where there is none");

    // How many values stand above the last mark, which goes.
    private int SinceMark()
    {
        if (_marks.Count == 0)
        {
            throw Damaged("it looks for a mark where there is none");
        }

        var mark = _marks[^1];
        _marks.RemoveAt(_marks.Count - 1);
        return _stack.Count - mark;
    }

    private object?[] PopTail(int count)
    {
        if (count > _stack.Count - (_marks.Count == 0 ? 0 : _marks[^1]))
        {
            throw Damaged("it takes values where there are none");
        }

        var tail = _stack.GetRange(_stack.Count - count, count).ToArray();
        _stack.RemoveRange(_stack.Count - count, count);
        return tail;
    }

    private void Fill(PickleDictionary dictionary, object?[] pairs)
    {
        if (pairs.Length % 2 != 0)
        {
            throw Damaged("a key has no value");
        }

        for (var i = 0; i < pairs.Length; i += 2)
        {
            dictionary.Set(pairs[i], pairs[i + 1], this);
        }
    }

    private void PushWhole(int length)
    {
        if (length is < 0 or > LongestWholeNumber)
        {
            throw Damaged($"a whole number of {length} bytes");
        }

        var value = new BigInteger(Take(length));
        Push(value >= long.MinValue && value <= long.MaxValue ? (long)value : value.ToString(CultureInfo.InvariantCulture));
    }

    private long Index(bool isShort) => isShort ? Take(1)[0] : BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    private string Line()
    {
        var text = new StringBuilder();
        for (var letter = Take(1)[0]; letter != '\n'; letter = Take(1)[0])
        {
            text.Append(text.Length < 200 ? (char)letter : throw Damaged("a line is longer than any name"));
        }

        return text.ToString();
    }
}
