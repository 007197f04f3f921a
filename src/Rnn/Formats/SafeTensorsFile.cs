using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Formats;

/// <summary>The tensors and metadata of a safetensors file that was read into memory.</summary>
public sealed class SafeTensorsFile
{
    private readonly Dictionary<string, (SafeTensorsEntry Entry, ReadOnlyMemory<byte> Bytes)> _tensors = new(StringComparer.Ordinal);
    private readonly string _source;

    internal SafeTensorsFile(string source, SafeTensorsHeader header, Func<SafeTensorsEntry, ReadOnlyMemory<byte>> bytes)
    {
        _source = source;
        Metadata = header.Metadata;
        Entries = header.Entries;
        foreach (var entry in header.Entries)
        {
            _tensors.Add(entry.Name, (entry, bytes(entry)));
        }
    }

    /// <summary>Name, type and shape of every tensor, in the order of the file's data.</summary>
    public IReadOnlyList<SafeTensorsEntry> Entries { get; }

    /// <summary>The free text that the writer left, such as a model's options.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>What the header says about one tensor.</summary>
    /// <param name="name">The name of the tensor.</param>
    /// <exception cref="KeyNotFoundException">The file has no such tensor.</exception>
    public SafeTensorsEntry this[string name] => Find(name).Entry;

    /// <summary>Whether the file has a tensor of this name.</summary>
    /// <param name="name">The name of the tensor.</param>
    public bool Contains(string name) => _tensors.ContainsKey(name);

    /// <summary>A new tensor with the values of one tensor of the file, converted to <typeparamref name="T"/>.</summary>
    /// <param name="name">The name of the tensor.</param>
    /// <typeparam name="T">The element type wanted; the file may hold double, single, half or bfloat16.</typeparam>
    /// <exception cref="KeyNotFoundException">The file has no such tensor.</exception>
    /// <exception cref="InvalidDataException">The tensor is of whole numbers or another type that is not read.</exception>
    public Tensor<T> Get<T>(string name)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (entry, bytes) = Find(name);
        CheckReadable(entry, _source);
        var values = GC.AllocateUninitializedArray<T>(entry.Shape.ElementCount);
        SafeTensorsConversion.Read<T>(bytes.Span, entry.Type, values);
        return new Tensor<T>(new Storage<T>(values), entry.Shape);
    }

    /// <summary>Copies the values of one tensor of the file, converted to <typeparamref name="T"/>.</summary>
    /// <param name="name">The name of the tensor.</param>
    /// <param name="destination">Where to, as many elements as the tensor has, in row-major order.</param>
    /// <typeparam name="T">The element type wanted; the file may hold double, single, half or bfloat16.</typeparam>
    /// <exception cref="KeyNotFoundException">The file has no such tensor.</exception>
    /// <exception cref="ArgumentException">The length is another.</exception>
    /// <exception cref="InvalidDataException">The tensor is of whole numbers or another type that is not read.</exception>
    public void CopyTo<T>(string name, Span<T> destination)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (entry, bytes) = Find(name);
        CheckReadable(entry, _source);
        if (destination.Length != entry.Shape.ElementCount)
        {
            throw new ArgumentException(
                $"destination: expected {entry.Shape.ElementCount} elements for {entry} but got {destination.Length}.", nameof(destination));
        }

        SafeTensorsConversion.Read(bytes.Span, entry.Type, destination);
    }

    internal static void CheckReadable(SafeTensorsEntry entry, string source)
    {
        if (!entry.Type.IsReadable)
        {
            throw new InvalidDataException($"{source}: the tensor '{entry.Name}' is of type {entry.Type}; F64, F32, F16 and BF16 are read.");
        }
    }

    private (SafeTensorsEntry Entry, ReadOnlyMemory<byte> Bytes) Find(string name) => _tensors.TryGetValue(name, out var found)
        ? found
        : throw new KeyNotFoundException(
            $"{_source}: there is no tensor '{name}'; the file has {string.Join(", ", Entries.Take(20).Select(e => e.Name))}{(Entries.Count > 20 ? ", …" : ".")}");
}
