using System.Text.Json;
using Rnn.Formats;
using Rnn.Layers;

namespace Rnn.Models;

public sealed partial class SequenceTranscriber<T>
{
    internal const string Type = "sequence-transcriber";
    private const string Name = "transcriber";
    private const string VocabularyKey = "vocabulary";
    private const string SourceKey = "source_vocabulary";

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override string Description =>
        $"{(SourceVocabulary is { } source ? $"{source.Count} tokens" : $"{FeatureSize} features")} → {Vocabulary.Count} labels and the blank{(Options.FrameStacking > 1 ? $", {Options.FrameStacking} steps as one" : string.Empty)}";

    /// <inheritdoc/>
    protected override string Arithmetic => $"transcriber, frame stacking {Options.FrameStacking}";

    /// <summary>Opens a transcriber that <c>Save</c> wrote: builds it as the file says, with its weights and its vocabularies.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The transcriber, in evaluation mode.</returns>
    /// <exception cref="InvalidDataException">The file is damaged or not a transcriber of this library; the message says what it is.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static new SequenceTranscriber<T> Open(string path)
    {
        using var reader = SafeTensorsReader.Open(path);
        return Open(reader, Type, Name, Read);
    }

    /// <summary>As <see cref="Open(string)"/>, from a stream such as an embedded resource.</summary>
    /// <param name="stream">The stream, from its position to its end; left open. One that is not seekable is read into memory.</param>
    /// <returns>The transcriber, in evaluation mode.</returns>
    /// <exception cref="InvalidDataException">The content is damaged or not a transcriber of this library.</exception>
    public static new SequenceTranscriber<T> Open(Stream stream)
    {
        using var reader = SafeTensorsReader.Of(stream);
        return Open(reader, Type, Name, Read);
    }

    /// <inheritdoc/>
    private protected override void CheckMetadata(IReadOnlyDictionary<string, string> metadata, string source)
    {
        base.CheckMetadata(metadata, source);
        SavedNames.Check(metadata, source, Type, nameof(SequenceTranscriber<T>), (VocabularyKey, Vocabulary.ToMetadata()), (SourceKey, SourceVocabulary?.ToMetadata()));
    }

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("frame_stacking", Options.FrameStacking);
        writer.Write("input_dropout", Options.InputDropout);
        writer.Write("dropout", Options.Dropout);
        writer.Write("reads_tokens", SourceVocabulary is not null);
        writer.Write("layer", SequenceLayer);
        writer.Write(VocabularyKey, Vocabulary.ToMetadata());
        writer.Write(SourceKey, SourceVocabulary?.ToMetadata());
    }

    private static SequenceTranscriber<T> Read(DescriptionReader reader)
    {
        var readsTokens = reader.GetBoolean("reads_tokens");
        if (!reader.Has(VocabularyKey) || (readsTokens && !reader.Has(SourceKey)))
        {
            throw new JsonException("it has no vocabulary, as of one of your own that gives no metadata (IVocabulary.ToMetadata); make the model in your program and fill it by Load");
        }

        // Vocabularies stand in the file in full, so that their sizes cannot be damaged into a huge allocation.
        var vocabulary = Sequences.Vocabulary.FromMetadata(reader.GetString(VocabularyKey));
        var source = readsTokens ? Sequences.Vocabulary.FromMetadata(reader.GetString(SourceKey)) : null;
        var layer = (SequenceLayer<T>)reader.GetModule<T>("layer");
        reader.CountWeights(((double)(source?.Count ?? 0) * layer.InputSize / reader.GetInt32("frame_stacking")) + ((vocabulary.Count + 1.0) * layer.OutputSize));
        return new(layer, vocabulary, new()
        {
            FrameStacking = reader.GetInt32("frame_stacking"),
            InputDropout = reader.GetDouble("input_dropout"),
            Dropout = reader.GetDouble("dropout"),
        }, source);
    }
}
