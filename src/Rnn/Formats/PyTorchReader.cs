using System.Buffers.Binary;
using System.Globalization;

namespace Rnn.Formats;

/// <summary>Reads files of <c>torch.save</c>: a zip archive of a pickle and the storages of its tensors, or, before PyTorch 1.6, pickles with the storages behind them.</summary>
internal static class PyTorchReader
{
    private const string DataPickle = "data.pkl";
    private const int MaxDepth = 100;

    // A tensor that repeats its storage (expand) may be so many times as large.
    private const int MaxRepeats = 1024;

    /// <summary>What files before PyTorch 1.6 begin with: a pickle of a number of 10 bytes.</summary>
    internal static ReadOnlySpan<byte> LegacyMagic => [0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19];

    /// <summary>Whether a zip archive is one of <c>torch.save</c>.</summary>
    internal static bool IsPyTorch(ZipDirectory archive) => Pickle(archive) is not null;

    /// <summary>Reads the pickle of an archive.</summary>
    internal static WeightFile Read(ZipDirectory archive, string source, IDisposable? owner)
    {
        var pickle = Pickle(archive)!;
        var folder = pickle[..^DataPickle.Length];
        if (archive.Contains($"{folder}constants.pkl"))
        {
            throw new InvalidDataException($"{source}: a TorchScript archive of torch.jit.save, whose pickle makes objects of the program in it; save the state dict: torch.save(model.state_dict(), path).");
        }

        var isBigEndian = archive.Contains($"{folder}byteorder") && archive.Open($"{folder}byteorder").Peek(3).AsSpan().SequenceEqual("big"u8);
        var storages = new Dictionary<string, PickleStorage>(StringComparer.Ordinal);
        var reader = new PickleReader(archive.Open(pickle), source, id =>
        {
            var storage = Storage(id, storages, source);
            var member = $"{folder}data/{storage.Key}";
            storage.Bytes ??= archive.Contains(member) ? archive.Open(member) : throw archive.Damaged($"the storage '{member}' is missing");
            return storage.Bytes.Length == storage.ByteCount
                ? storage
                : throw archive.Damaged($"the storage '{member}' has {storage.Bytes.Length} bytes where {storage.Count} numbers need {storage.ByteCount}");
        });
        var value = reader.Read();
        return new Flattening(source, isBigEndian, reader.Position).File(value, owner);
    }

    /// <summary>Reads the pickles of a file from before PyTorch 1.6: number, version, facts about the machine, the value, the storages' names; then each storage, its length before it.</summary>
    internal static WeightFile ReadLegacy(ByteSource bytes, string source, IDisposable? owner)
    {
        var storages = new Dictionary<string, PickleStorage>(StringComparer.Ordinal);
        var reader = new PickleReader(bytes, source, id => Storage(id, storages, source));
        reader.Read();
        if (reader.Read() is not 1001L)
        {
            throw reader.Damaged("its version is none of torch.save");
        }

        var isBigEndian = reader.Read() is PickleDictionary machine && machine.TryGetValue("little_endian", out var little) && little is false;
        var value = reader.Read();
        var pickled = reader.Position;
        if (reader.Read() is not List<object?> keys)
        {
            throw reader.Damaged("the list of storages is missing");
        }

        foreach (var key in keys)
        {
            if (key is not string name || !storages.TryGetValue(name, out var storage))
            {
                throw reader.Damaged($"the storage '{key}' belongs to no tensor");
            }

            var length = reader.Take(8);
            var count = isBigEndian ? BinaryPrimitives.ReadInt64BigEndian(length) : BinaryPrimitives.ReadInt64LittleEndian(length);
            (storage.Bytes, storage.Offset) = (bytes, reader.Position);
            if (count != storage.Count || storage.ByteCount > bytes.Length - reader.Position)
            {
                throw reader.Damaged($"the storage '{key}' has {count} numbers where {storage.Count} are expected and {bytes.Length - reader.Position} bytes are left");
            }

            reader.Skip(storage.ByteCount);
        }

        return reader.Position == bytes.Length
            ? new Flattening(source, isBigEndian, pickled).File(value, owner)
            : throw reader.Damaged($"{bytes.Length - reader.Position} bytes follow the last storage");
    }

