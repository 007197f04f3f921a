using System.CommandLine;
using Samples;

namespace LongMemory;

/// <summary>What the user asked for.</summary>
internal sealed record Settings
{
    /// <summary>The tasks with a length each, in the order of the table.</summary>
    internal required IReadOnlyList<(TaskKind Task, int Length)> Tasks { get; init; }

    /// <summary>The names of the cells; null for those of each task.</summary>
    internal IReadOnlyList<string>? Cells { get; init; }

    /// <summary>The most updates of a training; null for those of each task.</summary>
    internal int? Updates { get; init; }

    /// <summary>The most time for all.</summary>
    internal TimeSpan? Time { get; init; }

    /// <summary>Trainings of each row, from different seeds; null for those of each task.</summary>
    internal int? Runs { get; init; }

    internal ulong Seed { get; init; }

    internal int Threads { get; init; }

    internal required string Save { get; init; }
}

/// <summary>The options of the command line: their names, their ranges, what they say when a value is wrong.</summary>
internal sealed class CommandLine
{
    private const string DefaultSave = "long-memory.md";

    // What runs without arguments: minutes, not hours.
    private static readonly (string Task, int Length)[] Short = [("adding", 100), ("reber", 0), ("stream", 0)];
    private static readonly string[] ShortCells = ["rnn", "gru", "lstm"];
    private const int ShortUpdates = 3000;

    private readonly Option<bool> _all = new("--all") { Description = "the whole table: every task at all of its lengths with all of its cells; an hour or more" };
    private readonly Option<string?> _tasks = InputOptions.Text("--tasks", "NAMES", $"tasks, with commas between them: {string.Join(", ", TaskKind.All.Select(task => task.Name))}");
    private readonly Option<string?> _cells = InputOptions.Text("--cells", "NAMES", $"cells, with commas between them: {string.Join(", ", Cell.All.Select(cell => cell.Name))}");
    private readonly Option<string?> _lengths = InputOptions.Text("--lengths", "NUMBERS", "lengths of the tasks that have one, with commas between them");
    private readonly Option<int?> _updates = InputOptions.Whole<int>("--updates", "N", "the most updates of a training, in place of those of each task");
    private readonly Option<double?> _minutes = InputOptions.Positive("--minutes", "M", "the most time for all; the training under way ends and no other begins");
    private readonly Option<int?> _runs = InputOptions.Whole<int>("--runs", "N", "trainings of each row, from different seeds");
    private readonly Option<ulong?> _seed = InputOptions.Whole<ulong>("--seed", "N", "seed of all random numbers; 1", minimum: 0);
    private readonly Option<int?> _threads = InputOptions.Whole<int>("--threads", "N", "threads to use; 1, since such networks are small");
    private readonly Option<string?> _save = InputOptions.Text("--save", "FILE", $"where the table goes, Markdown; {DefaultSave}");

    internal CommandLine() => Command = new("Compares how long recurrent networks remember: cells and tasks in one table.")
    {
        _all, _tasks, _cells, _lengths, _updates, _minutes, _runs, _seed, _threads, _save,
    };

    internal RootCommand Command { get; }

    internal Settings Read(ParseResult parsed)
    {
        var lengths = Names(_lengths, parsed)?.Select(Length).ToArray();
        var tasks = Names(_tasks, parsed, TaskKind.All.Select(task => task.Name)) ?? (parsed.GetValue(_all) ? [.. TaskKind.All.Select(task => task.Name)] : null);
        var cells = Names(_cells, parsed, Cell.All.Select(cell => cell.Name));
        return new()
        {
            Tasks = tasks is null
                ? [.. Short.SelectMany(choice => Lengths(TaskKind.Named(choice.Task), [choice.Length]))]
                : [.. tasks.SelectMany(name => Lengths(TaskKind.Named(name), TaskKind.Named(name).Lengths))],
            Cells = cells ?? (tasks is null ? ShortCells : null),
            Updates = parsed.GetValue(_updates) ?? (tasks is null ? ShortUpdates : null),
            Time = parsed.GetValue(_minutes) is { } minutes ? TimeSpan.FromMinutes(minutes) : null,
            Runs = parsed.GetValue(_runs),
            Seed = parsed.GetValue(_seed) ?? 1,
            Threads = parsed.GetValue(_threads) ?? 1,
            Save = parsed.GetValue(_save) ?? DefaultSave,
        };

        IEnumerable<(TaskKind, int)> Lengths(TaskKind task, int[] own) =>
            (task.Lengths is [0] ? task.Lengths : lengths ?? own).Select(length => length >= task.LeastLength
                ? (task, length)
                : throw new InputException($"--lengths: {task.Name} needs {task.LeastLength} or more but got {length}."));
    }

    private static int Length(string text) =>
        int.TryParse(text, out var length) && length is > 0 and <= 100_000 ? length : throw new InputException($"--lengths: expected whole numbers from 1 to 100000 but got {text}.");

    private static string[]? Names(Option<string?> option, ParseResult parsed, IEnumerable<string>? known = null)
    {
        var names = parsed.GetValue(option)?.Split(',', StringSplitOptions.TrimEntries);
        return names?.FirstOrDefault(name => known?.Contains(name) == false) is { } wrong
            ? throw new InputException($"{option.Name}: expected some of {string.Join(", ", known!)} but got {wrong}.")
            : names;
    }
}
