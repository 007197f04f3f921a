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
    private static readonly string[] LayerParts = ["weight_ih", "weight_hh", "weight_hr", "bias_ih", "bias_hh"];

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
            if (Directory.Exists(path))
            {
                throw new InputException($"{path} is a folder; name a file.");
            }

            var begin = Begin(path);
            if (begin is [0x89, (byte)'H', (byte)'D', (byte)'F', ..] || (begin is [(byte)'P', (byte)'K', ..] && path.EndsWith(".keras", StringComparison.OrdinalIgnoreCase)))
            {
                return OpenKeras(path);
            }

            if (path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase))
            {
                return OpenOnnx(path);
            }

            WeightFile weights;
            try
            {
                weights = WeightFile.Open(path);
            }
            catch (InvalidDataException) when (LooksLikeOnnx(begin))
            {
                // A model of ONNX under another name has no mark at its beginning, only fields.
                return OpenOnnx(path);
            }

            return weights.Format == "safetensors" && SavedModel.FindType(path) is { } type
                ? new($"Rnn, {type}", SavedModel.Open<float>(path), weights)
                : new(weights.Format, null, weights);
        }
        catch (Exception error) when (error is IOException or InvalidDataException or NotSupportedException or UnauthorizedAccessException)
        {
            throw ToolErrors.Input(error);
        }
    }

    /// <summary>The module, made of PyTorch's weights where the file has only these.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="options">Which layer of PyTorch, and what the file does not say of it.</param>
    internal Module<float> RequireModule(string path, LayerOptions options)
    {
        if (Module is not null)
        {
            return Module;
        }

        if (Weights is null || PyTorchLayers.FindRecurrent(Weights) is not [_, ..] found)
        {
            throw new InputException(
                $"{path}: these are tensors without a word of what computes with them, and their names are not those of a recurrent layer of PyTorch; convert between files of weights, or load them in a program of yours.");
        }

        var choices = string.Join(", ", found.Select(layer => $"'{layer.Prefix}'"));
        if (options.Prefix is null && found.Count > 1)
        {
            throw new InputException($"--prefix: the file has several recurrent layers; choose one of {choices}.");
        }

        if (!found.Any(layer => options.Prefix is null || layer.Prefix == options.Prefix))
        {
            throw new InputException($"--prefix: there is no recurrent layer at '{options.Prefix}'; choose one of {choices}.");
        }

        var (prefix, kind) = found.FirstOrDefault(layer => options.Prefix is null || layer.Prefix == options.Prefix);
        var layer = PyTorchLayers.ReadRecurrent<float>(Weights, options.Prefix, options.IsRelu ? Activation.Relu : Activation.Tanh);
        var others = Weights.Entries.Count(entry => !entry.Name.StartsWith(prefix, StringComparison.Ordinal) || !LayerParts.Any(part => entry.Name[prefix.Length..].StartsWith(part, StringComparison.Ordinal)));
        if (others > 0)
        {
            Console.Error.WriteLine($"{path}: only the {kind} at '{prefix}' is used; {others} other tensors are left out, since nothing says what computes with them.");
        }

        if (kind == "RNN" && !options.IsRelu)
        {
            Console.Error.WriteLine($"{path}: whether the RNN at '{prefix}' computes tanh or relu is not in the file; tanh is taken, relu with --relu.");
        }

        return layer;
    }

    private static ModelFile OpenOnnx(string path)
    {
        var model = OnnxModel.Load<float>(path);
        return new($"ONNX, operator set {model.Opset}{(model.Producer.Length > 0 ? $", written by {model.Producer}" : string.Empty)}", model, null);
    }

    // The first field is the version of the format, a small number.
    private static bool LooksLikeOnnx(byte[] begin) => begin is [0x08, < 64, ..];

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
