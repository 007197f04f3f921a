using System.Numerics;
using Rnn.Cells;
using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Tests.Oracles;

namespace Rnn.Tests.Cells;

/// <summary>The cells that tests run over, by name.</summary>
internal static class TestCells
{
    /// <summary>With layer normalisation, all built-in cells that differ in more than their activation.</summary>
    public static IReadOnlyList<string> Normalized { get; } = [.. CellCatalog.Names.Where(IsDistinct).Select(name => $"{name}-layernorm")];

    /// <summary>All built-in cells, then those with layer normalisation.</summary>
    public static IReadOnlyList<string> All { get; } = [.. CellCatalog.Names, .. Normalized];

    /// <summary>Random states of a layer: normal, but for a normaliser, which is a sum of positive numbers.</summary>
    public static void FillStates(RandomSource random, SequenceState<double> state)
    {
        foreach (var name in state.Names)
        {
            if (IsNormalizer(name))
            {
                random.FillUniform(state[name].AsSpan(), 0.5, 2);
            }
            else
            {
                random.FillNormal(state[name].AsSpan());
            }
        }
    }

    /// <summary>Random parameters of a module within ±<paramref name="limit"/>, but for learned normalisers.</summary>
    public static void FillParameters<T>(RandomSource random, Module<T> module, double limit)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (var (name, parameter) in module.NamedParameters)
        {
            var isNormalizer = name.Contains("initial_", StringComparison.Ordinal) && IsNormalizer(name[(name.IndexOf("initial_", StringComparison.Ordinal) + "initial_".Length)..]);
            random.FillUniform(parameter.Value.AsSpan(), isNormalizer ? 0.5 : -limit, isNormalizer ? 2 : limit);
        }
    }

    private static bool IsNormalizer(string state) => state.StartsWith("n_", StringComparison.Ordinal);

    /// <summary>Whether a cell differs from the others in more than its activation, or stands for those that do not.</summary>
    public static bool IsDistinct(string name) => CellOracle.Named(name) switch
    {
        SimpleRnnOracle simple => simple.Function == Activation.Tanh,
        IndRnnOracle independent => independent.Function == Activation.Relu,
        _ => true,
    };
}
