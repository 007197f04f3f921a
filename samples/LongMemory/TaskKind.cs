using Rnn.Sequences;
using Rnn.Tensors;

namespace LongMemory;

/// <summary>A task of any length: what it is called, when it is solved, and how it is made from a length and a random source.</summary>
internal sealed record TaskKind(string Name, string Criterion, string Figure, Func<int, RandomSource, MemoryTask> Create)
{
    // Symbols to be copied with gaps.
    private const int Gaps = 5;

    private static readonly string[] AllCells = ["rnn", "irnn", "indrnn", "gru", "lstm", "lstm-peephole", "min-gru", "min-lstm", "rg-lru"];

    /// <summary>The lengths of the whole table; 0 alone where a task has none.</summary>
    internal int[] Lengths { get; init; } = [0];

    /// <summary>The shortest length.</summary>
    internal int LeastLength { get; init; }

    /// <summary>The cells that are compared on it.</summary>
    internal string[] Cells { get; init; } = AllCells;

    /// <summary>Trainings of each row.</summary>
    internal int Runs { get; init; } = 1;

    /// <summary>How the figure is written.</summary>
    internal string Format { get; init; } = "F4";

    internal static TaskKind[] All { get; } =
    [
        new("adding", "the adding problem over length steps; solved where the mean squared error of 500 others is below 0.01 (who says the mean has 1/6)", "MSE",
            static (length, random) => new AddingTask(length, random) { Updates = 12_000 }) { Lengths = [100, 400], LeastLength = 2 },
        new("copy", "ten symbols after length steps; solved where the cross-entropy of 250 others is below a tenth of that without memory, 10 ln 8 / (length + 20), of which it is a part here", "loss / baseline",
            static (length, random) => new SymbolTask(new CopyMemory(length, MemoryTask.Rows, random.Split("training")), new CopyMemory(length, 250, random.Split("test")).First(), Remembers(new CopyMemory(length, 1).Baseline)) { Updates = 6000, TestEvery = 250, RateFactor = 0.3 })
            { Lengths = [100], LeastLength = 1, Cells = ["rnn", "gru", "lstm", "lstm-chrono"] },
        new("gaps", "copying with gaps: five symbols at random places among length steps; solved as copy, by 5 ln 8 / (length + 5)", "loss / baseline",
            static (length, random) => new SymbolTask(new SelectiveCopy(length, Gaps, MemoryTask.Rows, random.Split("training")), new SelectiveCopy(length, Gaps, 250, random.Split("test")).First(), Remembers(new SelectiveCopy(length, Gaps, 1).Baseline)) { Updates = 6000, TestEvery = 250 })
            { Lengths = [100], LeastLength = Gaps, Cells = ["rnn", "gru", "lstm", "min-gru", "min-lstm", "rg-lru"] },
        new("order", "temporal order, four classes, length to 11/10 length steps; solved where 99 % of 500 others are right", "right",
            static (length, random) => new SymbolTask(new TemporalOrder(length, MemoryTask.Rows, random.Split("training")), new TemporalOrder(length, 500, random.Split("test")).First(), AtLeast(0.99)))
            { Lengths = [100], LeastLength = 10 },
        new("anbncn", "aⁿbⁿcⁿ taught up to n = length; solved where the symbols of all words up to half as long again are predicted right; the figure is the n up to which they are", "n",
            static (length, random) => new CountingTask(letters: 3, length, random)) { Lengths = [40], LeastLength = 1, Runs = 5, Format = "F0", Cells = ["rnn", "gru", "lstm", "lstm-peephole"] },
        new("anbn", "aⁿbⁿ, likewise", "n", static (length, random) => new CountingTask(letters: 2, length, random))
            { Lengths = [40], LeastLength = 1, Runs = 5, Format = "F0", Cells = ["rnn", "gru", "lstm", "lstm-peephole"] },
        new("spikes", "spikes length or one step less apart; solved where all of 250 others are told apart", "right",
            static (length, random) => new SymbolTask(new SpikeTiming(length, MemoryTask.Rows, random.Split("training")), new SpikeTiming(length, 250, random.Split("test")).First(), AtLeast(1)) { Units = 16, ForgetBias = 5, Updates = 12_000 })
            { Lengths = [50], LeastLength = 2, Cells = ["rnn", "gru", "lstm", "lstm-peephole"] },
        new("reber", "embedded Reber grammar; solved where of 256 other strings every symbol that is predicted may come", "right",
            static (_, random) => new SymbolTask(new ReberStrings(16, random.Split("training")), new ReberStrings(256, random.Split("test")).First(), AtLeast(1)) { Units = 16 }),
        new("stream", "embedded Reber strings without end; solved where 100,000 symbols of another stream are read and each that is predicted may come; the figure is how many are", "symbols",
            static (_, random) => new StreamTask(random)) { Format = "F0" },
    ];

    internal static TaskKind Named(string name) => All.Single(task => task.Name == name);

    // A sequence is right where every step is.
    private static Func<SymbolScore, double, Measurement> AtLeast(double share) => (score, _) => new(score.RowAccuracy, score.RowAccuracy >= share);

    private static Func<SymbolScore, double, Measurement> Remembers(double baseline) => (_, loss) => new(loss / baseline, loss < 0.1 * baseline);
}
