using Rnn.Layers;
using Rnn.Tensors;

namespace CharRnn;

/// <summary>Stacks of layers whose gates read the input alone: normalised between two, as their papers do.</summary>
internal static class Scans
{
    /// <summary>The names on the command line.</summary>
    internal static IReadOnlyList<string> Names { get; } = ["min-gru", "min-lstm", "rg-lru"];

    /// <summary>A stack of one kind.</summary>
    internal static SequenceChain<float> Create(string name, int inputSize, int hiddenSize, int layers, double dropout, ulong seed)
    {
        var random = new RandomSource(seed);
        var embedding = inputSize;
        var stack = new List<Layer<float>>();
        if (name == "rg-lru")
        {
            // Its state has the size of its input.
            stack.Add(new Linear<float>(inputSize, hiddenSize, new() { Random = random.Split("input") }));
            inputSize = hiddenSize;
        }

        for (var i = 0; i < layers; i++)
        {
            if (i > 0)
            {
                stack.Add(new LayerNorm<float>(hiddenSize));
                if (dropout > 0)
                {
                    stack.Add(new Dropout<float>(dropout, random.Split("dropout").Split((ulong)i)));
                }
            }

            var (size, source) = (i > 0 ? hiddenSize : inputSize, random.Split("layer").Split((ulong)i));
            stack.Add(name switch
            {
                "min-gru" => new MinGru<float>(size, hiddenSize, new() { Random = source }),
                "min-lstm" => new MinLstm<float>(size, hiddenSize, new() { Random = source }),
                _ => new RgLru<float>(size, new() { Random = source }),
            });
        }

        return new(embedding, [.. stack]);
    }
}
