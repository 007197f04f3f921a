using Rnn.Layers;

namespace Rnn.Models;

/// <summary>Compares the names that a file's weights belong to (tokens, classes, tags) with those of the model that is to take them.</summary>
internal static class SavedNames
{
    /// <summary>Refuses weights of other names. What one of the two does not name, as a vocabulary without metadata, is not compared.</summary>
    /// <param name="metadata">The metadata of the file.</param>
    /// <param name="source">What the file is called in messages.</param>
    /// <param name="type">The type of the model in files.</param>
    /// <param name="model">The name of the model's class.</param>
    /// <param name="names">Where a description has a vocabulary or a list of names, and the model's own.</param>
    /// <exception cref="InvalidDataException">The names are others.</exception>
    internal static void Check(IReadOnlyDictionary<string, string> metadata, string source, string type, string model, params (string Key, object? Own)[] names)
    {
        if (!metadata.TryGetValue(Module<float>.DescriptionKey, out var description))
        {
            return;
        }

        foreach (var (key, own) in names)
        {
            var saved = DescriptionReader.Read(
                description, source, 0, reader => reader.Type != type || !reader.Has(key) ? null : own is string ? reader.GetString(key) : own is null ? null : string.Join('\n', reader.GetStrings(key)));
            if (saved is not null && own is not null && saved != (own as string ?? string.Join('\n', (IEnumerable<string>)own)))
            {
                throw new InvalidDataException($"{source} does not fit this {model}: its weights are for another list of {key.Replace('_', ' ')}; open the file with {model}.Open.");
            }
        }
    }

}
