using System.Globalization;
using Rnn.Formats;
using Rnn.Tensors;

namespace Rnn.Layers;

public sealed partial class SequenceState<T>
{
    private const string RowsKey = "rnn.state.rows";
    private const string NamesKey = "rnn.state.names";

    /// <summary>Saves the state as a safetensors file, whole or not at all.</summary>
    /// <param name="path">The file to make or replace.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path) => SafeTensors.Write(path, Named(), Metadata());

    /// <summary>Writes the state to a stream in the form of a safetensors file.</summary>
    /// <param name="stream">Where to; left open.</param>
    public void Save(Stream stream) => SafeTensors.Write(stream, Named(), Metadata());

    /// <summary>Reads a state that <see cref="Save(string)"/> wrote.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">The file is damaged or holds no state.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static SequenceState<T> Load(string path) => Of(SafeTensors.Read(path), Path.GetFileName(path));

    /// <summary>Reads a state that <see cref="Save(Stream)"/> wrote, from the stream's position to its end.</summary>
    /// <param name="stream">The stream, left open; it need not be seekable.</param>
    /// <exception cref="InvalidDataException">The content is damaged or holds no state.</exception>
    public static SequenceState<T> Load(Stream stream) => Of(SafeTensors.Read(stream), "stream");

    private IEnumerable<KeyValuePair<string, Tensor<T>>> Named() => _names.Zip(_tensors, (name, tensor) => new KeyValuePair<string, Tensor<T>>(name, tensor));

    // A safetensors file orders its tensors by name; the metadata keep the order of the state.
    private KeyValuePair<string, string>[] Metadata() =>
        [new(RowsKey, Rows.ToString(CultureInfo.InvariantCulture)), new(NamesKey, string.Join('\n', _names))];

    private static SequenceState<T> Of(WeightFile file, string source)
    {
        if (!file.Metadata.TryGetValue(RowsKey, out var text) || !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var rows)
            || !file.Metadata.TryGetValue(NamesKey, out var joined))
        {
            throw new InvalidDataException($"{source}: this safetensors file is not a state that SequenceState.Save wrote: it has no metadata \"{RowsKey}\".");
        }

        var names = joined.Length == 0 ? [] : joined.Split('\n');
        try
        {
            return names.Length == file.Entries.Count
                ? new(rows, [.. names.Select(name => (name, file.Get<T>(name)))])
                : throw new InvalidDataException($"{source}: expected the tensors {string.Join(", ", names)} but the file has {string.Join(", ", file.Entries.Select(entry => entry.Name))}.");
        }
        catch (Exception exception) when (exception is ArgumentException or KeyNotFoundException)
        {
            throw new InvalidDataException($"{source}: the state is damaged: {exception.Message}", exception);
        }
    }
}
