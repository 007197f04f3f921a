using System.Runtime.CompilerServices;
using Google.Protobuf;
using Rnn.Onnx.Tests.Support;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Onnx.Tests.Import;

/// <summary>The example of the README stands here as code that is compiled and run.</summary>
public sealed class ReadmeTests : IDisposable
{
    private readonly string _before = Environment.CurrentDirectory;
    private readonly string _folder = Directory.CreateTempSubdirectory("rnn-onnx-readme-").FullName;

    public void Dispose()
    {
        Environment.CurrentDirectory = _before;
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void The_example_runs_as_it_stands()
    {
        var readme = FindReadme();
        if (readme is not null)
        {
            var example = Section(File.ReadAllText(readme), "## Models from ONNX", "```cs\n", "```\n");
            var here = Section(File.ReadAllText(ThisFile()), "private static void Example()", "    {\n", "    }\n");
            Assert.Equal(example, string.Join('\n', here.Split('\n').Select(line => line.Length > 8 ? line[8..] : line.TrimStart())));
        }

        File.WriteAllBytes(Path.Combine(_folder, "denoiser.onnx"), Denoiser().ToByteArray());
        Environment.CurrentDirectory = _folder;
        Example();
    }

    private static void Example()
    {
        var model = OnnxModel.Load<float>("denoiser.onnx");
        Console.WriteLine(model);

        // Whole sequences at once, by the names of inputs and outputs
        var outputs = model.Run(("input", Tensor<float>.Zeros(1, 100, 40)), ("state_in", Tensor<float>.Zeros(1, 1, 32)));
        Tensor<float> mask = outputs["output"].Tensor;

        // Frame by frame: memory is allocated once, and the state that comes out goes in again
        var session = model.CreateSession(("input", new Shape(1, 1, 40)), ("state_in", new Shape(1, 1, 32)));
        session.CarryState("state_in", "state_out");
        var (frame, result) = (new float[40], new float[40]);
        session.Step(frame, result);

        // Trained on as any module is
        var optimizer = new Adam<float>(model) { LearningRate = 1e-4 };
        var loss = Loss.MeanSquaredError(model.Forward(("input", Tensor<float>.Ones(8, 100, 40)), ("state_in", Tensor<float>.Zeros(1, 8, 32)))["output"].Tensor, Tensor<float>.Zeros(8, 100, 40));
        loss.Backward();
        optimizer.Step();
    }

    private static Schema.ModelProto Denoiser() => Small.Model(Small.Graph(
        [
            Small.Node("Transpose", ["input"], ["steps"], ("perm", Small.Ints(1, 0, 2))),
            Small.Node("GRU", ["steps", "W", "R", string.Empty, string.Empty, "state_in"], ["Y", "state_out"], ("hidden_size", 32), ("linear_before_reset", 1)),
            Small.Node("Squeeze", ["Y", "axes"], ["sequence"]), Small.Node("Transpose", ["sequence"], ["batched"], ("perm", Small.Ints(1, 0, 2))),
            Small.Node("MatMul", ["batched", "head"], ["scores"]), Small.Node("Sigmoid", ["scores"], ["output"]),
        ],
        [Small.Info("input", OnnxElementType.Float, "batch", "steps", 40), Small.Info("state_in", OnnxElementType.Float, 1, "batch", 32)],
        [Small.Anything("output"), Small.Anything("state_out")],
        Small.Tensor("W", Small.Random(1, 1, 96, 40)), Small.Tensor("R", Small.Random(2, 1, 96, 32)), Small.Tensor("head", Small.Random(3, 32, 40)),
        Schema.TensorProtoConversion.Write("axes", [1], new Shape(1))));

    private static string Section(string text, string heading, string begin, string end)
    {
        var start = text.IndexOf(begin, text.IndexOf(heading, StringComparison.Ordinal), StringComparison.Ordinal) + begin.Length;
        return text[start..text.IndexOf(end, start, StringComparison.Ordinal)];
    }

    private static string ThisFile([CallerFilePath] string file = "") => file;

    private static string? FindReadme()
    {
        for (var folder = Path.GetDirectoryName(ThisFile()); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Rnn.sln")))
            {
                return Path.Combine(folder, "README.md");
            }
        }

        return null;
    }
}
