using Rnn.Cells;

namespace Rnn.Tests.Cells;

/// <summary>The cells that tests run over, by name.</summary>
internal static class TestCells
{
    /// <summary>All built-in cells, then with layer normalisation those that differ in more than their activation.</summary>
    public static IReadOnlyList<string> All { get; } = [.. CellCatalog.Names, .. CellCatalog.Names.Where(IsDistinct).Select(name => $"{name}-layernorm")];

    /// <summary>Whether a cell differs from the others in more than its activation, or stands for those that do not.</summary>
    public static bool IsDistinct(string name) =>
        !name.Contains("rnn-", StringComparison.Ordinal) || name.StartsWith("rnn-tanh", StringComparison.Ordinal) || name.StartsWith("indrnn-relu", StringComparison.Ordinal);
}
