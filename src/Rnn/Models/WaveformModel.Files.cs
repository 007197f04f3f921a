using Rnn.Formats;
using Rnn.Layers;

namespace Rnn.Models;

public sealed partial class WaveformModel<T>
{
    internal const string Type = "waveform-model";
    private const string Name = "waveform model";
    private const string ConditionsKey = "conditions";

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override string Description =>
        $"{(Embedding is null ? $"mixture of {Options.Components} logistics" : "µ-law")}{(Conditions.Count > 0 ? $", conditions of {string.Join(" and ", Conditions.Select(names => names.Count))} classes" : string.Empty)}";

    /// <inheritdoc/>
    protected override string Arithmetic => $"waveform model, {Options.Output}";

    /// <summary>Opens a model that <c>Save</c> wrote: builds it as the file says, with its weights and the names of its classes.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The model, in evaluation mode.</returns>
    /// <exception cref="InvalidDataException">The file is damaged or not a waveform model of this library; the message says what it is.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static new WaveformModel<T> Open(string path)
    {
        using var reader = SafeTensorsReader.Open(path);
        return Open(reader, Type, Name, Read);
    }

    /// <summary>As <see cref="Open(string)"/>, from a stream such as an embedded resource.</summary>
    /// <param name="stream">The stream, from its position to its end; left open. One that is not seekable is read into memory.</param>
    /// <returns>The model, in evaluation mode.</returns>
    /// <exception cref="InvalidDataException">The content is damaged or not a waveform model of this library.</exception>
    public static new WaveformModel<T> Open(Stream stream)
    {
        using var reader = SafeTensorsReader.Of(stream);
        return Open(reader, Type, Name, Read);
    }

    /// <inheritdoc/>
    private protected override void CheckMetadata(IReadOnlyDictionary<string, string> metadata, string source)
    {
        base.CheckMetadata(metadata, source);
        SavedNames.Check(metadata, source, Type, nameof(WaveformModel<T>), (ConditionsKey, Lines()));
    }

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("output", Options.Output.ToString());
        writer.Write("components", Options.Components);
        writer.Write("class_size", Options.ClassSize);
        writer.Write(ConditionsKey, Lines());
        writer.Write("layer", SequenceLayer);
    }

    // The names of a condition in one text, a line each.
    private string[] Lines() => [.. Conditions.Select(names => string.Join('\n', names))];

    private static WaveformModel<T> Read(DescriptionReader reader)
    {
        var layer = (SequenceLayer<T>)reader.GetModule<T>("layer");
        var conditions = Array.ConvertAll(reader.GetStrings(ConditionsKey), names => names.Split('\n'));
        var options = new WaveformModelOptions
        {
            Output = Enum.Parse<WaveformOutput>(reader.GetString("output")),
            Components = reader.GetInt32("components"),
            ClassSize = reader.GetInt32("class_size"),
            Conditions = conditions,
        };
        var isMixture = options.Output == WaveformOutput.LogisticMixture;
        reader.CountWeights((conditions.Sum(names => (double)names.Length) * options.ClassSize) + (layer.OutputSize * (isMixture ? 3.0 * options.Components : Sequences.MuLaw.Levels)));
        return new(layer, options);
    }
}
