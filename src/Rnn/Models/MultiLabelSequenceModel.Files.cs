using Rnn.Formats;
using Rnn.Layers;

namespace Rnn.Models;

public sealed partial class MultiLabelSequenceModel<T>
{
    internal const string Type = "multi-label-sequence-model";
    private const string Name = "multi-label sequence model";

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override string Description => $"{Labels} labels";

    /// <summary>Opens a model that <c>Save</c> wrote: builds it as the file says, with its weights.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The model, in evaluation mode.</returns>
    /// <exception cref="InvalidDataException">The file is damaged or not a multi-label model of this library; the message says what it is.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static new MultiLabelSequenceModel<T> Open(string path)
    {
        using var reader = SafeTensorsReader.Open(path);
        return Open(reader, Type, Name, Read);
    }

    /// <summary>As <see cref="Open(string)"/>, from a stream such as an embedded resource.</summary>
    /// <param name="stream">The stream, from its position to its end; left open. One that is not seekable is read into memory.</param>
    /// <returns>The model, in evaluation mode.</returns>
    /// <exception cref="InvalidDataException">The content is damaged or not a multi-label model of this library.</exception>
    public static new MultiLabelSequenceModel<T> Open(Stream stream)
    {
        using var reader = SafeTensorsReader.Of(stream);
        return Open(reader, Type, Name, Read);
    }

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("labels", Labels);
        writer.Write("input_dropout", Options.InputDropout);
        writer.Write("dropout", Options.Dropout);
        writer.Write("layer", SequenceLayer);
    }

    private static MultiLabelSequenceModel<T> Read(DescriptionReader reader)
    {
        var (labels, layer) = (reader.GetInt32("labels"), (SequenceLayer<T>)reader.GetModule<T>("layer"));
        reader.CountWeights((double)labels * layer.OutputSize);
        return new(layer, labels, new() { InputDropout = reader.GetDouble("input_dropout"), Dropout = reader.GetDouble("dropout") });
    }
}
