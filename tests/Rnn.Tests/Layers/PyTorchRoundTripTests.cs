using System.Globalization;
using Rnn.Formats;
using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Tests.Architecture;
using Rnn.Tests.Golden;

namespace Rnn.Tests.Layers;

/// <summary>Weights to real PyTorch and back.</summary>
public sealed class PyTorchRoundTripTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("rnn-round-trip-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // Kind, layers, directions, bias, projection and sizes at random; rows of several lengths.
    [PyTorchFact]
    public void Two_hundred_layers_give_the_same_in_PyTorch_and_back()
    {
        var random = new RandomSource(7);
        var cases = new List<(string Name, int Kind, RecurrentLayer<float> Layer, Tensor<float> X, int[] Lengths)>();
        for (var i = 0; i < 200; i++)
        {
            var (kind, layers, directions, bias) = (random.Next(4), 1 + random.Next(3), 1 + random.Next(2), random.Next(4) > 0);
            var (inputs, hidden, rows, steps) = (1 + random.Next(129), 2 + random.Next(128), 1 + random.Next(6), 1 + random.Next(9));
            var projection = kind == 0 && random.Next(2) == 0 ? 1 + random.Next(hidden - 1) : 0;
            var layer = Make(kind, inputs, hidden, layers, directions, bias, projection, seed: (ulong)i);
            var x = Tensor<float>.RandomNormal(random, 0, 1, rows, steps, inputs);
            int[] lengths = [.. Enumerable.Range(0, rows).Select(_ => 1 + random.Next(steps))];
            lengths[random.Next(rows)] = steps;
            var name = string.Create(CultureInfo.InvariantCulture, $"{i:D3}_kind{kind}_l{layers}d{directions}i{inputs}h{hidden}p{projection}b{(bias ? 1 : 0)}");
            var path = Path.Combine(_folder, name);
            WeightFile.Write($"{path}.pt", layer.ToPyTorch());
            var result = layer.Forward(x, lengths);
            NumPy.WriteArchive<float>($"{path}.npz",
            [
                new("facts", Tensor<float>.From([kind, layers, directions, inputs, hidden, projection, bias ? 1 : 0], 7)), new("x", x), new("lengths", Tensor<float>.From([.. lengths.Select(length => (float)length)], rows)),
                new("output", result.Output), new("hidden", result.FinalState.StackHidden()),
            ]);
            cases.Add((name, kind, layer, x, lengths));
        }

        var words = PyTorchFactAttribute.Run(Path.Combine(SourceTree.Root!, "tests", "Rnn.Tests", "Golden", "pytorch_round_trip.py"), _folder).Split(' ', 3);
        var (worst, where) = (0.0, string.Empty);
        foreach (var (name, kind, layer, x, lengths) in cases)
        {
            using var file = WeightFile.Open(Path.Combine(_folder, $"{name}.back.pt"));
            using var expected = WeightFile.Open(Path.Combine(_folder, $"{name}.back.npz"));
            RecurrentLayer<float> back = kind switch
            {
                0 => Lstm<float>.FromPyTorch(file),
                1 => Gru<float>.FromPyTorch(file),
                _ => SimpleRnn<float>.FromPyTorch(file, options: new() { Activation = kind == 2 ? Activation.Tanh : Activation.Relu }),
            };
            Assert.Equal(layer.ToString(), back.ToString());
            var result = back.Forward(x, lengths);
            foreach (var (actual, key) in new[] { (result.Output, "output"), (result.FinalState.StackHidden(), "hidden") })
            {
                var there = expected.Get<float>(key);
                Assert.Equal(there.Shape, actual.Shape);
                for (var i = 0; i < actual.Length; i++)
                {
                    var error = Math.Abs(actual.AsReadOnlySpan()[i] - there.AsReadOnlySpan()[i]) / (1 + Math.Abs(there.AsReadOnlySpan()[i]));
                    (worst, where) = error <= worst ? (worst, where) : (error, $"{name} {key}");
                }
            }
        }

        Console.WriteLine($"There: {string.Join(' ', words).Trim()}. Back: worst {worst:G3} in {where}.");
        Assert.InRange(double.Parse(words[1], CultureInfo.InvariantCulture), 0, 1e-5);
        Assert.InRange(worst, 0, 1e-5);
    }

    private static RecurrentLayer<float> Make(int kind, int inputs, int hidden, int layers, int directions, bool bias, int projection, ulong seed) => kind switch
    {
        0 => new Lstm<float>(inputs, hidden, new() { Layers = layers, Bidirectional = directions == 2, Bias = bias, ProjectionSize = projection, Initialization = RecurrentInitialization.Uniform, Seed = seed }),
        1 => new Gru<float>(inputs, hidden, new() { Layers = layers, Bidirectional = directions == 2, Bias = bias, Initialization = RecurrentInitialization.Uniform, Seed = seed }),
        _ => new SimpleRnn<float>(
            inputs, hidden, new() { Activation = kind == 2 ? Activation.Tanh : Activation.Relu, Layers = layers, Bidirectional = directions == 2, Bias = bias, Initialization = RecurrentInitialization.Uniform, Seed = seed }),
    };
}
