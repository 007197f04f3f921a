using Rnn.Formats;
using Rnn.Tensors;

namespace Rnn.Layers;

public abstract partial class Module<T>
{
    private const string ArithmeticKey = "rnn.arithmetic";

    /// <summary>What <c>Save</c> writes into the file's metadata beside the description, such as a licence; nothing unless overridden.</summary>
    protected virtual IEnumerable<KeyValuePair<string, string>> FileMetadata => [];

    /// <summary>
    /// Saves all parameters and buffers under their dotted paths as a safetensors file, compressed weights compressed. A failure or cancellation on the way leaves the path as it was.
    /// </summary>
    /// <param name="path">The file to make or replace.</param>
    /// <param name="metadata">Free text to keep beside the parameters.</param>
    /// <param name="cancellationToken">Ends the saving; the path keeps its old content.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path, IEnumerable<KeyValuePair<string, string>>? metadata = null, CancellationToken cancellationToken = default) =>
        SafeTensors.Write(path, SavedTensors.SelectMany(CompressedFiles.Parts), AllMetadata(metadata), cancellationToken);

    /// <summary>Writes to a stream what <see cref="Save(string, IEnumerable{KeyValuePair{string, string}}, CancellationToken)"/> writes to a file.</summary>
    /// <param name="stream">Where to; left open and not flushed.</param>
    /// <param name="metadata">Free text to keep beside the parameters.</param>
    /// <param name="cancellationToken">Ends the writing part way.</param>
    public void Save(Stream stream, IEnumerable<KeyValuePair<string, string>>? metadata = null, CancellationToken cancellationToken = default) =>
        SafeTensors.Write(stream, SavedTensors.SelectMany(CompressedFiles.Parts), AllMetadata(metadata), cancellationToken);

    /// <summary>
    /// Loads all parameters and buffers from a safetensors file that <c>Save</c> wrote for a module of the same shape. The file must have
    /// exactly this module's names and shapes, and where it says what its modules compute (<see cref="Arithmetic"/>), such as the cell, these must do the
    /// same; double, single, half, bfloat16 and compressed weights convert. When it does not fit, no parameter changes.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <returns>The file's metadata.</returns>
    /// <exception cref="InvalidDataException">The file is damaged or not safetensors, or its names or shapes are not this module's, or its modules compute something else: the message lists them all.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public IReadOnlyDictionary<string, string> Load(string path)
    {
        using var reader = SafeTensorsReader.Open(path);
        return Load(reader);
    }

    /// <summary>As <see cref="Load(string)"/>, from a stream.</summary>
    /// <param name="stream">The stream, from its position to its end; left open. One that is not seekable is read into memory.</param>
    /// <returns>The metadata.</returns>
    /// <exception cref="InvalidDataException">The content is damaged or not safetensors, or its names or shapes are not this module's, or its modules compute something else.</exception>
    public IReadOnlyDictionary<string, string> Load(Stream stream)
    {
        using var reader = SafeTensorsReader.Of(stream);
        return Load(reader);
    }

    private IReadOnlyDictionary<string, string> Load(SafeTensorsReader reader)
    {
        var entries = reader.Header.Entries.ToDictionary(entry => entry.Name, StringComparer.Ordinal);
        var scales = CompressedFiles.TakeScales(entries);
        var tensors = SavedTensors.ToList();
        ModuleFit.Check(tensors, entries, scales, reader.Source, TypeName);
        CheckMetadata(reader.Header.Metadata, reader.Source);
        foreach (var (name, tensor) in tensors)
        {
            CompressedFiles.Read(reader, entries[name], scales.GetValueOrDefault(name), tensor);
        }

        return reader.Header.Metadata;
    }

    private List<KeyValuePair<string, string>> AllMetadata(IEnumerable<KeyValuePair<string, string>>? metadata)
    {
        List<KeyValuePair<string, string>> all = [.. FileMetadata];
        if (FileType is not null)
        {
            all.Add(new(FormatKey, FormatVersion));
            all.Add(new(DescriptionKey, DescriptionWriter.ToJson(this)));
        }

        if (ModuleArithmetics() is { Count: > 0 } arithmetics)
        {
            all.Add(new(ArithmeticKey, ModuleArithmetic.Write(arithmetics)));
        }

        all.AddRange(metadata ?? []);
        return all;
    }

    /// <summary>Refuses a file whose metadata say that its weights belong to something else.</summary>
    private protected virtual void CheckMetadata(IReadOnlyDictionary<string, string> metadata, string source)
    {
        if (!metadata.TryGetValue(ArithmeticKey, out var text))
        {
            return;
        }

        var saved = ModuleArithmetic.Parse(text, source);
        var others = ModuleArithmetics().Where(pair => saved.TryGetValue(pair.Key, out var other) && other != pair.Value)
            .Select(pair => $"{(pair.Key.Length == 0 ? "it" : pair.Key)} computes '{pair.Value}' but is saved from '{saved[pair.Key]}'");
        var message = string.Join(", ", others);
        if (message.Length > 0)
        {
            throw new InvalidDataException($"{source} does not fit this {TypeName}: {message}.");
        }
    }

    // By path, the module's own under the empty one.
    private List<KeyValuePair<string, string>> ModuleArithmetics(string path = "") =>
    [
        .. Arithmetic is { Length: > 0 } own ? new[] { new KeyValuePair<string, string>(path, own) } : [],
        .. _children.SelectMany(child => child.Value.ModuleArithmetics(path.Length == 0 ? child.Key : $"{path}.{child.Key}")),
    ];
}
