using Rnn.Formats;
using Rnn.Layers;

namespace Rnn.Models;

public sealed partial class SequenceClassifier<T>
{
    internal const string Type = "sequence-classifier";
    private const string VocabularyKey = "vocabulary";

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override string Description => $"{Classes.Count} classes{(Embedding is { } embedding ? $", {embedding.Count} tokens" : string.Empty)}";

    /// <summary>Opens a classifier that <c>Save</c> wrote: builds it as the file says, with its weights, the names of its classes and, where it has one, its vocabulary.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The classifier, in evaluation mode.</returns>
    /// <exception cref="InvalidDataException">The file is damaged or not a classifier of this library; the message says what it is.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static new SequenceClassifier<T> Open(string path)
    {
        using var reader = SafeTensorsReader.Open(path);
        return Open(reader, layer: null);
    }

    /// <summary>As <see cref="Open(string)"/>, for a sequence layer or cell of your own.</summary>
    /// <param name="path">The file.</param>
    /// <param name="layer">The sequence layer to fill.</param>
    /// <returns>The classifier, in evaluation mode.</returns>
    /// <exception cref="InvalidDataException">The file is damaged or not a classifier of this library, or the layer given does not fit; the message says what it is.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static SequenceClassifier<T> Open(string path, SequenceLayer<T> layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        using var reader = SafeTensorsReader.Open(path);
        return Open(reader, layer);
    }

    /// <summary>As <see cref="Open(string)"/>, from a stream such as an embedded resource.</summary>
    /// <param name="stream">The stream, from its position to its end; left open. One that is not seekable is read into memory.</param>
    /// <returns>The classifier, in evaluation mode.</returns>
    /// <exception cref="InvalidDataException">The content is damaged or not a classifier of this library.</exception>
    public static new SequenceClassifier<T> Open(Stream stream)
    {
        using var reader = SafeTensorsReader.Of(stream);
        return Open(reader, layer: null);
    }

    /// <summary>As <see cref="Open(Stream)"/>, for a sequence layer or cell of your own.</summary>
    /// <param name="stream">The stream, from its position to its end; left open. One that is not seekable is read into memory.</param>
    /// <param name="layer">The sequence layer to fill.</param>
    /// <returns>The classifier, in evaluation mode.</returns>
    /// <exception cref="InvalidDataException">The content is damaged or not a classifier of this library, or the layer given does not fit.</exception>
    public static SequenceClassifier<T> Open(Stream stream, SequenceLayer<T> layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        using var reader = SafeTensorsReader.Of(stream);
        return Open(reader, layer);
    }

    /// <inheritdoc/>
    private protected override void CheckMetadata(IReadOnlyDictionary<string, string> metadata, string source)
    {
        base.CheckMetadata(metadata, source);
        SavedNames.Check(metadata, source, Type, nameof(SequenceClassifier<T>), ("classes", Classes), (VocabularyKey, Vocabulary?.ToMetadata()));
    }

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("vocabulary_size", Embedding?.Count ?? 0);
        writer.Write("classes", Classes);
        writer.Write("pooling", $"{Options.Pooling}");
        writer.Write("input_dropout", Options.InputDropout);
        writer.Write("dropout", Options.Dropout);
        writer.Write("layer", SequenceLayer);
        writer.Write(VocabularyKey, Vocabulary?.ToMetadata());
    }

    private static SequenceClassifier<T> Open(SafeTensorsReader reader, SequenceLayer<T>? layer) => Open(reader, Type, "classifier", described => Read(described, layer));

    private static SequenceClassifier<T> Read(DescriptionReader reader, SequenceLayer<T>? layer)
    {
        var described = reader.Part("layer");
        if (layer is null)
        {
            layer = (SequenceLayer<T>)ModuleCatalog.Create<T>(described);
        }
        else
        {
            RecurrentDescription.CheckGiven(described, layer);
        }

        // The layer itself exists by now; what is still to be made are the embedding and the output layer.
        var (vocabularySize, classes) = (reader.GetInt32("vocabulary_size"), reader.GetStrings("classes"));
        reader.CountWeights(((double)vocabularySize * layer.InputSize) + ((double)classes.Length * layer.OutputSize));
        var vocabulary = reader.Has(VocabularyKey) ? Sequences.Vocabulary.FromMetadata(reader.GetString(VocabularyKey)) : null;
        return new(vocabularySize, vocabulary, layer, classes, new()
        {
            Pooling = Enum.Parse<PoolingKind>(reader.GetString("pooling")),
            InputDropout = reader.GetDouble("input_dropout"),
            Dropout = reader.GetDouble("dropout"),
        });
    }
}
