using System.Globalization;
using System.Text;

namespace LongMemory;

/// <summary>Trainings of a cell on a task of one length: a row of the table.</summary>
internal sealed record Row(TaskKind Task, int Length, string Cell, IReadOnlyList<Run> Runs)
{
    internal int Solved => Runs.Count(run => run.IsSolved);

    /// <summary>The row as Markdown: updates are the median of those that solved the task, else of all, seconds those of all trainings.</summary>
    public override string ToString()
    {
        var solved = Runs.Where(run => run.IsSolved).ToList();
        var updates = Median((solved.Count > 0 ? solved : Runs).Select(run => (double)run.Updates));
        var values = string.Join(", ", Runs.Select(run => run.Value.ToString(Task.Format, CultureInfo.InvariantCulture)));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {Task.Name,-7} | {(Length == 0 ? "–" : Length),6} | {Cell,-13} | {(Solved == Runs.Count ? "yes" : Solved == 0 ? "no" : $"{Solved} of {Runs.Count}"),-6} | {updates,7:F0} | {$"{Task.Figure} {values}",-30} | {Runs.Sum(run => run.Seconds),7:F0} |");
    }

    private static double Median(IEnumerable<double> values) => values.Order().ToArray() is { Length: > 0 } sorted ? sorted[(sorted.Length - 1) / 2] : double.NaN;
}

/// <summary>The table, in Markdown.</summary>
internal sealed class Table(IEnumerable<TaskKind> tasks)
{
    internal const string Head =
        "| task    | length | cell          | solved | updates | figure of the test             | seconds |\n| ------- | -----: | ------------- | ------ | ------: | ------------------------------ | ------: |";

    private readonly List<Row> _rows = [];

    /// <summary>When each task counts as solved.</summary>
    internal string Criteria { get; } = string.Concat(tasks.Select(task => $"{task.Name}: {task.Criterion}\n"));

    internal int Count => _rows.Count;

    /// <summary>The rows of which every training solved its task.</summary>
    internal int Solved => _rows.Count(row => row.Solved == row.Runs.Count);

    internal void Add(Row row) => _rows.Add(row);

    public override string ToString() => _rows.Aggregate(new StringBuilder($"{Criteria}\n{Head}\n"), (text, row) => text.Append(CultureInfo.InvariantCulture, $"{row}\n")).ToString();
}
