using System.CommandLine;
using Rnn.Layers;
using Rnn.Onnx;

namespace RnnTool;

/// <summary><c>rnn inspect FILE</c>: what a file holds.</summary>
internal static class InspectCommand
{
    internal static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "a model or a file of weights: .safetensors, .npz, .npy, .pt, .pth, .dat, .keras, .h5, .onnx" };
        var command = new Command("inspect", "Shows the layers, sizes and parameters of a file.") { file };
        command.SetAction(parsed => Run(parsed.GetRequiredValue(file)));
        return command;
    }

    private static int Run(string path)
    {
        using var opened = ModelFile.Open(path);
        Console.WriteLine($"{path}: {opened.Kind}");
        if (opened.Module is OnnxModel<float> onnx)
        {
            Lines("inputs", onnx.Inputs.Select(input => input.ToString()));
            Lines("outputs", onnx.Outputs.Select(output => output.ToString()));
        }

        if (opened.Module is { } module)
        {
            Console.WriteLine(module);
            Tensors(module.NamedParameters.Select(pair => (pair.Key, "F32", pair.Value.Shape.ToString(), pair.Value.Length)));
            return 0;
        }

        if (opened.KerasTensors is { } keras)
        {
            Tensors(keras.Select(pair => (pair.Key, "F32", pair.Value.Shape.ToString(), pair.Value.Length)));
            return 0;
        }

        var weights = opened.Weights!;
        Lines("metadata", weights.Metadata.Select(pair => $"{pair.Key} = {(pair.Value.Length > 100 ? $"{pair.Value[..100]}…" : pair.Value)}"));
        Lines("recurrent layers of PyTorch", PyTorchLayers.FindRecurrent(weights).Select(layer => $"{layer.Kind} at '{layer.Prefix}'"));
        Tensors(weights.Entries.Select(entry => (entry.Name, entry.Type.ToString(), entry.Shape.ToString(), entry.Shape.ElementCount)));
        return 0;
    }

    private static void Lines(string title, IEnumerable<string> lines)
    {
        foreach (var (i, line) in lines.Index())
        {
            Console.WriteLine($"{(i == 0 ? $"{title}:" : string.Empty)}\n  {line}".TrimStart('\n'));
        }
    }

    private static void Tensors(IEnumerable<(string Name, string Type, string Shape, int Length)> tensors)
    {
        var all = tensors.ToList();
        var (name, type) = (all.Select(tensor => tensor.Name.Length).DefaultIfEmpty().Max(), all.Select(tensor => tensor.Type.Length).DefaultIfEmpty().Max());
        foreach (var tensor in all)
        {
            Console.WriteLine($"  {tensor.Name.PadRight(name)}  {tensor.Type.PadRight(type)}  {tensor.Shape}");
        }

        Console.WriteLine($"{all.Count} tensors, {all.Sum(tensor => (long)tensor.Length):N0} numbers");
    }
}
