using Rnn.Formats;
using Rnn.Keras;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Onnx;
using Rnn.Tensors;
using Samples;

namespace RnnTool;

/// <summary>A file of any format: a module where the file says how to make one, else tensors by name.</summary>
internal sealed class ModelFile : IDisposable
{
    private ModelFile(string kind, Module<float>? module, WeightFile? weights, IReadOnlyList<KeyValuePair<string, Tensor<float>>>? keras = null) =>
        (Kind, Module, Weights, KerasTensors) = (kind, module, weights, keras);

    /// <summary>What wrote the file, for people.</summary>
    internal string Kind { get; }

    /// <summary>What can be run; null where there are tensors alone.</summary>
    internal Module<float>? Module { get; }

    /// <summary>The tensors of the file; null for ONNX and Keras.</summary>
    internal WeightFile? Weights { get; }

    /// <summary>The tensors of a file of Keras that has weights alone.</summary>
    internal IReadOnlyList<KeyValuePair<string, Tensor<float>>>? KerasTensors { get; }

    /// <summary>All tensors of a file that has tensors alone.</summary>
    internal IReadOnlyList<KeyValuePair<string, Tensor<float>>> Tensors() =>
        KerasTensors ?? [.. Weights!.Entries.Select(entry => KeyValuePair.Create(entry.Name, Weights.Get<float>(entry.Name)))];

    public void Dispose() => Weights?.Dispose();

    /// <summary>Opens a file and finds out by its content what it is.</summary>
    /// <exception cref="InputException">There is no such file, or it is none of these formats or damaged.</exception>
    internal static ModelFile Open(string path)
    {
        try
        {
            var begin = Begin(path);
            if (begin is [0x89, (byte)'H', (byte)'D', (byte)'F', ..] || (begin is [(byte)'P', (byte)'K', ..] && path.EndsWith(".keras", StringComparison.OrdinalIgnoreCase)))
            {
                return OpenKeras(path);
            }

            if (path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase))
            {
                var model = OnnxModel.Load<float>(path);
                return new($"ONNX, operator set {model.Opset}{(model.Producer.Length > 0 ? $", written by {model.Producer}" : string.Empty)}", model, null);
            }

            var weights = WeightFile.Open(path);
            return weights.Format == "safetensors" && SavedModel.FindType(path) is { } type
                ? new($"Rnn, {type}", SavedModel.Open<float>(path), weights)
                : new(weights.Format, null, weights);
        }
        catch (Exception error) when (error is IOException or InvalidDataException or NotSupportedException or UnauthorizedAccessException)
        {
            throw new InputException(error.Message, error);
        }
    }

    /// <summary>The module, made of PyTorch's weights where the file has only these.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="prefix">What stands before the names of a layer of PyTorch; null for the only one.</param>
    internal Module<float> RequireModule(string path, string? prefix) =>
        Module ?? (Weights is null ? null : PyTorchLayer.Read(Weights, prefix)) ?? throw new InputException(
            $"{path}: these are tensors without a word of what computes with them, and their names are not those of a recurrent layer of PyTorch; convert between files of weights, or load them in a program of yours.");

    private static ModelFile OpenKeras(string path)
    {
        try
        {
            var model = KerasModel<float>.Load(path);
            return new($"Keras {model.KerasVersion}".TrimEnd(), model.Network, null);
        }
        catch (InvalidDataException) when (KerasWeights.Read<float>(path) is { Count: > 0 } weights)
        {
            // Weights alone, or of a model whose description cannot be read.
            return new("Keras, weights", null, null, weights);
        }
    }

    private static byte[] Begin(string path)
    {
        using var file = File.OpenRead(path);
        var bytes = new byte[4];
        return bytes[..file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
    }
}
