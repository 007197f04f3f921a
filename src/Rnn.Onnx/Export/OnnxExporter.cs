using System.Numerics;
using Google.Protobuf;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Onnx.Export;
using Rnn.Onnx.Schema;

namespace Rnn.Onnx;

/// <summary>Layers and models as ONNX files, which compute what their forward pass gives in evaluation.</summary>
/// <remarks>
/// <para>Recurrent layers become the operators RNN, GRU and LSTM where these say all that the layer does: several layers, both directions, diagonal peepholes, coupled gates, either form of the GRU, learned initial states.
/// What they cannot say, such as a projection, layer normalisation or a cell of one's own, becomes a loop (Scan) over one step, whose nodes are recorded from the cell itself.</para>
/// <para>The input of a layer is <c>input</c> [batch, steps, size] and its output <c>output</c>. Models read <c>tokens</c> (<see cref="OnnxElementType.Int64"/>) or <c>input</c> and give <c>scores</c>, logits as from their
/// <c>Forward</c>; the README of the project says those of each.</para>
/// </remarks>
/// <example>
/// <code>
/// var model = LanguageModel&lt;float&gt;.Open("shakespeare.safetensors");
/// model.SaveOnnx("shakespeare.onnx", new() { States = true });
/// </code>
/// </example>
public static class OnnxExporter
{
    // The format's messages have at most 2 GB.
    private const long MaxBytes = int.MaxValue - (64L << 20);

    /// <summary>Writes a layer or model to a file, which is there whole or, after an error, not at all.</summary>
    /// <typeparam name="T">The element type of the model.</typeparam>
    /// <param name="module">The layer or model.</param>
    /// <param name="path">The file.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="NotSupportedException">The module, or a part of it, cannot be written; the message says which, why and what to do.</exception>
    /// <exception cref="ArgumentException">An option does not fit the module.</exception>
    public static void SaveOnnx<T>(this Module<T> module, string path, OnnxExportOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        Save(Create(module, options, Write), path);
    }

    /// <summary>Writes a layer or model to a stream.</summary>
    /// <typeparam name="T">The element type of the model.</typeparam>
    /// <param name="module">The layer or model.</param>
    /// <param name="stream">The stream; left open.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="NotSupportedException">The module, or a part of it, cannot be written; the message says which, why and what to do.</exception>
    /// <exception cref="ArgumentException">An option does not fit the module.</exception>
    public static void SaveOnnx<T>(this Module<T> module, Stream stream, OnnxExportOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(stream);
        Create(module, options, Write).WriteTo(stream);
    }

