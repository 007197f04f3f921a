using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.InteropServices;
using Rnn.Tensors;

namespace Rnn.Formats;

/// <summary>
/// A file of named tensors, of whatever format: safetensors; NumPy's <c>.npy</c> and <c>.npz</c>; PyTorch's <c>.pt</c> and <c>.pth</c> of <c>torch.save</c>; TorchSharp's <c>.dat</c>. The format is
/// recognised by the content and not by the name.
/// </summary>
/// <remarks>
/// <para>What loads weights takes any of them, such as <c>Lstm&lt;float&gt;.FromPyTorch(file, prefix: "encoder.lstm.")</c>. Nothing in a file is ever executed: of a pickle, in which PyTorch keeps its dictionaries, tensors, dictionaries,
/// lists, tuples, texts and numbers are built, and whatever else it names is refused by that name.</para>
/// <para>Dictionaries and lists within one another give dotted names, <c>model.encoder.weight</c> or <c>layers.0.weight</c>; texts and numbers in them are <see cref="Metadata"/>. An <c>.npy</c> file and a plain
/// tensor of <c>torch.save</c> have one tensor with an empty name.</para>
/// <para>A file that <see cref="Open"/> gives is mapped into memory: what is not asked for is not read, and large files take no memory. It must not be cut short by others meanwhile, and stays open until it is disposed
/// of. Any number of threads may read.</para>
/// </remarks>
/// <example>
/// <code>
/// using var file = WeightFile.Open("checkpoint.pt");
/// foreach (var entry in file.Entries)
/// {
///     Console.WriteLine(entry);   // model.encoder.weight_ih_l0 F32 [512, 40]
/// }
///
/// Tensor&lt;float&gt; weight = file.Get&lt;float&gt;("model.encoder.weight_ih_l0");
/// </code>
/// </example>
[SuppressMessage("Naming", "CA1711", Justification = "A file.")]
public sealed class WeightFile : IDisposable
{
    private const int ChunkLength = 1 << 18;

    private readonly Dictionary<string, WeightEntry> _entries = new(StringComparer.Ordinal);
    private readonly string _source;

    internal WeightFile(string source, string format, IReadOnlyList<WeightEntry> entries, IReadOnlyDictionary<string, string>? metadata = null)
    {
        (_source, Format, Entries, Metadata) = (source, format, entries, metadata ?? new Dictionary<string, string>());
        foreach (var entry in entries)
        {
            if (!_entries.TryAdd(entry.Name, entry))
            {
                throw new InvalidDataException($"{source}: the name '{entry.Name}' comes twice.");
            }
        }
    }

    /// <summary>The format: <c>safetensors</c>, <c>NumPy</c>, <c>PyTorch</c> or <c>TorchSharp</c>.</summary>
    public string Format { get; }

    /// <summary>Name, type and shape of every tensor, in the order of the file.</summary>
    public IReadOnlyList<WeightEntry> Entries { get; }

    /// <summary>The free text that the writer left, such as a model's options; of a PyTorch file texts, numbers and truth values by their dotted names.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>What the file is called in messages.</summary>
    internal string Source => _source;

    /// <summary>What is closed with the file, where it was opened and not read.</summary>
    internal IDisposable? Owner { get; init; }

    /// <summary>Name, type and shape of one tensor.</summary>
    /// <param name="name">The name of the tensor.</param>
    /// <exception cref="KeyNotFoundException">The file has no such tensor.</exception>
    public WeightEntry this[string name] => _entries.TryGetValue(name, out var found)
        ? found
        : throw new KeyNotFoundException($"{_source}: there is no tensor '{name}'; the file has {List(Entries.Select(entry => entry.Name), 20)}.");

