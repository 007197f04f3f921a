using System.Globalization;
using System.Text.Json;
using Rnn.Formats;
using Rnn.Layers;
using Rnn.Sequences;

namespace Rnn.Models;

public sealed partial class SequenceTagger<T>
{
    internal const string Type = "sequence-tagger";
    private const string CharactersKey = "characters";
    private const string CharacterLayerKey = "character_layer";

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override string Description =>
        $"{Words.Count} words{(Characters is { } characters ? $", {characters.Count} characters" : string.Empty)}, {Tags.Count} tags{(Field is null ? string.Empty : ", conditional random field")}";

    private protected override string Regularization => Options.WordDropout > 0 ? string.Create(CultureInfo.InvariantCulture, $"word dropout {Options.WordDropout}") : string.Empty;

    /// <summary>Opens a tagger that <c>Save</c> wrote: builds it as the file says, with its weights, its vocabularies and its tags.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The tagger, in evaluation mode.</returns>
    /// <exception cref="InvalidDataException">The file is damaged or not a tagger of this library; the message says what it is.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static new SequenceTagger<T> Open(string path)
    {
        using var reader = SafeTensorsReader.Open(path);
        return Open(reader, Type, "tagger", Read);
    }

    /// <summary>As <see cref="Open(string)"/>, from a stream such as an embedded resource.</summary>
    /// <param name="stream">The stream, from its position to its end; left open. One that is not seekable is read into memory.</param>
    /// <returns>The tagger, in evaluation mode.</returns>
    /// <exception cref="InvalidDataException">The content is damaged or not a tagger of this library.</exception>
    public static new SequenceTagger<T> Open(Stream stream)
    {
        using var reader = SafeTensorsReader.Of(stream);
        return Open(reader, Type, "tagger", Read);
    }

    /// <inheritdoc/>
    private protected override void CheckMetadata(IReadOnlyDictionary<string, string> metadata, string source)
    {
        base.CheckMetadata(metadata, source);
        SavedNames.Check(metadata, source, Type, nameof(SequenceTagger<T>), ("words", Words.ToMetadata()), (CharactersKey, Characters?.ToMetadata()), ("tags", Tags));
    }

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("tags", Tags);
        writer.Write("field", Field is not null);
        writer.Write("word_dropout", Options.WordDropout);
        writer.Write("input_dropout", Options.InputDropout);
        writer.Write("dropout", Options.Dropout);
        writer.Write("layer", SequenceLayer);
        if (CharacterLayer is { } layer)
        {
            writer.Write(CharacterLayerKey, layer);
            writer.Write(CharactersKey, Characters!.ToMetadata());
        }

        writer.Write("words", Words.ToMetadata());
    }

    private static SequenceTagger<T> Read(DescriptionReader reader)
    {
        // Vocabularies and tags stand in the file in full, so that their numbers cannot be damaged into a huge allocation.
        var (tags, layer) = (reader.GetStrings("tags"), (SequenceLayer<T>)reader.GetModule<T>("layer"));
        var characterLayer = reader.Has(CharacterLayerKey) ? (SequenceLayer<T>)reader.GetModule<T>(CharacterLayerKey) : null;
        var characters = characterLayer is null ? null : Vocabulary<CharVocabulary>(reader.GetString(CharactersKey));
        var words = Vocabulary<WordVocabulary>(reader.GetString("words"));
        reader.CountWeights(((double)words.Count * (layer.InputSize - (characterLayer?.OutputSize ?? 0))) + ((double)tags.Length * layer.OutputSize));
        return new(words, characters, characterLayer, layer, tags, new()
        {
            ConditionalRandomField = reader.GetBoolean("field"),
            WordDropout = reader.GetDouble("word_dropout"),
            InputDropout = reader.GetDouble("input_dropout"),
            Dropout = reader.GetDouble("dropout"),
        });
    }

    private static TVocabulary Vocabulary<TVocabulary>(string text)
        where TVocabulary : class, IVocabulary => Sequences.Vocabulary.FromMetadata(text) as TVocabulary ?? throw new JsonException($"expected a {typeof(TVocabulary).Name}");
}
