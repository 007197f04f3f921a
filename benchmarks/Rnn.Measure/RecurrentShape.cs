using System.Text.Json;
using System.Text.Json.Serialization;

namespace Rnn.Measure;

/// <summary>One entry of a file of shapes. The peers' programs read the same files; some fields are for the library alone.</summary>
internal sealed record RecurrentShape
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNameCaseInsensitive = true, ReadCommentHandling = JsonCommentHandling.Skip };

    /// <summary>The name of the shape.</summary>
    public required string Name { get; init; }

    /// <summary>RNN, LSTM or GRU.</summary>
    public required string Kind { get; init; }

    /// <summary>The name of a cell of the library that replaces the plain cell of the kind.</summary>
    public string? Cell { get; init; }

    /// <summary>The number of stacked layers.</summary>
    public int Layers { get; init; } = 1;

    /// <summary>The number of steps T.</summary>
    public int Steps { get; init; }

    /// <summary>The number of batch rows N.</summary>
    public int Batch { get; init; }

    /// <summary>The input size I.</summary>
    public int Input { get; init; }

    /// <summary>The hidden size H.</summary>
    public int Hidden { get; init; }

    /// <summary>The size that hidden states are projected to, or 0.</summary>
    public int Projection { get; init; }

    /// <summary>Whether there are two directions.</summary>
    public bool Bidirectional { get; init; }

    /// <summary>Whether lengths are drawn evenly from 1 to T; else all are T.</summary>
    public bool Ragged { get; init; }

    /// <summary>The cell's name in the library.</summary>
    [JsonIgnore]
    public string CellName => Cell ?? Kind.ToUpperInvariant() switch
    {
        "LSTM" => "lstm",
        "GRU" => "gru",
        "RNN" => "rnn-tanh",
        _ => throw new UsageException($"kind: expected RNN, LSTM or GRU but shape '{Name}' has '{Kind}'."),
    };

    /// <summary>The length of each row, empty where all are T; the same for every run.</summary>
    [JsonIgnore]
    public int[] Lengths
    {
        get
        {
            var random = new Random(5);
            return Ragged ? [.. Enumerable.Range(0, Batch).Select(_ => 1 + random.Next(Steps))] : [];
        }
    }

    /// <summary>Whether the shape is one step of one row: the streaming case.</summary>
    [JsonIgnore]
    public bool IsStream => Steps == 1 && Batch == 1 && !Bidirectional;

    /// <summary>Reads a file of shapes.</summary>
    /// <param name="file">A JSON array.</param>
    /// <param name="names">The shapes wanted, empty for all.</param>
    /// <exception cref="UsageException">There is no such file, it is not a file of shapes, or it has no shape of a wanted name.</exception>
    public static IReadOnlyList<RecurrentShape> Read(string file, IReadOnlyCollection<string> names)
    {
        if (!File.Exists(file))
        {
            throw new UsageException($"there is no file '{file}'; give a JSON file of shapes.");
        }

        try
        {
            var all = JsonSerializer.Deserialize<List<RecurrentShape>>(File.ReadAllText(file), Json) ?? [];
            var missing = names.Except(all.Select(shape => shape.Name)).ToArray();
            return missing.Length > 0
                ? throw new UsageException($"'{file}' has no shape '{missing[0]}'; it has {string.Join(", ", all.Select(shape => shape.Name))}.")
                : names.Count == 0 ? all : [.. all.Where(shape => names.Contains(shape.Name))];
        }
        catch (JsonException wrong)
        {
            throw new UsageException($"'{file}' is not a file of shapes: {wrong.Message}");
        }
    }
}
