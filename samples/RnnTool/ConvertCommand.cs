using System.CommandLine;
using Rnn.Formats;
using Rnn.Keras;
using Rnn.Layers;
using Rnn.Onnx;
using Samples;

namespace RnnTool;

/// <summary><c>rnn convert IN OUT</c>: a model, or its weights alone, in another format.</summary>
internal static class ConvertCommand
{
    internal static Command Create()
    {
        var from = new Argument<string>("IN") { Description = "the file to read" };
        var to = new Argument<string>("OUT") { Description = "the file to write; its end says the format: .safetensors, .npz, .pt, .onnx, .keras" };
        var opset = InputOptions.Whole<int>("--opset", "N", $"the operator set of a .onnx file; {OnnxExportOptions.MinOpset} to {OnnxExportOptions.MaxOpset}", OnnxExportOptions.MinOpset);
        var pytorch = new Option<bool>("--pytorch") { Description = "write the weights of a .safetensors file under PyTorch's names" };
        var command = new Command("convert", "Writes a model, or its weights, in another format.") { from, to, opset, pytorch };
        LayerOptions.AddTo(command);
        command.SetAction(parsed => Run(parsed.GetRequiredValue(from), parsed.GetRequiredValue(to), LayerOptions.Read(parsed), parsed.GetValue(opset), parsed.GetValue(pytorch)));
        return command;
    }

    private static int Run(string from, string to, LayerOptions options, int? opset, bool pytorch)
    {
        InputFiles.CheckSavePath("OUT", to);
        using var file = ModelFile.Open(from);
        try
        {
            var written = Write(file, from, to, options, opset, pytorch);
            Console.WriteLine($"{written} in {Path.GetFullPath(to)}");
            return 0;
        }
        catch (Exception error) when (error is NotSupportedException or ArgumentException or InvalidDataException or IOException)
        {
            throw ToolErrors.Input(error);
        }
    }

    private static string Write(ModelFile file, string from, string to, LayerOptions options, int? opset, bool pytorch)
    {
        switch (Path.GetExtension(to).ToLowerInvariant())
        {
            case ".onnx":
                file.RequireModule(from, options).SaveOnnx(to, new() { Opset = opset ?? new OnnxExportOptions().Opset });
                return "a model of ONNX operators";
            case ".keras":
                var network = file.RequireModule(from, options) switch
                {
                    Sequential<float> sequential => sequential,
                    OnnxModel<float> => throw new InputException($"{from}: a model of ONNX is a graph of operators and no chain of layers, as Keras' sequential models are."),
                    Layer<float> layer => new Sequential<float>(layer),
                    var other => throw new InputException($"{from}: {other.GetType().Name.Split('`')[0]} is no chain of layers, as Keras' sequential models are."),
                };
                new KerasModel<float>(network).Save(to);
                return "a model of Keras";
            case ".safetensors" when !pytorch && (file.Module is not null || options.Prefix is not null):
                file.RequireModule(from, options).Save(to);
                return "a model of this library";
            case ".safetensors" or ".npz" or ".pt" or ".pth":
                var tensors = file.Module is { } module ? module.ToPyTorch() : file.Tensors();
                WeightFile.Write(to, tensors);
                return $"{tensors.Count} tensors{(file.Module is null ? string.Empty : " under PyTorch's names")}";
            default:
                throw new InputException($"OUT: {to} ends with none of .safetensors, .npz, .pt, .pth, .onnx, .keras.");
        }
    }
}
