using System.Diagnostics;
using System.Runtime.CompilerServices;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;

namespace Rnn.Onnx.Tests.Export;

/// <summary>What the checker of the onnx package for Python says to exported files; it is the reference for what a valid file is.</summary>
public class CheckerTests
{
    private static readonly string[] Pythons = ["/usr/bin/python3", "python3"];

    [CheckerFact]
    public void The_checker_of_the_onnx_package_accepts_every_form()
    {
        var characters = CharVocabulary.FromText("abc", new() { BeginAndEnd = true });
        var modules = new Dictionary<string, Module<float>>
        {
            ["lstm"] = new Lstm<float>(3, 4, new() { Layers = 2, Bidirectional = true, Peepholes = Peepholes.Diagonal, CoupledGates = true }),
            ["gru"] = new Gru<float>(3, 4, new() { LearnedInitialState = true }),
            ["rnn"] = new SimpleRnn<float>(3, 4, new() { Activation = Activation.HardSigmoid, Bidirectional = true }),
            ["loop"] = new Lstm<float>(3, 4, new() { ProjectionSize = 2, LayerNormalization = true, Peepholes = Peepholes.Full }),
            ["slstm"] = new SLstm<float>(4, 4, new() { Heads = 2, Residual = true }),
            ["chain"] = new SequenceChain<float>(new MinGru<float>(3, 4), new RmsNorm<float>(4), new RgLru<float>(4), new CausalConvolution<float>(4, 3, new() { KernelSize = 3, Dilation = 2 })),
            ["wavenet"] = new WaveNet<float>(3, new() { Blocks = 1, LayersPerBlock = 2 }),
            ["language"] = new LanguageModel<float>(9, new Gru<float>(4, 4), new() { TieWeights = true }),
            ["classifier"] = new SequenceClassifier<float>(9, new Gru<float>(4, 4), ["a", "b"], new() { Pooling = PoolingKind.Attention }),
            ["tagger"] = new SequenceTagger<float>(WordVocabulary.FromWords(["a", "b"]), new Gru<float>(4, 4), ["x", "y"], new() { ConditionalRandomField = true }),
            ["transcriber"] = new SequenceTranscriber<float>(new Gru<float>(6, 4), CharVocabulary.FromText("abc"), new() { FrameStacking = 2 }),
            ["forecaster"] = new Forecaster<float>(new("x", Numbers.Random(1, 40).ToArray()), 6, 3, new Gru<float>(1, 4), new() { AutoregressiveSteps = 2 }),
            ["memory"] = new MemoryNetwork<float>(WordVocabulary.FromWords(["a", "b"])),
            ["attention"] = new AdditiveAttention<float>(3, 4, 5),
            ["norms"] = new Sequential<float>(new Linear<float>(3, 6), new LayerNorm<float>(6), new RmsNorm<float>(6, new() { Groups = 2 }), new ActivationLayer<float>(Activation.Gelu), new AdaptiveSoftmax<float>(6, 9, new() { Cutoffs = [3] })),
        };
        var translator = new EncoderDecoder<float>(characters, characters, new Lstm<float>(3, 4), new Lstm<float>(7, 4), new() { InputFeeding = true });
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            foreach (var opset in new[] { 14, 17 })
            {
                foreach (var (name, module) in modules)
                {
                    var reads = module is SequenceLayer<float> or LanguageModel<float>;
                    module.SaveOnnx(Path.Combine(folder.FullName, $"{name}{opset}.onnx"), new() { Opset = opset });
                    module.SaveOnnx(
                        Path.Combine(folder.FullName, $"{name}{opset}-ragged.onnx"), new() { Opset = opset, States = reads, Lengths = module is not (Forecaster<float> or MemoryNetwork<float>) });
                }

                translator.SaveOnnx(Path.Combine(folder.FullName, $"encoder{opset}.onnx"), Path.Combine(folder.FullName, $"decoder{opset}.onnx"), new() { Opset = opset, Lengths = true });
            }

            var (exitCode, output) = Run(Python!, [Script(), .. Directory.GetFiles(folder.FullName).Order()]);
            Assert.True(exitCode == 0, output);
            Assert.Equal(Directory.GetFiles(folder.FullName).Length, output.Split("ok,").Length - 1);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string? Python => Array.Find(Pythons, python =>
    {
        try
        {
            return Run(python, ["-c", "import onnx"]).ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    });

    private static string Script([CallerFilePath] string path = "") => Path.Combine(Path.GetDirectoryName(path)!, "..", "check_onnx.py");

    private static (int ExitCode, string Output) Run(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.GetAwaiter().GetResult());
    }

    private sealed class CheckerFactAttribute : FactAttribute
    {
        public CheckerFactAttribute() => Skip = Python is null ? "The onnx package for Python is not installed (Debian: python3-onnx)." : null;
    }
}
