using System.Diagnostics;
using System.Globalization;

namespace Rnn.Tests.Samples;

/// <summary>The comparison of cells and tasks: its table, how it ends early, what it refuses.</summary>
public sealed class LongMemoryTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("long-memory-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Every_task_and_cell_gives_a_row()
    {
        var all = SampleProcess.Run("LongMemory", _folder, "--all", "--lengths", "10", "--updates", "1", "--runs", "1", "--save", "all.md");
        Assert.True(all.ExitCode == 0, all.Error);
        Assert.Empty(all.Error);
        var rows = Rows(all.Output);
        string[] tasks = ["adding", "copy", "gaps", "order", "anbncn", "anbn", "spikes", "reber", "stream"];
        Assert.Equal(tasks, rows.Select(row => row.Split('|')[1].Trim()).Distinct());
        Assert.Equal(rows.Length, rows.Select(row => string.Join('|', row.Split('|')[..4])).Distinct().Count());
        Assert.All(["rnn", "irnn", "indrnn", "gru", "lstm", "lstm-peephole"], cell => Assert.Contains(rows, row => row.Contains($"| {cell} ", StringComparison.Ordinal)));
        Assert.All(rows, row => Assert.Equal(9, row.Split('|').Length));
        Assert.Matches($@"^result rows={rows.Length} solved=\d+ seconds=[0-9.]+$", all.LastLine);
        var file = File.ReadAllText(Path.Combine(_folder, "all.md"));
        Assert.All(rows, row => Assert.Contains(row, file, StringComparison.Ordinal));
        Assert.Contains("adding: the adding problem", file, StringComparison.Ordinal);
    }

    // Two steps are soon added; the same seed gives the same table but for the times.
    [Fact]
    public void A_task_that_is_solved_ends_early_and_alike()
    {
        string[] arguments = ["--tasks", "adding", "--cells", "gru", "--lengths", "2", "--runs", "2", "--seed", "3"];
        var (first, second) = (SampleProcess.Run("LongMemory", _folder, arguments), SampleProcess.Run("LongMemory", _folder, [.. arguments, "--threads", "2"]));
        var row = Assert.Single(Rows(first.Output));
        Assert.Contains("| yes    |", row, StringComparison.Ordinal);
        Assert.InRange(int.Parse(row.Split('|')[5], CultureInfo.InvariantCulture), 100, 3900);
        Assert.Equal(row.Split('|')[..7], Rows(second.Output).Single().Split('|')[..7]);
        Assert.StartsWith("result rows=1 solved=1 ", first.LastLine, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(_folder, "long-memory.md")));
    }

    [Fact]
    public void Time_is_a_limit_of_all()
    {
        var result = SampleProcess.Run("LongMemory", _folder, "--tasks", "adding", "--cells", "rnn,gru", "--lengths", "5000", "--minutes", "0.01");
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.StartsWith("result rows=1 solved=0 ", result.LastLine, StringComparison.Ordinal);
    }

    [Fact]
    public void Cancelled_it_keeps_the_rows_that_are_known()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        using var process = SampleProcess.Start("LongMemory", _folder, "--tasks", "adding", "--cells", "gru", "--lengths", "2,50000", "--save", "part.md");
        while (process.StandardOutput.ReadLine() is { } line && !line.StartsWith("| adding", StringComparison.Ordinal))
        {
        }

        using (var kill = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]))
        {
            kill.WaitForExit();
        }

        var result = SampleProcess.Finish(process);
        Assert.Equal(130, result.ExitCode);
        Assert.Contains("cancelled; the table has the 1 rows that were known", result.Output, StringComparison.Ordinal);
        Assert.Single(Rows(File.ReadAllText(Path.Combine(_folder, "part.md"))));
    }

    [Theory]
    [InlineData("--tasks: expected some of adding, copy,", "--tasks", "adding,nothing")]
    [InlineData("--cells: expected some of rnn, irnn,", "--cells", "LSTM")]
    [InlineData("--lengths: expected whole numbers from 1 to 100000 but got 0.", "--lengths", "100,0")]
    [InlineData("--lengths: adding needs 2 or more but got 1.", "--tasks", "adding", "--lengths", "1")]
    [InlineData("--updates: expected a whole number of 1 or more but got 0.", "--updates", "0")]
    [InlineData("--save: ", "--save", "no-such-folder/table.md")]
    [InlineData("Unrecognized", "--no-such-option")]
    public void Wrong_input_is_refused_in_one_line(string message, params string[] arguments)
    {
        var result = SampleProcess.Run("LongMemory", _folder, arguments);
        Assert.Equal(2, result.ExitCode);
        Assert.Equal(1, result.Error.Count(character => character == '\n'));
        Assert.StartsWith(message, result.Error, StringComparison.Ordinal);
    }

    private static string[] Rows(string text) => [.. text.Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal) && !line.StartsWith("| task ", StringComparison.Ordinal) && !line.StartsWith("| ---", StringComparison.Ordinal))];
}
