using System.Numerics;
using Rnn.Formats;
using Rnn.Layers;

namespace Rnn.Models;

/// <summary>Opens files of which only the program that reads them knows that this library wrote them: layers, networks and models of every type.</summary>
public static class SavedModel
{
    /// <summary>Recreates what <c>Save</c> wrote: a model such as <see cref="LanguageModel{T}"/>, or any module that <see cref="ModuleCatalog"/> knows.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The model or module, in evaluation mode; cast it to its type.</returns>
    /// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
    /// <exception cref="InvalidDataException">The file is damaged, says nothing of how to make the module, or is of an unknown type.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static Module<T> Open<T>(string path)
        where T : unmanaged, IFloatingPointIeee754<T> => FindType(path) switch
        {
            LanguageModel<T>.Type => LanguageModel<T>.Open(path),
            SequenceClassifier<T>.Type => SequenceClassifier<T>.Open(path),
            SequenceTagger<T>.Type => SequenceTagger<T>.Open(path),
            SequenceTranscriber<T>.Type => SequenceTranscriber<T>.Open(path),
            MultiLabelSequenceModel<T>.Type => MultiLabelSequenceModel<T>.Open(path),
            EncoderDecoder<T>.Type => EncoderDecoder<T>.Open(path),
            ConditionalGenerator<T>.Type => ConditionalGenerator<T>.Open(path),
            Forecaster<T>.Type => Forecaster<T>.Open(path),
            WaveformModel<T>.Type => WaveformModel<T>.Open(path),
            MemoryNetwork<T>.Type => MemoryNetwork<T>.Open(path),
            _ => Module<T>.Open(path),
        };

    /// <summary>The type that a file's description names: that of a model, as <c>language-model</c>, or of a module, as <c>recurrent</c>; null where the file describes nothing.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static string? FindType(string path)
    {
        using var reader = SafeTensorsReader.Open(path);
        string? type = null;
        if (reader.Header.Metadata.TryGetValue(Module<float>.DescriptionKey, out var description))
        {
            DescriptionReader.Read(description, reader.Source, 0, described => type = described.Type);
        }

        return type;
    }
}