    /// <summary>Opens a file of any of the formats, mapped into memory.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">The file is damaged or of none of the formats; the message says what is wrong with it.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static WeightFile Open(string path)
    {
        var source = ByteSource.Map(path);
        try
        {
            return WeightFormats.Read(source, Path.GetFileName(path), source);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>Reads a stream of any of the formats, from its position to its end, into memory.</summary>
    /// <param name="stream">The stream, left open; it need not be seekable.</param>
    /// <exception cref="InvalidDataException">The content is damaged or of none of the formats; the message says what is wrong with it.</exception>
    public static WeightFile Read(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var memory = new MemoryStream();
        stream.CopyTo(memory);
        return WeightFormats.Read(ByteSource.Of(memory.GetBuffer().AsMemory(0, (int)memory.Length)), "stream");
    }

    /// <summary>Reads a file of any of the formats that is in memory already; the memory is not copied and must stay as it is.</summary>
    /// <param name="bytes">The whole file.</param>
    /// <exception cref="InvalidDataException">The content is damaged or of none of the formats; the message says what is wrong with it.</exception>
    public static WeightFile Read(ReadOnlyMemory<byte> bytes) => WeightFormats.Read(ByteSource.Of(bytes), "bytes");

    /// <summary>Writes a file in one piece, in the format that its name ends with: <c>.safetensors</c>, <c>.npz</c>, or <c>.pt</c> or <c>.pth</c>, which <c>torch.load</c> reads as a state dict.</summary>
    /// <param name="path">The file to make or replace.</param>
    /// <param name="tensors">Names and tensors, such as <c>layer.ToPyTorch()</c> gives.</param>
    /// <param name="cancellationToken">Ends the writing; the path keeps its old content.</param>
    /// <typeparam name="T">The element type of the tensors and of the file.</typeparam>
    /// <exception cref="ArgumentException">The name ends with something else, or a name of a tensor comes twice or cannot be written.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write<T>(string path, IEnumerable<KeyValuePair<string, Tensor<T>>> tensors, CancellationToken cancellationToken = default)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(tensors);
        switch (Path.GetExtension(path).ToUpperInvariant())
        {
            case ".SAFETENSORS":
                SafeTensors.Write(path, tensors, cancellationToken: cancellationToken);
                break;
            case ".NPZ":
                NumPy.WriteArchive(path, tensors, cancellationToken: cancellationToken);
                break;
            case ".PT" or ".PTH":
                PyTorchFile.Write(path, tensors, cancellationToken);
                break;
            default:
                throw new ArgumentException($"path: '{Path.GetFileName(path)}' ends with none of .safetensors, .npz, .pt and .pth, which say the format.", nameof(path));
        }
    }

    /// <summary>Whether the file has a tensor of this name.</summary>
    /// <param name="name">The name of the tensor.</param>
    public bool Contains(string name) => _entries.ContainsKey(name);

    /// <summary>The same tensors under other names, such as <c>file.Rename(name =&gt; name.Replace("gamma", "weight"))</c>; nothing is copied.</summary>
    /// <param name="rename">Gives the new name of each; null leaves the tensor out.</param>
    /// <exception cref="ArgumentException">Two tensors get the same name.</exception>
    public WeightFile Rename(Func<string, string?> rename)
    {
        ArgumentNullException.ThrowIfNull(rename);
        var names = new HashSet<string>(StringComparer.Ordinal);
        var renamed = new List<WeightEntry>();
        foreach (var entry in Entries)
        {
            if (rename(entry.Name) is { } name)
            {
                renamed.Add(names.Add(name) ? entry.With(name) : throw new ArgumentException($"rename: two tensors get the name '{name}', the second is '{entry.Name}'.", nameof(rename)));
            }
        }

        return new(_source, Format, renamed, Metadata) { Owner = Owner };
    }

    /// <summary>A new tensor with the values of one tensor of the file, converted to <typeparamref name="T"/>.</summary>
    /// <param name="name">The name of the tensor.</param>
    /// <typeparam name="T">The element type wanted. Double, single, half and bfloat16 convert, rounded to the nearest; so do whole numbers, and truth values as 0 and 1.</typeparam>
    /// <exception cref="KeyNotFoundException">The file has no such tensor.</exception>
    /// <exception cref="InvalidDataException">The tensor is of a type that is not read (such as the 8-bit floats F8_E4M3 and F8_E5M2), or the file is damaged.</exception>
    public Tensor<T> Get<T>(string name)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var entry = this[name];
        CheckReadable(entry, _source);
        var values = GC.AllocateUninitializedArray<T>(entry.Shape.ElementCount);
        Read<T>(entry, values);
        return new Tensor<T>(new Storage<T>(values), entry.Shape);
    }

    /// <summary>A new tensor with the values of the file's only tensor, whatever its name.</summary>
    /// <typeparam name="T">The element type wanted.</typeparam>
    /// <exception cref="InvalidOperationException">The file has no tensor or several.</exception>
    /// <exception cref="InvalidDataException">The tensor is of a type that is not read, or the file is damaged.</exception>
    public Tensor<T> Get<T>()
        where T : unmanaged, IFloatingPointIeee754<T> => Entries.Count == 1
        ? Get<T>(Entries[0].Name)
        : throw new InvalidOperationException($"{_source}: expected a file of one tensor but it has {Entries.Count}; give a name.");

