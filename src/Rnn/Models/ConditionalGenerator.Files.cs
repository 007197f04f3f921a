using System.Text.Json;
using Rnn.Formats;
using Rnn.Layers;

namespace Rnn.Models;

public sealed partial class ConditionalGenerator<T>
{
    internal const string Type = "conditional-generator";
    private const string Name = "conditional generator";
    private const string ClassesKey = "classes";

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override string Description =>
        $"{(Classes.Count > 0 ? $"{Classes.Count} classes" : $"{ConditionSize} features")} → {Vocabulary.Count} tokens{(Options.FeedCondition ? ", condition fed" : string.Empty)}";

    /// <inheritdoc/>
    protected override string Arithmetic => $"conditional generator, condition fed {Options.FeedCondition}";

    /// <summary>Opens a model that <c>Save</c> wrote: builds it as the file says, with its weights, its vocabulary and its classes.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The model, in evaluation mode.</returns>
    /// <exception cref="InvalidDataException">The file is damaged or not a conditional generator of this library; the message says what it is.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static new ConditionalGenerator<T> Open(string path)
    {
        using var reader = SafeTensorsReader.Open(path);
        return Open(reader, Type, Name, Read);
    }

    /// <summary>As <see cref="Open(string)"/>, from a stream such as an embedded resource.</summary>
    /// <param name="stream">The stream, from its position to its end; left open. One that is not seekable is read into memory.</param>
    /// <returns>The model, in evaluation mode.</returns>
    /// <exception cref="InvalidDataException">The content is damaged or not a conditional generator of this library.</exception>
    public static new ConditionalGenerator<T> Open(Stream stream)
    {
        using var reader = SafeTensorsReader.Of(stream);
        return Open(reader, Type, Name, Read);
    }

    /// <inheritdoc/>
    private protected override void CheckMetadata(IReadOnlyDictionary<string, string> metadata, string source)
    {
        base.CheckMetadata(metadata, source);
        SavedNames.Check(metadata, source, Type, nameof(ConditionalGenerator<T>), ("vocabulary", Vocabulary.ToMetadata()), (ClassesKey, Classes));
    }

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("feed_condition", Options.FeedCondition);
        writer.Write("embedding_dropout", Options.EmbeddingDropout);
        writer.Write("dropout", Options.Dropout);
        writer.Write("encoded_size", EncodedSize);
        if (Classes.Count > 0)
        {
            writer.Write(ClassesKey, Classes);
        }
        else
        {
            writer.Write("condition_size", ConditionSize);
            writer.Write("encoder", Encoder);
        }

        writer.Write("decoder", Decoder);
        writer.Write("vocabulary", Vocabulary.ToMetadata());
    }

    private static ConditionalGenerator<T> Read(DescriptionReader reader)
    {
        if (!reader.Has("vocabulary"))
        {
            throw new JsonException("it has no vocabulary, as of one of your own that gives no metadata (IVocabulary.ToMetadata); make the model in your program and fill it by Load");
        }

        // Vocabulary and classes stand in the file in full, so that their sizes cannot be damaged into a huge allocation.
        var (vocabulary, decoder) = (Sequences.Vocabulary.FromMetadata(reader.GetString("vocabulary")), (SequenceLayer<T>)reader.GetModule<T>("decoder"));
        var (feed, encodedSize) = (reader.GetBoolean("feed_condition"), reader.GetInt32("encoded_size"));
        reader.CountWeights(((double)vocabulary.Count * (decoder.InputSize - (feed ? encodedSize : 0) + decoder.OutputSize)) + StateProjection<T>.WeightCount(decoder, encodedSize));
        var options = new ConditionalGeneratorOptions
        {
            FeedCondition = feed,
            ClassSize = encodedSize,
            EmbeddingDropout = reader.GetDouble("embedding_dropout"),
            Dropout = reader.GetDouble("dropout"),
        };
        if (!reader.Has(ClassesKey))
        {
            return new(vocabulary, ReadConditionSize(reader), (Layer<T>)reader.GetModule<T>("encoder"), decoder, options);
        }

        var classes = reader.GetStrings(ClassesKey);
        reader.CountWeights((double)classes.Length * encodedSize);
        return new(vocabulary, classes, decoder, options);
    }

    // A condition of this size is made to ask the encoder; no weights bound it where the encoder has none.
    private static int ReadConditionSize(DescriptionReader reader)
    {
        var size = reader.GetInt32("condition_size");
        return size <= 1 << 24 ? size : throw new JsonException($"a condition of {size} numbers");
    }
}
