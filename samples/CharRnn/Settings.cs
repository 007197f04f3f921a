using Rnn.Cells;
using Rnn.Layers;
using Rnn.Training;
using Samples;

namespace CharRnn;

/// <summary>The settings that the command line gives; null stands for what the text decides.</summary>
internal sealed record Settings
{
    internal const string ProjectedLstm = "lstm-projection";

    /// <summary>Every cell of the library, also with layer normalisation, the LSTM whose hidden state is projected to half its size, and the layers whose gates read the input alone.</summary>
    internal static IReadOnlyList<string> Cells { get; } = [.. CellCatalog.Names, .. CellCatalog.Names.Select(name => $"{name}-layernorm"), ProjectedLstm, .. Scans.Names];

    public string? Text { get; init; }

    public string? Cell { get; init; }

    public int? Hidden { get; init; }

    public int? Layers { get; init; }

    public int? Embedding { get; init; }

    public long? Steps { get; init; }

    public TimeSpan? Time { get; init; }

    public int? Batch { get; init; }

    public int? Window { get; init; }

    public double? LearningRate { get; init; }

    public double? Dropout { get; init; }

    public required double Clip { get; init; }

    public required ulong Seed { get; init; }

    /// <summary>The threads to use; null for all processors, with <see cref="Mpi"/> for the share of this process.</summary>
    public int? Threads { get; init; }

    /// <summary>Whether other processes train with this one.</summary>
    public bool Mpi { get; init; }

    /// <summary>The numbers that processes send gradients in.</summary>
    public GradientFormat Gradients { get; init; }

    public required string Save { get; init; }

    public string? Load { get; init; }

    public WeightFormat? Compress { get; init; }

    public bool Resume { get; init; }

    /// <summary>The path of the training checkpoint, beside that of the model.</summary>
    public string Checkpoint => Path.ChangeExtension(Save, $".training{Path.GetExtension(Save)}");

    public required string Prompt { get; init; }

    public required int Length { get; init; }

    public required double Temperature { get; init; }

    public required int TopK { get; init; }

    /// <summary>Whether there is a model to write with and nothing to train.</summary>
    internal bool OnlyWrites => Load is not null && Prompt.Length > 0 && Text is null && Steps is null && Time is null && Compress is null && !Resume;

    /// <summary>Whether there is a model to compress and nothing to train.</summary>
    internal bool OnlyCompresses => Load is not null && Compress is not null && Steps is null && Time is null && !Resume;

    /// <summary>Refuses what is wrong whatever the text.</summary>
    internal Settings Checked()
    {
        if (Cell is not null && !Cells.Contains(Cell))
        {
            throw new InputException($"--cell: there is no cell '{Cell}'; choose one of {string.Join(", ", Cells)}.");
        }

        (string Name, bool Given)[] parts =
        [
            ("--cell", Cell is not null), ("--hidden", Hidden is not null), ("--layers", Layers is not null),
            ("--embedding", Embedding is not null), ("--dropout", Dropout is not null),
        ];
        if (Load is not null && Array.Find(parts, part => part.Given) is { Name: { } name })
        {
            throw new InputException($"{name}: this is part of the saved model {Load} and stays as it is; leave the option out, or train a new model without --load.");
        }

        if (Mpi && (OnlyWrites || OnlyCompresses))
        {
            throw new InputException("--mpi: processes share a training, but there is nothing to train; leave it out, or give --steps.");
        }

        if (!OnlyWrites)
        {
            InputFiles.CheckSavePath("--save", Save);
        }

        return this;
    }
}
