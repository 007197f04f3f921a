using System.Text.Json;
using Rnn.Formats;
using Rnn.Layers;

namespace Rnn.Models;

public sealed partial class EncoderDecoder<T>
{
    internal const string Type = "encoder-decoder";

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override string Description => $"{SourceVocabulary.Count} → {TargetVocabulary.Count} tokens, attention {Options.Attention}{(Options.InputFeeding ? ", input feeding" : string.Empty)}";

    /// <inheritdoc/>
    protected override string Arithmetic => $"encoder-decoder, attention {Options.Attention}, input feeding {Options.InputFeeding}, start {Options.Start}";

    /// <summary>Opens a model that <c>Save</c> wrote: builds it as the file says, with its weights and its vocabularies.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The model, in evaluation mode.</returns>
    /// <exception cref="InvalidDataException">The file is damaged or not an encoder-decoder of this library; the message says what it is.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static new EncoderDecoder<T> Open(string path)
    {
        using var reader = SafeTensorsReader.Open(path);
        return Open(reader, Type, "encoder-decoder", Read);
    }

    /// <summary>As <see cref="Open(string)"/>, from a stream such as an embedded resource.</summary>
    /// <param name="stream">The stream, from its position to its end; left open. One that is not seekable is read into memory.</param>
    /// <returns>The model, in evaluation mode.</returns>
    /// <exception cref="InvalidDataException">The content is damaged or not an encoder-decoder of this library.</exception>
    public static new EncoderDecoder<T> Open(Stream stream)
    {
        using var reader = SafeTensorsReader.Of(stream);
        return Open(reader, Type, "encoder-decoder", Read);
    }

    /// <inheritdoc/>
    private protected override void CheckMetadata(IReadOnlyDictionary<string, string> metadata, string source)
    {
        base.CheckMetadata(metadata, source);
        SavedNames.Check(metadata, source, Type, nameof(EncoderDecoder<T>), ("source_vocabulary", SourceVocabulary.ToMetadata()), ("target_vocabulary", TargetVocabulary.ToMetadata()));
    }

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("attention", $"{Options.Attention}");
        writer.Write("input_feeding", Options.InputFeeding);
        writer.Write("start", $"{Options.Start}");
        writer.Write("embedding_dropout", Options.EmbeddingDropout);
        writer.Write("dropout", Options.Dropout);
        writer.Write("encoder", Encoder);
        writer.Write("decoder", Decoder);
        writer.Write("source_vocabulary", SourceVocabulary.ToMetadata());
        writer.Write("target_vocabulary", TargetVocabulary.ToMetadata());
    }

    private static EncoderDecoder<T> Read(DescriptionReader reader)
    {
        if (!reader.Has("source_vocabulary") || !reader.Has("target_vocabulary"))
        {
            throw new JsonException("it has no vocabulary, as of one of your own that gives no metadata (IVocabulary.ToMetadata); make the model in your program and fill it by Load");
        }

        // Vocabularies stand in the file in full, so that their sizes cannot be damaged into a huge allocation.
        var (source, target) = (Sequences.Vocabulary.FromMetadata(reader.GetString("source_vocabulary")), Sequences.Vocabulary.FromMetadata(reader.GetString("target_vocabulary")));
        var (encoder, decoder) = ((SequenceLayer<T>)reader.GetModule<T>("encoder"), (SequenceLayer<T>)reader.GetModule<T>("decoder"));
        reader.CountWeights(((double)source.Count * encoder.InputSize) + ((double)target.Count * decoder.OutputSize));
        return new(source, target, encoder, decoder, new()
        {
            Attention = Enum.Parse<DecoderAttention>(reader.GetString("attention")),
            InputFeeding = reader.GetBoolean("input_feeding"),
            Start = Enum.Parse<DecoderStart>(reader.GetString("start")),
            EmbeddingDropout = reader.GetDouble("embedding_dropout"),
            Dropout = reader.GetDouble("dropout"),
        });
    }
}
