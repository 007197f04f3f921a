using Rnn.Layers;
using Rnn.Tensors;

namespace Gradients;

/// <summary>The networks that are compared, all of 64 units.</summary>
internal static class Networks
{
    internal const int Units = 64;

    internal static (string Name, SequenceLayer<float> Layer)[] All(ulong seed) =>
    [
        ("RNN, orthogonal × 0.5", Plain(gaussian: false, 0.5, seed)),
        ("RNN, orthogonal × 1", Plain(gaussian: false, 1, seed)),
        ("RNN, orthogonal × 2", Plain(gaussian: false, 2, seed)),
        ("RNN, Gaussian × 0.5", Plain(gaussian: true, 0.5, seed)),
        ("RNN, Gaussian × 1", Plain(gaussian: true, 1, seed)),
        ("RNN, Gaussian × 2", Plain(gaussian: true, 2, seed)),
        ("LSTM", Lstm(seed)),
        ("GRU", new Gru<float>(2, Units, new() { Seed = seed })),
    ];

    internal static Lstm<float> Lstm(ulong seed) => new(2, Units, new() { Seed = seed });

    // An orthogonal matrix keeps every length; of a Gaussian one with variance 1/H the eigenvalues fill the disc of radius one, and the norm is about two.
    internal static SimpleRnn<float> Plain(bool gaussian, double scale, ulong seed)
    {
        var layer = new SimpleRnn<float>(2, Units, new() { Seed = seed });
        using var edit = layer.NamedParameters.Single(pair => pair.Key == "weight_hh_l0").Value.Value.Edit();
        if (gaussian)
        {
            new RandomSource(seed).FillNormal(edit.Span, 0, 1 / Math.Sqrt(Units));
        }

        foreach (ref var weight in edit.Span)
        {
            weight *= (float)scale;
        }

        return layer;
    }
}
