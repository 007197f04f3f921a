using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Golden;

/// <summary>
/// Twenty steps of truncated backpropagation through time of a two-layer LSTM, with SGD, clipping and carried state, against PyTorch with
/// its second bias frozen at zero.
/// </summary>
public class TrainingGoldenTests
{
    private static readonly GoldenFile File = GoldenFile.Open("training.safetensors");

    [Fact]
    public void Twenty_steps_are_those_of_PyTorch_in_double() => Check<double>(1e-10);

    [Fact]
    public void Twenty_steps_are_those_of_PyTorch_in_float() => Check<float>(1e-5);

    private static void Check<T>(double tolerance)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var model = new Model<T>();
        foreach (var (name, parameter) in model.NamedParameters)
        {
            var values = File.Values($"initial.{PyTorchName(name)}");
            Array.ConvertAll(values, T.CreateTruncating).CopyTo(parameter.Value.AsSpan());
        }

        var (tokens, batch, length) = (File.Integers("tokens"), File.Shape("tokens")[0], File.Shape("tokens")[1]);
        var (losses, norms) = (File.Values("losses"), File.Values("norms"));
        var window = (length - 1) / losses.Length;
        var maxNorm = File.Values("max_norm")[0];
        Assert.Contains(norms, norm => norm > maxNorm);
        Assert.Contains(norms, norm => norm < maxNorm);
        var optimizer = new Sgd<T> { LearningRate = File.Values("learning_rate")[0] };
        optimizer.Attach(model);

        var state = model.Lstm.ZeroState(batch);
        for (var step = 0; step < losses.Length; step++)
        {
            int[] inputs = Window(step * window), targets = Window((step * window) + 1);
            var output = model.Lstm.Forward(model.Embedding.Forward(inputs, new(batch, window)), default, state);
            state = output.FinalState.Detach();
            var loss = Loss.CrossEntropy(model.Head.Forward(output.Output), targets);
            optimizer.ZeroGradients();
            loss.Backward();
            var norm = GradientClipping.ByGlobalNorm(optimizer, maxNorm);
            optimizer.Step();
            GoldenAssert.Close([losses[step]], loss.AsReadOnlySpan(), tolerance, $"loss of step {step}");
            GoldenAssert.Close([norms[step]], [norm], tolerance, $"gradient norm of step {step}");
        }

        foreach (var (name, parameter) in model.NamedParameters)
        {
            GoldenAssert.Close(File.Values($"final.{PyTorchName(name)}"), parameter.Value.AsReadOnlySpan(), tolerance, $"final {name}");
        }

        GoldenAssert.Close(File.Values("final.h"), Tensor<T>.Stack([state.Hidden(0), state.Hidden(1)]).AsReadOnlySpan(), tolerance, "final h");
        GoldenAssert.Close(File.Values("final.c"), Tensor<T>.Stack([state.Cell(0), state.Cell(1)]).AsReadOnlySpan(), tolerance, "final c");

        int[] Window(int start) => [.. Enumerable.Range(0, batch).SelectMany(row => tokens.AsSpan((row * length) + start, window).ToArray())];
    }

    private static string PyTorchName(string name) => name.Replace("lstm.bias_l", "lstm.bias_ih_l", StringComparison.Ordinal);

    private sealed class Model<T> : Module<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public Model()
        {
            Embedding = AddModule("embedding", new Embedding<T>(11, 8));
            Lstm = AddModule("lstm", new Lstm<T>(8, 16, new() { Layers = 2 }));
            Head = AddModule("head", new Linear<T>(16, 11));
        }

        public Embedding<T> Embedding { get; }

        public Lstm<T> Lstm { get; }

        public Linear<T> Head { get; }
    }
}
