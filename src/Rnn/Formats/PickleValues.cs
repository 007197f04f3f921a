using System.Globalization;

namespace Rnn.Formats;

/// <summary>A dictionary of a pickle, in the order of its making; keys that are numbers as text, so that no file can choose their hashes.</summary>
internal sealed class PickleDictionary : OrderedDictionary<string, object?>
{
    /// <summary>Sets a member.</summary>
    /// <exception cref="InvalidDataException">The key is neither text nor number.</exception>
    internal void Set(object? key, object? value, PickleReader reader) => this[key switch
    {
        string text => text,
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        bool truth => truth.ToString(),
        _ => throw reader.Damaged("a key is neither text nor number"),
    }] = value;
}

/// <summary>The numbers behind one or more tensors of a pickle.</summary>
/// <param name="Type">The type of the numbers; null for bytes whose type the tensor says.</param>
/// <param name="Key">Its name.</param>
/// <param name="Count">How many numbers.</param>
internal sealed record PickleStorage(WeightType? Type, string Key, long Count)
{
    /// <summary>Where they are, once that is known.</summary>
    internal ByteSource? Bytes { get; set; }

    /// <summary>Where they begin in <see cref="Bytes"/>.</summary>
    internal long Offset { get; set; }

    /// <summary>The number of bytes.</summary>
    internal long ByteCount => checked(Count * (Type is { } type ? type.Bits / 8 : 1));
}

/// <summary>A tensor of a pickle: a view of a storage.</summary>
/// <param name="Storage">The numbers.</param>
/// <param name="Type">Their type.</param>
/// <param name="Offset">The first of them, counted in numbers.</param>
/// <param name="Sizes">The dimensions.</param>
/// <param name="Strides">The numbers from one index to the next of each dimension.</param>
internal sealed record PickleTensor(PickleStorage Storage, WeightType Type, long Offset, long[] Sizes, long[] Strides);

/// <summary>A name that a pickle may use: of a dictionary, of what makes a tensor, or of a type of numbers.</summary>
internal sealed class PickleName
{
    private readonly Func<object?[], PickleReader, object?>? _build;

    private PickleName(string name, Func<object?[], PickleReader, object?>? build = null, WeightType? type = null) => (Name, _build, Type) = (name, build, type);

    /// <summary>The whole name.</summary>
    internal string Name { get; }

    /// <summary>The type of numbers that it stands for, if any.</summary>
    internal WeightType? Type { get; }

    /// <summary>Whether it is a type of storages.</summary>
    internal bool IsStorage => Name.EndsWith("Storage", StringComparison.Ordinal);

    /// <summary>A name of the list.</summary>
    /// <exception cref="InvalidDataException">It is none of the list.</exception>
    internal static PickleName Of(string name, string source) => name switch
    {
        "collections.OrderedDict" => new(name, Dictionary),
        "torch._utils._rebuild_tensor" or "torch._utils._rebuild_tensor_v2" or "torch._utils._rebuild_tensor_v3" => new(name, Tensor),
        "torch._utils._rebuild_parameter" or "torch._utils._rebuild_parameter_with_state" => new(name, (arguments, reader) =>
            arguments is [PickleTensor tensor, ..] ? tensor : throw reader.Damaged("a parameter is no tensor")),
        "torch.Size" => new(name, (arguments, reader) => arguments is [object?[] sizes] ? sizes : throw reader.Damaged("a size is no tuple")),
        "torch.device" => new(name, (arguments, _) => string.Join(':', arguments)),
        _ when TypeOf(name) is { } type => new(name, type: type),
        "torch.storage.UntypedStorage" or "torch.storage._UntypedStorage" or "torch.UntypedStorage" => new(name),
        "torch._utils._rebuild_qtensor" => throw new InvalidDataException($"{source}: the pickle names '{name}', for a quantised tensor, which is not read; dequantise it first."),
        "torch._utils._rebuild_sparse_tensor" => throw new InvalidDataException($"{source}: the pickle names '{name}', for a sparse tensor, which is not read; make it dense first."),
        _ => throw new InvalidDataException(
            $"{source}: the pickle names '{name}', and only tensors, dictionaries, lists, tuples, texts and numbers are built; nothing that a file names is called. Of a whole model save the state dict: torch.save(model.state_dict(), path)."),
    };