    /// <summary>Copies the values of one tensor of the file, converted to <typeparamref name="T"/>.</summary>
    /// <param name="name">The name of the tensor.</param>
    /// <param name="destination">Where to, as many elements as the tensor has, in row-major order.</param>
    /// <typeparam name="T">The element type wanted; see <see cref="Get{T}(string)"/>.</typeparam>
    /// <exception cref="KeyNotFoundException">The file has no such tensor.</exception>
    /// <exception cref="ArgumentException">The length is another.</exception>
    /// <exception cref="InvalidDataException">The tensor is of a type that is not read, or the file is damaged.</exception>
    public void CopyTo<T>(string name, Span<T> destination)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var entry = this[name];
        CheckReadable(entry, _source);
        if (destination.Length != entry.Shape.ElementCount)
        {
            throw new ArgumentException(
                $"destination: expected {entry.Shape.ElementCount} elements for {entry} but got {destination.Length}.", nameof(destination));
        }

        Read(entry, destination);
    }

    /// <summary>Closes a file that was opened; one that was read into memory needs it not.</summary>
    public void Dispose() => Owner?.Dispose();

    internal static void CheckReadable(WeightEntry entry, string source)
    {
        if (!entry.Type.IsReadable)
        {
            throw new InvalidDataException($"{source}: the tensor '{entry.Name}' is of type {entry.Type}; floating-point numbers of 16 bits and more, whole numbers and truth values are read.");
        }
    }

    /// <summary>Some names of a list, for a message.</summary>
    internal static string List(IEnumerable<string> names, int count)
    {
        var first = names.Take(count + 1).ToList();
        return first.Count == 0 ? "none" : string.Join(", ", first.Take(count)) + (first.Count > count ? ", …" : string.Empty);
    }

    private static void Read<T>(WeightEntry entry, Span<T> destination)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var size = entry.Type.Bits / 8;
        var reverses = size > 1 && entry.IsBigEndian == BitConverter.IsLittleEndian;
        if (entry.Strides is { } strides && !destination.IsEmpty)
        {
            // What lies between the first and the last element; in NumPy's column order and in views of PyTorch that is about as much as the tensor.
            var bytes = entry.Source!.Read(entry.Begin, checked((int)(entry.End - entry.Begin)));
            var all = new T[bytes.Length / size];
            Convert(bytes, entry.Type, reverses, all.AsSpan());
            Gather<T>(all, entry.Shape.Dimensions, strides, destination);
            return;
        }

        if (!reverses && entry.Type == WeightConversion.TypeOf<T>())
        {
            entry.Source!.Read(entry.Begin, MemoryMarshal.AsBytes(destination));
            return;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(Math.Min(ChunkLength, destination.Length * size));
        try
        {
            for (var offset = entry.Begin; !destination.IsEmpty;)
            {
                var count = Math.Min(destination.Length, ChunkLength / size);
                var bytes = buffer.AsSpan(0, count * size);
                entry.Source!.Read(offset, bytes);
                Convert(bytes, entry.Type, reverses, destination[..count]);
                destination = destination[count..];
                offset += bytes.Length;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static void Convert<T>(Span<byte> bytes, WeightType type, bool reverses, Span<T> destination)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (reverses)
        {
            WeightConversion.Reverse(bytes, type.Bits / 8);
        }

        WeightConversion.Read<T>(bytes, type, destination);
    }

    // Counts through all indices but the last, along which it copies.
    private static void Gather<T>(ReadOnlySpan<T> source, ReadOnlySpan<int> sizes, ReadOnlySpan<long> strides, Span<T> destination)
        where T : unmanaged
    {
        if (sizes.IsEmpty)
        {
            destination[0] = source[0];
            return;
        }

        var index = new int[sizes.Length];
        var (row, step, start) = (sizes[^1], (int)strides[^1], 0);
        for (var done = 0; done < destination.Length; done += row)
        {
            for (var i = 0; i < row; i++)
            {
                destination[done + i] = source[start + (i * step)];
            }

            for (var axis = sizes.Length - 2; axis >= 0; axis--)
            {
                start += (int)strides[axis];
                if (++index[axis] < sizes[axis])
                {
                    break;
                }

                start -= (int)(strides[axis] * sizes[axis]);
                index[axis] = 0;
            }
        }
    }
}
