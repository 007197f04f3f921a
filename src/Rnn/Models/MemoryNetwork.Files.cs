using System.Globalization;
using System.Text.Json;
using Rnn.Formats;
using Rnn.Layers;

namespace Rnn.Models;

public sealed partial class MemoryNetwork<T>
{
    internal const string Type = "memory-network";
    private const string Name = "memory network";
    private const string VocabularyKey = "vocabulary";
    private const string PositionLengthKey = "position_length";

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override string Description =>
        $"{Vocabulary.Count} words, {Options.Hops} {(Options.Tying == MemoryTying.Adjacent ? "adjacent" : "layer-wise")} hops over {Options.MemorySize} sentences{(IsLinear ? ", linear attention" : string.Empty)}";

    /// <inheritdoc/>
    protected override string Arithmetic => string.Create(
        CultureInfo.InvariantCulture, $"memory network, {Options.Hops} hops over {(Options.EmptyPlaces ? $"{Options.MemorySize} places" : "sentences")}, {(Options.PositionEncoding ? $"positions of {Options.PositionLength?.ToString(CultureInfo.InvariantCulture) ?? "each sentence"}" : "bags of words")}");

    private protected override string Regularization => Options.TimeNoise > 0 ? string.Create(CultureInfo.InvariantCulture, $"time noise {Options.TimeNoise}") : string.Empty;

    /// <summary>Opens a memory network that <c>Save</c> wrote: builds it as the file says, with its weights and its vocabulary.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The network, in evaluation mode.</returns>
    /// <exception cref="InvalidDataException">The file is damaged or not a memory network of this library; the message says what it is.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static new MemoryNetwork<T> Open(string path)
    {
        using var reader = SafeTensorsReader.Open(path);
        return Open(reader, Type, Name, Read);
    }

    /// <summary>As <see cref="Open(string)"/>, from a stream such as an embedded resource.</summary>
    /// <param name="stream">The stream, from its position to its end; left open. One that is not seekable is read into memory.</param>
    /// <returns>The network, in evaluation mode.</returns>
    /// <exception cref="InvalidDataException">The content is damaged or not a memory network of this library.</exception>
    public static new MemoryNetwork<T> Open(Stream stream)
    {
        using var reader = SafeTensorsReader.Of(stream);
        return Open(reader, Type, Name, Read);
    }

    /// <inheritdoc/>
    private protected override void CheckMetadata(IReadOnlyDictionary<string, string> metadata, string source)
    {
        base.CheckMetadata(metadata, source);
        SavedNames.Check(metadata, source, Type, nameof(MemoryNetwork<T>), (VocabularyKey, Vocabulary.ToMetadata()));
    }

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("embedding_size", Options.EmbeddingSize);
        writer.Write("hops", Options.Hops);
        writer.Write("tying", $"{Options.Tying}");
        writer.Write("memory_size", Options.MemorySize);
        writer.Write("empty_places", Options.EmptyPlaces);
        writer.Write("position_encoding", Options.PositionEncoding);
        if (Options.PositionLength is { } length)
        {
            writer.Write(PositionLengthKey, length);
        }

        writer.Write("temporal_encoding", Options.TemporalEncoding);
        writer.Write("time_noise", Options.TimeNoise);
        writer.Write("linear", IsLinear);
        writer.Write(VocabularyKey, Vocabulary.ToMetadata());
    }

    private static MemoryNetwork<T> Read(DescriptionReader reader)
    {
        if (!reader.Has(VocabularyKey))
        {
            throw new JsonException("it has no vocabulary, as of one of your own that gives no metadata (IVocabulary.ToMetadata); make the model in your program and fill it by Load");
        }

        var vocabulary = Sequences.Vocabulary.FromMetadata(reader.GetString(VocabularyKey));
        var options = new MemoryNetworkOptions
        {
            EmbeddingSize = reader.GetInt32("embedding_size"),
            Hops = reader.GetInt32("hops"),
            Tying = Enum.Parse<MemoryTying>(reader.GetString("tying")),
            MemorySize = reader.GetInt32("memory_size"),
            EmptyPlaces = reader.GetBoolean("empty_places"),
            PositionEncoding = reader.GetBoolean("position_encoding"),
            PositionLength = reader.Has(PositionLengthKey) ? reader.GetInt32(PositionLengthKey) : null,
            TemporalEncoding = reader.GetBoolean("temporal_encoding"),
            TimeNoise = reader.GetDouble("time_noise"),
        };
        var (size, hops) = ((double)options.EmbeddingSize, (double)options.Hops);
        var times = options.TemporalEncoding ? options.MemorySize : 0.0;
        reader.CountWeights(options.Tying == MemoryTying.Adjacent
            ? (hops + 1) * (vocabulary.Count + times) * size
            : ((4.0 * vocabulary.Count) + (2 * times) + size) * size);
        return new(vocabulary, options) { IsLinear = reader.GetBoolean("linear") };
    }
}
