using Rnn.Formats;
using Rnn.Layers;

namespace Rnn.Models;

public sealed partial class LanguageModel<T>
{
    internal const string Type = "language-model";

    // Files of the first format say so and have their description under a key of its own.
    private const string FirstFormatKey = "format";
    private const string FirstFormat = "rnn.language-model";
    private const string FirstVersionKey = "version";
    private const string FirstVersion = "1";
    private const string FirstDescriptionKey = "model";
    private const string VocabularyKey = "vocabulary";
    private const string AdaptiveKey = "adaptive_softmax";

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <summary>
    /// Opens a model that <c>Save</c> wrote: builds it as the file says, with its weights and, where it was saved, its vocabulary. (<c>Load</c> fills a
    /// model that exists.)
    /// </summary>
    /// <param name="path">The file.</param>
    /// <returns>The model, in evaluation mode.</returns>
    /// <exception cref="InvalidDataException">The file is damaged, or not a language model of this library; the message says what it is.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static new LanguageModel<T> Open(string path)
    {
        using var reader = SafeTensorsReader.Open(path);
        return Open(reader, layer: null);
    }

    /// <summary>As <see cref="Open(string)"/>, for a sequence layer or cell of your own.</summary>
    /// <param name="path">The file.</param>
    /// <param name="layer">The sequence layer to fill.</param>
    /// <returns>The model, in evaluation mode.</returns>
    /// <exception cref="InvalidDataException">
    /// The file is damaged, or not a language model of this library, or the layer given is of another cell than the one saved; the message says what it is.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static LanguageModel<T> Open(string path, SequenceLayer<T> layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        using var reader = SafeTensorsReader.Open(path);
        return Open(reader, layer);
    }

    /// <summary>As <see cref="Open(string)"/>, from a stream such as an embedded resource.</summary>
    /// <param name="stream">The stream, from its position to its end; left open. One that is not seekable is read into memory.</param>
    /// <returns>The model, in evaluation mode.</returns>
    /// <exception cref="InvalidDataException">The content is damaged, or not a language model of this library.</exception>
    public static new LanguageModel<T> Open(Stream stream)
    {
        using var reader = SafeTensorsReader.Of(stream);
        return Open(reader, layer: null);
    }

    /// <summary>As <see cref="Open(Stream)"/>, for a sequence layer or cell of your own.</summary>
    /// <param name="stream">The stream, from its position to its end; left open. One that is not seekable is read into memory.</param>
    /// <param name="layer">The sequence layer to fill.</param>
    /// <returns>The model, in evaluation mode.</returns>
    /// <exception cref="InvalidDataException">The content is damaged, or not a language model of this library, or the layer given does not fit.</exception>
    public static LanguageModel<T> Open(Stream stream, SequenceLayer<T> layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        using var reader = SafeTensorsReader.Of(stream);
        return Open(reader, layer);
    }

    /// <summary>
    /// Makes a model from its description, without its weights: what <c>ModuleCatalog.Register("language-model", LanguageModel&lt;float&gt;.Create)</c> needs for language models that are parts
    /// of other modules.
    /// </summary>
    /// <param name="reader">The description.</param>
    public static LanguageModel<T> Create(DescriptionReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return Read(reader, layer: null, vocabulary: null);
    }

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("vocabulary_size", VocabularySize);
        writer.Write("embedding_dropout", Options.EmbeddingDropout);
        writer.Write("dropout", Options.Dropout);
        writer.Write("tied_weights", Options.TieWeights);
        writer.Write("layer", SequenceLayer);
        if (Output is AdaptiveSoftmax<T> adaptive)
        {
            writer.Write(AdaptiveKey, adaptive);
        }

        writer.Write(VocabularyKey, Vocabulary?.ToMetadata());
    }

    /// <inheritdoc/>
    private protected override void CheckMetadata(IReadOnlyDictionary<string, string> metadata, string source)
    {
        base.CheckMetadata(metadata, source);
        if (Vocabulary is { } vocabulary && SavedVocabulary(metadata, source) is { } saved && saved != vocabulary.ToMetadata())
        {
            throw new InvalidDataException(
                $"{source} does not fit this LanguageModel: its weights are for another vocabulary; open the file with LanguageModel.Open, or set Vocabulary to null to take the weights as they are.");
        }
    }

    private static string? SavedVocabulary(IReadOnlyDictionary<string, string> metadata, string source) =>
        metadata.TryGetValue(DescriptionKey, out var description)
            ? DescriptionReader.Read(description, source, 0, reader => reader.Type == Type && reader.Has(VocabularyKey) ? reader.GetString(VocabularyKey) : null)
            : metadata.GetValueOrDefault(VocabularyKey);

    private static LanguageModel<T> Open(SafeTensorsReader reader, SequenceLayer<T>? layer)
    {
        var metadata = reader.Header.Metadata;
        if (metadata.GetValueOrDefault(FirstFormatKey) == FirstFormat && metadata.TryGetValue(FirstDescriptionKey, out var first))
        {
            return OpenFirst(reader, first, layer);
        }

        return Open(reader, Type, "language model", described => Read(described, layer, vocabulary: null));
    }

    private static LanguageModel<T> OpenFirst(SafeTensorsReader reader, string description, SequenceLayer<T>? layer)
    {
        var metadata = reader.Header.Metadata;
        return metadata.GetValueOrDefault(FirstVersionKey) == FirstVersion
            ? Fill(reader, DescriptionReader.Read(
                description, reader.Source, reader.WeightCount, described => Read(described, layer, metadata.GetValueOrDefault(VocabularyKey))))
            : throw new InvalidDataException(
                $"{reader.Source}: expected version {FirstVersion} of the first format but the file has {metadata.GetValueOrDefault(FirstVersionKey) ?? "none"}.");
    }

    private static LanguageModel<T> Read(DescriptionReader reader, SequenceLayer<T>? layer, string? vocabulary)
    {
        var vocabularySize = reader.GetInt32("vocabulary_size");
        var tied = reader.GetBoolean("tied_weights");

        // The first format had recurrent layers only.
        var described = reader.Has("layer") ? reader.Part("layer") : reader.Part("recurrent", RecurrentDescription.Type);
        if (layer is null)
        {
            layer = (SequenceLayer<T>)ModuleCatalog.Create<T>(described);
        }
        else
        {
            RecurrentDescription.CheckGiven(described, layer);
        }

        // The layer itself exists by now; what is still to be made are the embedding and the output layer.
        var adaptive = reader.Has(AdaptiveKey) ? (AdaptiveSoftmax<T>)reader.GetModule<T>(AdaptiveKey) : null;
        reader.CountWeights((double)vocabularySize * (layer.InputSize + (tied || adaptive is not null ? 0 : layer.OutputSize)));
        vocabulary ??= reader.Has(VocabularyKey) ? reader.GetString(VocabularyKey) : null;
        return new(vocabularySize, layer, new()
        {
            EmbeddingDropout = reader.GetDouble("embedding_dropout"),
            Dropout = reader.GetDouble("dropout"),
            TieWeights = tied,
            AdaptiveSoftmax = adaptive?.Options,
        })
        {
            Vocabulary = vocabulary is null ? null : Sequences.Vocabulary.FromMetadata(vocabulary),
        };
    }
}
