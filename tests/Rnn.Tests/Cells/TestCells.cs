using Rnn.Cells;
using Rnn.Layers;
using Rnn.Tests.Oracles;

namespace Rnn.Tests.Cells;

/// <summary>The cells that tests run over, by name.</summary>
internal static class TestCells
{
    /// <summary>With layer normalisation, all built-in cells that differ in more than their activation.</summary>
    public static IReadOnlyList<string> Normalized { get; } = [.. CellCatalog.Names.Where(IsDistinct).Select(name => $"{name}-layernorm")];

    /// <summary>All built-in cells, then those with layer normalisation.</summary>
    public static IReadOnlyList<string> All { get; } = [.. CellCatalog.Names, .. Normalized];

    /// <summary>Whether a cell differs from the others in more than its activation, or stands for those that do not.</summary>
    public static bool IsDistinct(string name) => CellOracle.Named(name) switch
    {
        SimpleRnnOracle simple => simple.Function == Activation.Tanh,
        IndRnnOracle independent => independent.Function == Activation.Relu,
        _ => true,
    };
}