    /// <summary>The bytes of a layer or model as an ONNX file.</summary>
    /// <typeparam name="T">The element type of the model.</typeparam>
    /// <param name="module">The layer or model.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="NotSupportedException">The module, or a part of it, cannot be written; the message says which, why and what to do.</exception>
    /// <exception cref="ArgumentException">An option does not fit the module.</exception>
    public static byte[] ToOnnx<T>(this Module<T> module, OnnxExportOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T> => Create(module, options, Write).ToByteArray();

    /// <summary>
    /// Writes an encoder-decoder to two files. The encoder reads <c>tokens</c> [batch, steps] and gives what the decoder starts with: its states, and with attention <c>memory</c>, <c>keys</c>, <c>query</c> and <c>fed</c>, as far as
    /// the model has them. The decoder is one step: it reads <c>token</c> [batch] and these, and gives <c>scores</c> [batch, V], <c>attention</c> and the values for the next step, named <c>…_next</c>.
    /// </summary>
    /// <typeparam name="T">The element type of the model.</typeparam>
    /// <param name="module">The model.</param>
    /// <param name="encoderPath">The file of the encoder.</param>
    /// <param name="decoderPath">The file of the decoder.</param>
    /// <param name="options">Options, or null for the defaults; with <see cref="OnnxExportOptions.Lengths"/> both files read the lengths of the sources.</param>
    /// <exception cref="NotSupportedException">A part of the model cannot be written; the message says which, why and what to do.</exception>
    public static void SaveOnnx<T>(this EncoderDecoder<T> module, string encoderPath, string decoderPath, OnnxExportOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        SavePair<T, EncoderDecoder<T>>(module, encoderPath, decoderPath, options, DecoderModels.WriteEncoder, DecoderModels.WriteDecoder);

    /// <summary>
    /// Writes a conditional generator to two files. The encoder reads <c>conditions</c> [batch, F] or <c>classes</c> [batch] and gives the decoder's first states and, where the condition is fed, <c>encoded</c>. The decoder is one
    /// step: it reads <c>token</c> [batch] and these, and gives <c>scores</c> [batch, V] and the next states, named <c>…_next</c>.
    /// </summary>
    /// <typeparam name="T">The element type of the model.</typeparam>
    /// <param name="module">The model.</param>
    /// <param name="encoderPath">The file of the encoder.</param>
    /// <param name="decoderPath">The file of the decoder.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="NotSupportedException">A part of the model cannot be written; the message says which, why and what to do.</exception>
    public static void SaveOnnx<T>(this ConditionalGenerator<T> module, string encoderPath, string decoderPath, OnnxExportOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        SavePair<T, ConditionalGenerator<T>>(module, encoderPath, decoderPath, options, DecoderModels.WriteEncoder, DecoderModels.WriteDecoder);

    /// <summary>The file of a module as a message.</summary>
    internal static ModelProto Create<T, TModule>(TModule module, OnnxExportOptions? options, Action<ModelBuilder, TModule> write)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TModule : Module<T>
    {
        ArgumentNullException.ThrowIfNull(module);
        options ??= new();
        var isDouble = typeof(T) == typeof(double);
        var width = (options.ElementType ?? (isDouble ? OnnxElementType.Double : OnnxElementType.Float)) == OnnxElementType.Double ? sizeof(double) : sizeof(float);
        if (module.ParameterCount * width > MaxBytes)
        {
            throw new NotSupportedException($"The model has {module.ParameterCount:N0} parameters: an ONNX file holds at most 2 GB, and weights in files beside it are not written.");
        }

        var builder = new ModelBuilder(options, isDouble);
        write(builder, module);
        return builder.Build();
    }

    internal static void Write<T>(ModelBuilder model, Module<T> module)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        switch (module)
        {
            case LanguageModel<T> known:
                SequenceModels.Write(model, known);
                break;
            case SequenceClassifier<T> known:
                SequenceModels.Write(model, known);
                break;
            case SequenceTagger<T> known:
                SequenceModels.Write(model, known);
                break;
            case MultiLabelSequenceModel<T> known:
                SequenceModels.Write(model, known);
                break;
            case SequenceTranscriber<T> known:
                SequenceModels.Write(model, known);
                break;
            case WaveformModel<T> known:
                SequenceModels.Write(model, known);
                break;
            case Forecaster<T> known:
                ForecasterWriter.Write(model, known);
                break;
            case MemoryNetwork<T> known:
                MemoryNetworkWriter.Write(model, known);
                break;
            case EncoderDecoder<T> or ConditionalGenerator<T>:
                throw new NotSupportedException($"A {module.GetType().Name.Split('`')[0]} is two files, what it starts with and one step of its decoder: call SaveOnnx(encoderPath, decoderPath).");
            case SequenceLayer<T> layer:
                LayerModel.Write(model, layer);
                break;
            case Layer<T> layer:
                LayerModel.Write(model, layer);
                break;
            default:
                PartModels.Write(model, module);
                break;
        }
    }

    private static ModelProto Create<T>(Module<T> module, OnnxExportOptions? options, Action<ModelBuilder, Module<T>> write)
        where T : unmanaged, IFloatingPointIeee754<T> => Create<T, Module<T>>(module, options, write);

    // Both are made before the first is written.
    private static void SavePair<T, TModule>(
        TModule module, string encoderPath, string decoderPath, OnnxExportOptions? options, Action<ModelBuilder, TModule> writeEncoder, Action<ModelBuilder, TModule> writeDecoder)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TModule : Module<T>
    {
        ArgumentException.ThrowIfNullOrEmpty(encoderPath);
        ArgumentException.ThrowIfNullOrEmpty(decoderPath);
        var (encoder, decoder) = (Create<T, TModule>(module, options, writeEncoder), Create<T, TModule>(module, options, writeDecoder));
        Save(encoder, encoderPath);
        Save(decoder, decoderPath);
    }

    // Beside the file first, so that a file of before is not lost to an error half way.
    private static void Save(ModelProto model, string path)
    {
        var whole = Path.GetFullPath(path);
        var draft = $"{whole}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var stream = File.Create(draft))
            {
                model.WriteTo(stream);
            }

            File.Move(draft, whole, overwrite: true);
        }
        finally
        {
            File.Delete(draft);
        }
    }
}
