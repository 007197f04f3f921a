using LongMemory;
using Rnn.Kernels;
using Samples;

// Which recurrent network remembers what, over how many steps: each cell learns each task until it is solved or its updates are over, and the rows of the table appear as they are known.
var commandLine = new CommandLine();
commandLine.Command.SetAction((parsed, cancellation) => RunAsync(commandLine.Read(parsed), cancellation));
return await Sample.RunAsync(commandLine.Command, args);

static async Task<int> RunAsync(Settings settings, CancellationToken cancellation)
{
    Workers.MaxThreads = settings.Threads;
    InputFiles.CheckSavePath("--save", settings.Save);
    var comparison = new Comparison(settings);
    var table = new Table(settings.Tasks.Select(choice => choice.Task).Distinct());
    Console.WriteLine(table.Criteria);
    Console.WriteLine(Table.Head);
    var isCancelled = false;
    try
    {
        foreach (var (task, length) in settings.Tasks)
        {
            foreach (var cell in settings.Cells ?? task.Cells)
            {
                if (!comparison.IsOver)
                {
                    var row = await comparison.RunAsync(task, length, Cell.Named(cell), cancellation);
                    table.Add(row);
                    Console.WriteLine(row);
                }
            }
        }
    }
    catch (OperationCanceledException)
    {
        isCancelled = true;
    }

    if (table.Count > 0)
    {
        File.WriteAllText(settings.Save, table.ToString());
        Console.WriteLine($"the table is saved in {Path.GetFullPath(settings.Save)}");
    }

    if (isCancelled)
    {
        Console.WriteLine($"cancelled; the table has the {table.Count} rows that were known");
        return 130;
    }

    Console.WriteLine(FormattableString.Invariant($"result rows={table.Count} solved={table.Solved} seconds={comparison.Elapsed.TotalSeconds:F1}"));
    return 0;
}
