using System.CommandLine;
using Rnn.Formats;
using Rnn.Layers;
using Rnn.Onnx;
using Rnn.Tensors;
using Samples;

namespace RnnTool;

/// <summary><c>rnn run MODEL --input X.npy --output Y.npy</c>: the outputs of a model for arrays of NumPy.</summary>
internal static class RunCommand
{
    internal static Command Create()
    {
        var model = new Argument<string>("MODEL") { Description = "the model" };
        var inputs = new Option<string[]>("--input", "-i") { HelpName = "[NAME=]FILE", Description = "an array for an input, .npy; once for each input", Required = true };
        var outputs = new Option<string[]>("--output", "-o") { HelpName = "[NAME=]FILE", Description = "where an output goes, .npy; without it shapes are shown" };
        var lengths = InputOptions.Text("--lengths", "FILE", "the number of steps of each row, for batches of unequal sequences");
        var command = new Command("run", "Runs a model on arrays of NumPy.") { model, inputs, outputs, lengths };
        LayerOptions.AddTo(command);
        command.SetAction(parsed => Run(
            parsed.GetRequiredValue(model), parsed.GetRequiredValue(inputs), parsed.GetValue(outputs) ?? [], LayerOptions.Read(parsed), parsed.GetValue(lengths)));
        return command;
    }

    private static int Run(string path, string[] inputs, string[] outputs, LayerOptions options, string? lengths)
    {
        using var file = ModelFile.Open(path);
        var module = file.RequireModule(path, options);
        try
        {
            var results = Results(module, [.. inputs.Select(Split)], lengths is null ? [] : Integers(lengths));
            foreach (var (name, to) in outputs.Select(Split))
            {
                var result = name is null ? results[0] : results.FirstOrDefault(result => result.Key == name);
                NumPy.Write(to, result.Value ?? throw new InputException($"--output: the model has no output '{name}'; it has {string.Join(", ", results.Select(result => result.Key))}."));
            }

            results.ForEach(result => Console.WriteLine($"{result.Key} {result.Value.Shape}"));
            Array.ForEach(outputs, output => Console.WriteLine($"written to {Path.GetFullPath(Split(output).File)}"));
            return 0;
        }
        catch (Exception error) when (error is ArgumentException or InvalidDataException or IOException or NotSupportedException or InvalidOperationException)
        {
            throw ToolErrors.Input(error);
        }
    }

    // A layer runs itself; any other model as the operators that it is exported as.
    private static List<KeyValuePair<string, Tensor<float>>> Results(Module<float> module, (string? Name, string File)[] inputs, int[] lengths)
    {
        using var off = NoGradient.Enter();
        switch (module)
        {
            case SequenceLayer<float> layer:
                return [new("output", layer.Forward(Tensor(inputs[0].File), lengths).Output)];
            case Layer<float> layer and not OnnxModel<float> when !TakesTokens(layer):
                return [new("output", layer.Forward(Tensor(inputs[0].File)))];
        }

        var model = module as OnnxModel<float> ?? OnnxModel.Load<float>(module.ToOnnx());
        var values = inputs.Select((input, i) =>
        {
            var info = input.Name is null
                ? model.Inputs.ElementAtOrDefault(i) ?? throw new InputException($"--input: the model has {model.Inputs.Count} inputs.")
                : model.Inputs.FirstOrDefault(known => known.Name == input.Name) ?? throw new InputException($"--input: the model has no input '{input.Name}'; it has {string.Join(", ", model.Inputs)}.");
            return (info.Name, Value(info, input.File));
        });
        return [.. model.Run([.. values]).Where(result => result.Value is not null).Select(result => KeyValuePair.Create(result.Key, Numbers(result.Value)))];
    }

    private static bool TakesTokens(Layer<float> layer) => layer is Sequential<float> and [Embedding<float>, ..];

    private static OnnxValue<float> Value(OnnxValueInfo info, string path)
    {
        var tensor = Tensor(path);
        return info.ElementType is OnnxElementType.Float or OnnxElementType.Double or OnnxElementType.Float16 or OnnxElementType.BFloat16
            ? tensor
            : OnnxValue<float>.FromIntegers(Array.ConvertAll(tensor.ToArray(), value => (long)value), tensor.Shape);
    }

    private static Tensor<float> Numbers(OnnxValue<float> value) =>
        value.IsFloatingPoint ? value.Tensor : Tensor<float>.From(Array.ConvertAll(value.Integers.ToArray(), number => (float)number), value.Shape);

    private static Tensor<float> Tensor(string path)
    {
        using var file = WeightFile.Open(path);
        return file.Get<float>();
    }

    private static int[] Integers(string path) => Array.ConvertAll(Tensor(path).ToArray(), value => (int)value);

    private static (string? Name, string File) Split(string text) => text.Split('=', 2) is [var name, var file] ? (name, file) : (null, text);
}
