using Rnn.Layers;
using Rnn.Tensors;

namespace CharRnn;

/// <summary>Stacks of layers whose gates read the input alone: each above the first in a residual connection, behind a normalisation, as deep stacks of them are built.</summary>
internal static class Scans
{
    private const int Heads = 8;

    /// <summary>The names on the command line.</summary>
    internal static IReadOnlyList<string> Names { get; } = ["min-gru", "min-lstm", "rg-lru"];

    /// <summary>A stack of one kind.</summary>
    internal static SequenceChain<float> Create(string name, int inputSize, int hiddenSize, int layers, double dropout, ulong seed)
    {
        var random = new RandomSource(seed);
        var stack = new List<Layer<float>>();
        if (name == "rg-lru")
        {
            // Its state has the size of its input.
            stack.Add(new Linear<float>(inputSize, hiddenSize, new() { Random = random.Split("input") }));
        }

        stack.Add(Layer(name == "rg-lru" ? hiddenSize : inputSize, 0));
        for (var i = 1; i < layers; i++)
        {
            var norm = new RmsNorm<float>(hiddenSize);
            stack.Add(dropout > 0
                ? new Residual<float>(norm, new Dropout<float>(dropout, random.Split("dropout").Split((ulong)i)), Layer(hiddenSize, i))
                : new Residual<float>(norm, Layer(hiddenSize, i)));
        }

        stack.Add(new RmsNorm<float>(hiddenSize));
        return new(inputSize, [.. stack]);

        SequenceLayer<float> Layer(int size, int index)
        {
            var source = random.Split("layer").Split((ulong)index);
            return name switch
            {
                "min-gru" => new MinGru<float>(size, hiddenSize, new() { Random = source }),
                "min-lstm" => new MinLstm<float>(size, hiddenSize, new() { Random = source }),

                // Gates in heads, as in its paper.
                _ => new RgLru<float>(size, new() { Heads = size % Heads == 0 ? Heads : 1, Random = source }),
            };
        }
    }
}
