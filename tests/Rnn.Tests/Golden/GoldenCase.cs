using System.Collections.Concurrent;
using System.Text.Json;

namespace Rnn.Tests.Golden;

/// <summary>One recurrent case of <c>cases.json</c>; its tensors lie in the file of its kind under its name.</summary>
internal sealed record GoldenCase(
    string Name, string Kind, int Layers, int Directions, int Batch, int Steps, int Inputs, int Hidden, int Projection, int[]? Lengths, bool State)
{
    private static readonly JsonSerializerOptions Options = new() { PropertyNameCaseInsensitive = true };
    private static readonly ConcurrentDictionary<string, GoldenFile> Files = new();

    public static IReadOnlyList<GoldenCase> All { get; } =
        JsonSerializer.Deserialize<GoldenCase[]>(GoldenFile.Resource("cases.json"), Options)!;

    public bool IsLstm => Kind.StartsWith("lstm", StringComparison.Ordinal);

    /// <summary>The width of h: the projection size where there is one.</summary>
    public int Visible => Projection > 0 ? Projection : Hidden;

    /// <summary>The suffixes of PyTorch's parameter names in the order of its states: l0, l0_reverse, l1, …</summary>
    public IEnumerable<string> Suffixes =>
        from layer in Enumerable.Range(0, Layers)
        from direction in Enumerable.Range(0, Directions)
        select direction == 0 ? $"l{layer}" : $"l{layer}_reverse";

    private GoldenFile File => Files.GetOrAdd(Kind, kind => GoldenFile.Open($"{kind}.safetensors"));

    public static GoldenCase Named(string name) => All.Single(golden => golden.Name == name);

    public bool Has(string tensor) => File.Has($"{Name}/{tensor}");

    public int[] Shape(string tensor) => File.Shape($"{Name}/{tensor}");

    public double[] Values(string tensor) => File.Values($"{Name}/{tensor}");

    public override string ToString() => Name;
}