    /// <summary>What a call of the name would give.</summary>
    internal object? Build(object?[] arguments, PickleReader reader) => (_build ?? throw reader.Damaged($"'{Name}' is called"))(arguments, reader);

    /// <summary>The name.</summary>
    public override string ToString() => Name;

    private static WeightType? TypeOf(string name)
    {
        var type = (name.StartsWith("torch.cuda.", StringComparison.Ordinal) ? name["torch.cuda.".Length..] : name.StartsWith("torch.", StringComparison.Ordinal) ? name["torch.".Length..] : string.Empty) switch
        {
            "DoubleStorage" or "float64" => "F64",
            "FloatStorage" or "float32" => "F32",
            "HalfStorage" or "float16" => "F16",
            "BFloat16Storage" or "bfloat16" => "BF16",
            "LongStorage" or "int64" => "I64",
            "IntStorage" or "int32" => "I32",
            "ShortStorage" or "int16" => "I16",
            "CharStorage" or "int8" => "I8",
            "ByteStorage" or "uint8" => "U8",
            "uint16" => "U16",
            "uint32" => "U32",
            "uint64" => "U64",
            "BoolStorage" or "bool" => "BOOL",
            "ComplexFloatStorage" or "complex64" => "C64",
            "ComplexDoubleStorage" or "complex128" => "C128",
            "float8_e4m3fn" => "F8_E4M3",
            "float8_e5m2" => "F8_E5M2",
            "float8_e8m0fnu" => "F8_E8M0",
            _ => null,
        };
        return type is null ? null : WeightType.Of(type);
    }

    // OrderedDict() or, of Python 2, OrderedDict([[key, value], …]).
    private static PickleDictionary Dictionary(object?[] arguments, PickleReader reader)
    {
        var dictionary = new PickleDictionary();
        foreach (var pair in arguments is [List<object?> pairs] ? pairs : arguments.Length == 0 ? [] : throw reader.Damaged("a dictionary is made of no list of pairs"))
        {
            var (key, value) = pair switch
            {
                object?[] { Length: 2 } tuple => (tuple[0], tuple[1]),
                List<object?> { Count: 2 } list => (list[0], list[1]),
                _ => throw reader.Damaged("a member of a dictionary is no pair"),
            };
            dictionary.Set(key, value, reader);
        }

        return dictionary;
    }

    // Storage, offset, sizes, strides; from version 2 on whether there is a gradient, hooks (none); then flags, in version 3 the type before them.
    private static PickleTensor Tensor(object?[] arguments, PickleReader reader)
    {
        if (arguments is not [PickleStorage storage, long offset, object?[] sizes, object?[] strides, ..] || sizes.Length != strides.Length
            || !sizes.Concat(strides).All(number => number is long))
        {
            throw reader.Damaged("a tensor is not made of a storage, an offset, sizes and strides");
        }

        var type = arguments is [_, _, _, _, _, _, PickleName { Type: { } named }, ..] ? named : storage.Type ?? throw reader.Damaged("a tensor's type is missing");
        if (arguments[^1] is PickleDictionary flags && flags.Values.Any(flag => flag is true))
        {
            throw new InvalidDataException("a tensor is a negated or conjugated view (PyTorch's neg and conj bits), which is not read; save tensor.resolve_neg().resolve_conj().");
        }

        return new(storage, type, offset, Array.ConvertAll(sizes, size => (long)size!), Array.ConvertAll(strides, stride => (long)stride!));
    }
}
