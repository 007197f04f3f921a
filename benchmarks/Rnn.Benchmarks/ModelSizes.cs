using System.Text.Json;
using Rnn.Measure;

namespace Rnn.Benchmarks;

/// <summary>The sizes of a language model and of its batches, one entry of benchmarks/shapes/models.json, which the peer reads too.</summary>
/// <param name="Name">The name of the model.</param>
/// <param name="Vocabulary">The number of tokens V.</param>
/// <param name="Embedding">The size of the embedding.</param>
/// <param name="Hidden">The hidden size H.</param>
/// <param name="Layers">The number of stacked LSTM layers.</param>
/// <param name="Rows">The number of batch rows N.</param>
/// <param name="Steps">The number of steps T.</param>
internal sealed record ModelSizes(string Name, int Vocabulary, int Embedding, int Hidden, int Layers, int Rows, int Steps)
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNameCaseInsensitive = true };

    /// <summary>The file of all models, a copy of which lies beside the program.</summary>
    public static string File { get; } = Path.Combine(AppContext.BaseDirectory, "models.json");

    /// <summary>The models of the names given, all where there are none.</summary>
    public static IReadOnlyList<ModelSizes> Read(string[] names)
    {
        var all = JsonSerializer.Deserialize<List<ModelSizes>>(global::System.IO.File.ReadAllText(File), Json)!;
        return names.Except(all.Select(model => model.Name)).FirstOrDefault() is { } missing
            ? throw new UsageException($"--names: expected {string.Join(", ", all.Select(model => model.Name))} but got '{missing}'.")
            : [.. all.Where(model => names.Length == 0 || names.Contains(model.Name))];
    }
}
