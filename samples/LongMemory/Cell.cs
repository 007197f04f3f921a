using Rnn.Layers;
using Rnn.Tensors;

namespace LongMemory;

/// <summary>How large a network is, how long its sequences are, and the bias that forget gates of LSTMs start with.</summary>
internal readonly record struct Sizes(int Inputs, int Units, int Length, double ForgetBias);

/// <summary>A recurrent network that is compared: the learning rate of Adam at which it is given its chance, and how it is made from sizes and a seed.</summary>
internal sealed record Cell(string Name, double LearningRate, Func<Sizes, ulong, SequenceLayer<float>> Create)
{
    internal static Cell[] All { get; } =
    [
        new("rnn", 1e-3, static (sizes, seed) => new SimpleRnn<float>(sizes.Inputs, sizes.Units, new() { Seed = seed })),
        new("irnn", 1e-4, static (sizes, seed) =>
            new SimpleRnn<float>(sizes.Inputs, sizes.Units, new() { Activation = Activation.Relu, Initialization = RecurrentInitialization.Identity, Seed = seed })),
        new("indrnn", 1e-3, IndependentRnn),
        new("gru", 1e-2, static (sizes, seed) => new Gru<float>(sizes.Inputs, sizes.Units, new() { Seed = seed })),
        new("lstm", 1e-2, static (sizes, seed) => new Lstm<float>(sizes.Inputs, sizes.Units, new() { ForgetBias = sizes.ForgetBias, Seed = seed })),
        new("lstm-peephole", 1e-2, static (sizes, seed) =>
            new Lstm<float>(sizes.Inputs, sizes.Units, new() { Peepholes = Peepholes.Diagonal, ForgetBias = sizes.ForgetBias, Seed = seed })),
        new("lstm-chrono", 1e-2, static (sizes, seed) =>
            new Lstm<float>(sizes.Inputs, sizes.Units, new() { Initialization = RecurrentInitialization.Chrono, ChronoSteps = Math.Max(3, sizes.Length), Seed = seed })),
        new("min-gru", 3e-3, static (sizes, seed) =>
            Scans(sizes.Units, new MinGru<float>(sizes.Inputs, sizes.Units, Scan(seed)), new MinGru<float>(sizes.Units, sizes.Units, Scan(seed + 1)))),
        new("min-lstm", 3e-3, static (sizes, seed) =>
            Scans(sizes.Units, new MinLstm<float>(sizes.Inputs, sizes.Units, Scan(seed)), new MinLstm<float>(sizes.Units, sizes.Units, Scan(seed + 1)))),
        new("rg-lru", 3e-3, static (sizes, seed) => new SequenceChain<float>(
            new Linear<float>(sizes.Inputs, sizes.Units, new() { Seed = seed }),
            new RgLru<float>(sizes.Units, new() { Seed = seed }),
            new LayerNorm<float>(sizes.Units),
            new RgLru<float>(sizes.Units, new() { Seed = seed + 1 }))),
    ];

    internal static Cell Named(string name) => All.Single(cell => cell.Name == name);

    private static ScanOptions Scan(ulong seed) => new() { ForgetBias = 3, Candidate = ScanCandidate.Identity, Seed = seed };

    // Gates that read no state see what came before only through a layer below.
    private static SequenceChain<float> Scans(int units, SequenceLayer<float> first, SequenceLayer<float> second) => new(first, new LayerNorm<float>(units), second);

    // Two layers; the recurrent weights start between 0 and 2^(1/T) in the first and close to 1 in the last, so that states live through the sequence (Li et al. 2018, section 5).
    private static IndRnn<float> IndependentRnn(Sizes sizes, ulong seed)
    {
        var layer = new IndRnn<float>(sizes.Inputs, sizes.Units, new() { Layers = 2, Seed = seed });
        var random = new RandomSource(seed).Split("recurrent weights");
        var most = Math.Pow(2, 1.0 / sizes.Length);
        foreach (var (name, weights) in layer.NamedParameters.Where(pair => pair.Key.StartsWith("u_l", StringComparison.Ordinal)))
        {
            using var edit = weights.Value.Edit();
            random.FillUniform(edit.Span, name.EndsWith("l1", StringComparison.Ordinal) ? 1 / most : 0, most);
        }

        return layer;
    }
}
