using System.Text;
using System.Text.Json;
using Rnn.Formats;
using Rnn.Layers;

namespace Rnn.Models;

public sealed partial class LanguageModel<T>
{
    private const string FormatKey = "format";
    private const string Format = "rnn.language-model";
    private const string VersionKey = "version";
    private const string Version = "1";
    private const string ModelKey = "model";
    private const string VocabularyKey = "vocabulary";

    /// <inheritdoc/>
    protected override IEnumerable<KeyValuePair<string, string>> FileMetadata =>
    [
        new(FormatKey, Format),
        new(VersionKey, Version),
        new(ModelKey, Describe()),
        .. Vocabulary is { } vocabulary ? [new KeyValuePair<string, string>(VocabularyKey, vocabulary.ToMetadata())] : Array.Empty<KeyValuePair<string, string>>(),
    ];

    /// <summary>
    /// Opens a model that <c>Save</c> wrote: builds it as the file says, with its weights and, where it was saved, its vocabulary. (<c>Load</c> fills a
    /// model that exists.)
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="recurrent">The recurrent layer to fill, for a cell of your own; null to make it by the name of its built-in cell.</param>
    /// <returns>The model, in evaluation mode.</returns>
    /// <exception cref="InvalidDataException">
    /// The file is damaged, or not a language model of this library, or the layer given is of another cell than the one saved; the message says what it is.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static LanguageModel<T> Open(string path, RecurrentLayer<T>? recurrent = null)
    {
        var name = Path.GetFileName(path);
        var (metadata, entries) = ReadHeader(path);
        if (metadata.GetValueOrDefault(FormatKey) != Format || !metadata.TryGetValue(ModelKey, out var description))
        {
            throw new InvalidDataException(
                $"{name}: this safetensors file is not a language model that LanguageModel.Save wrote: it has no metadata \"{FormatKey}\": \"{Format}\". Its tensors are "
                + $"{(entries.Count == 0 ? "none" : string.Join(", ", entries.Take(5).Select(entry => $"{entry.Name} {entry.Shape}")))}{(entries.Count > 5 ? ", …" : string.Empty)}.");
        }

        if (metadata.GetValueOrDefault(VersionKey) != Version)
        {
            throw new InvalidDataException(
                $"{name}: expected version {Version} of the format but the file has {metadata.GetValueOrDefault(VersionKey) ?? "none"}; a newer library may read it.");
        }

        var model = Build(name, description, metadata.GetValueOrDefault(VocabularyKey), recurrent, entries.Sum(entry => (long)entry.Shape.ElementCount));
        model.Load(path);
        model.Evaluate();
        return model;
    }

    /// <inheritdoc/>
    private protected override void CheckMetadata(IReadOnlyDictionary<string, string> metadata, string source)
    {
        base.CheckMetadata(metadata, source);
        if (Vocabulary is { } vocabulary && metadata.TryGetValue(VocabularyKey, out var saved) && saved != vocabulary.ToMetadata())
        {
            throw new InvalidDataException(
                $"{source} does not fit this LanguageModel: its weights are for another vocabulary; open the file with LanguageModel.Open, or set Vocabulary to null to take the weights as they are.");
        }
    }

    private static (IReadOnlyDictionary<string, string> Metadata, IReadOnlyList<SafeTensorsEntry> Entries) ReadHeader(string path)
    {
        using var reader = SafeTensorsReader.Open(path);
        return (reader.Header.Metadata, reader.Header.Entries);
    }

    private static LanguageModel<T> Build(string name, string description, string? vocabulary, RecurrentLayer<T>? recurrent, long elements)
    {
        try
        {
            using var document = JsonDocument.Parse(description);
            var root = document.RootElement;
            var vocabularySize = root.GetProperty("vocabulary_size").GetInt32();
            var tied = root.GetProperty("tied_weights").GetBoolean();
            var saved = root.GetProperty("recurrent");
            if (recurrent is null)
            {
                recurrent = RecurrentDescription.Read<T>(saved, vocabularySize, tied, elements);
            }
            else
            {
                RecurrentDescription.CheckGiven(saved, recurrent, vocabularySize, tied, elements);
            }

            return new(vocabularySize, recurrent, new()
            {
                EmbeddingDropout = root.GetProperty("embedding_dropout").GetDouble(),
                Dropout = root.GetProperty("dropout").GetDouble(),
                TieWeights = tied,
            })
            {
                Vocabulary = vocabulary is null ? null : Sequences.Vocabulary.FromMetadata(vocabulary),
            };
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException or InvalidDataException)
        {
            throw new InvalidDataException($"{name}: the description of the model is damaged: {exception.Message}", exception);
        }
    }

    private string Describe()
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            writer.WriteNumber("vocabulary_size", VocabularySize);
            writer.WriteNumber("embedding_dropout", Options.EmbeddingDropout);
            writer.WriteNumber("dropout", Options.Dropout);
            writer.WriteBoolean("tied_weights", Options.TieWeights);
            writer.WriteStartObject("recurrent");
            RecurrentDescription.Write(writer, Recurrent);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }
}
