using System.Runtime.CompilerServices;
using Rnn.Layers;
using Rnn.Models;

namespace Rnn.Onnx.Tests.Export;

/// <summary>The example of the README is the one that is compiled and run here.</summary>
public class ReadmeTests
{
    [Fact]
    public void The_example_of_the_readme_runs()
    {
        string[] files = ["classifier.onnx", "stream.onnx"];
        try
        {
            // <example>
            var lstm = new Lstm<float>(inputSize: 32, hiddenSize: 64, new() { Bidirectional = true, Peepholes = Peepholes.Diagonal });
            var model = new SequenceClassifier<float>(vocabularySize: 500, lstm, classes: ["negative", "positive"]);

            // … train …
            model.SaveOnnx("classifier.onnx", new() { Lengths = true });   // tokens [batch, steps] and lengths [batch] → scores [batch, 2]

            // A live signal: states in, states out
            new Gru<float>(inputSize: 40, hiddenSize: 128).SaveOnnx("stream.onnx", new() { States = true, Opset = 18 });
            // </example>
            using var classifier = new RuntimeModel(File.ReadAllBytes(files[0]));
            Assert.Equal(["tokens", "lengths"], classifier.InputNames);
            var found = classifier.WithTokens("tokens", [1, 2, 3, 4], 2, 2).With("lengths", [2, 1], 2).Run();
            Assert.Equal([2, 2], found["scores"].Shape.Dimensions.ToArray());
            using var stream = new RuntimeModel(File.ReadAllBytes(files[1]));
            Assert.Equal(["output", "h_l0_next"], stream.OutputNames);
        }
        finally
        {
            Array.ForEach(files, File.Delete);
        }
    }

    [Fact]
    public void The_example_of_the_readme_is_the_one_above()
    {
        var source = File.ReadAllLines(ThisFile());
        var first = Array.FindIndex(source, line => line.EndsWith("// <example>", StringComparison.Ordinal)) + 1;
        var indent = source[first].Length - source[first].TrimStart().Length;
        var here = source[first..].TakeWhile(line => !line.EndsWith("// </example>", StringComparison.Ordinal)).Select(line => line.Length > indent ? line[indent..] : string.Empty);
        var readme = File.ReadAllText(Path.Combine(Path.GetDirectoryName(ThisFile())!, "..", "..", "..", "README.md")).ReplaceLineEndings("\n");
        Assert.Contains($"using Rnn.Onnx;\n\n{string.Join('\n', here)}\n```", readme, StringComparison.Ordinal);
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