    private static string? Pickle(ZipDirectory archive) =>
        archive.Names.Find(name => name == DataPickle || name.EndsWith($"/{DataPickle}", StringComparison.Ordinal));

    // ('storage', type, key, device, count), in old files with a view of another storage behind it, which nothing writes any more.
    private static PickleStorage Storage(object?[] id, Dictionary<string, PickleStorage> storages, string source)
    {
        if (id is not ["storage", PickleName { IsStorage: true } type, string key, _, long and >= 0 and var count, ..] || (id.Length > 5 && id[5] is not null))
        {
            throw new InvalidDataException($"{source}: the pickle refers to something that is no storage of a tensor.");
        }

        var storage = new PickleStorage(type.Type, key, count);
        return !storages.TryGetValue(key, out var known) ? storages[key] = storage
            : known.Type == storage.Type && known.Count == count ? known
            : throw new InvalidDataException($"{source}: the pickle is damaged: the storage '{key}' has two types or lengths.");
    }

    /// <summary>Gives the tensors of dictionaries and lists within one another dotted names.</summary>
    private sealed class Flattening(string source, bool isBigEndian, long pickleLength)
    {
        private readonly List<WeightEntry> _entries = [];
        private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);

        // What stands in many places is listed in each: a few bytes could list it endlessly.
        private long _left = 1000 + pickleLength;

        internal WeightFile File(object? value, IDisposable? owner)
        {
            Add(string.Empty, value, 0);
            return new(source, "PyTorch", _entries, _metadata) { Owner = owner };
        }

        private void Add(string name, object? value, int depth)
        {
            if (depth > MaxDepth || --_left < 0)
            {
                throw new InvalidDataException($"{source}: the pickle's dictionaries and lists contain one another without end, or are nested more than {MaxDepth} deep.");
            }

            switch (value)
            {
                case PickleTensor tensor:
                    _entries.Add(Entry(name, tensor));
                    break;
                case PickleDictionary dictionary:
                    foreach (var (key, member) in dictionary)
                    {
                        Add(name.Length == 0 ? key : $"{name}.{key}", member, depth + 1);
                    }

                    break;
                case List<object?> or object?[]:
                    var index = 0;
                    foreach (var member in (IEnumerable<object?>)value)
                    {
                        Add(string.Create(CultureInfo.InvariantCulture, $"{name}{(name.Length == 0 ? string.Empty : ".")}{index++}"), member, depth + 1);
                    }

                    break;
                case string or bool or long or double or PickleName:
                    _metadata[name] = value is IFormattable formattable ? formattable.ToString(null, CultureInfo.InvariantCulture) : value.ToString()!;
                    break;
            }
        }

        private WeightEntry Entry(string name, PickleTensor tensor)
        {
            var shape = WeightFormats.Shape(tensor.Sizes, name, source);
            var bytes = tensor.Storage.Bytes ?? throw new InvalidDataException($"{source}: the storage of the tensor '{name}' is missing.");
            var (size, last, expected, isDense) = (tensor.Type.Bits / 8, tensor.Offset, 1L, true);
            if (shape.ElementCount == 0)
            {
                return new(name, tensor.Type, shape, 0, 0) { Source = bytes };
            }

            for (var axis = shape.Rank - 1; axis >= 0; axis--)
            {
                var stride = tensor.Strides[axis];
                last = stride < 0 ? -1 : checked(last + ((shape[axis] - 1) * stride));
                isDense &= shape[axis] == 1 || stride == expected;
                expected *= shape[axis];
                if (last < 0)
                {
                    break;
                }
            }

            var spanned = last - tensor.Offset + 1;
            if (tensor.Offset < 0 || last < 0 || last >= tensor.Storage.ByteCount / size || (spanned * size > Array.MaxLength && !isDense) || shape.ElementCount / MaxRepeats > spanned)
            {
                throw new InvalidDataException(
                    $"{source}: the tensor '{name}' of shape {shape}, offset {tensor.Offset} and strides [{string.Join(", ", tensor.Strides)}] does not lie in its storage of {tensor.Storage.ByteCount / size} numbers, or spans too many of them.");
            }

            var begin = tensor.Storage.Offset + (tensor.Offset * size);
            return new(name, tensor.Type, shape, begin, begin + (spanned * size)) { Source = bytes, Strides = isDense ? null : tensor.Strides, IsBigEndian = isBigEndian };
        }
    }
}
