using System.CommandLine;
using System.Globalization;

namespace Samples;

/// <summary>
/// A sample program: its command line, with the options that all samples have, and what it does. Wrong input ends with code 2 and one line on the error
/// stream, Ctrl+C with code 130.
/// </summary>
/// <example><code>
/// var sample = new Sample("counter", "Learns to count.");
/// var hidden = sample.Add(InputOptions.Whole&lt;int&gt;("--hidden", "N", "hidden units; 32"));
/// return await sample.RunAsync(args, async run => run.Result($"hidden={run.Get(hidden) ?? 32}"));
/// </code></example>
public sealed class Sample
{
    private readonly Option<string?> _data;
    private readonly Option<string?> _open = InputOptions.Text("--open", "FILE", "a model that this program saved: it is used and not trained");
    private readonly Option<string?> _save;
    private readonly Option<long?> _updates = InputOptions.Whole<long>("--updates", "N", "the most updates to train");
    private readonly Option<double?> _minutes = InputOptions.Positive("--minutes", "M", "the most time to train");
    private readonly Option<ulong?> _seed = InputOptions.Whole<ulong>("--seed", "N", "seed of all random numbers; 0", minimum: 0);
    private readonly Option<int?> _threads = InputOptions.Whole<int>("--threads", "N", "threads to use; all");
    private readonly RootCommand _command;
    private readonly string _savePath;

    /// <summary>A sample.</summary>
    /// <param name="name">What its files are called: the model is saved in NAME.safetensors.</param>
    /// <param name="description">What it does, for the help.</param>
    /// <param name="data">What --data names, for the help.</param>
    public Sample(string name, string description, string data = "the data to learn")
    {
        _savePath = $"{name}.safetensors";
        _data = InputOptions.Text("--data", "PATH", data);
        _save = InputOptions.Text("--save", "FILE", $"where the model goes; {_savePath}");
        _command = new(description) { _data, _open, _save, _updates, _minutes, _seed, _threads };
    }

    /// <summary>Adds an option of the sample's own.</summary>
    public Option<T> Add<T>(Option<T> option)
    {
        _command.Add(option);
        return option;
    }

    /// <summary>Reads the command line and does the work.</summary>
    /// <param name="args">What the user wrote.</param>
    /// <param name="work">What the sample does.</param>
    /// <returns>The exit code of the process.</returns>
    public Task<int> RunAsync(string[] args, Func<SampleRun, Task> work)
    {
        _command.SetAction(async (parsed, cancellation) =>
        {
            var run = new SampleRun(parsed, cancellation)
            {
                Data = parsed.GetValue(_data),
                OpenPath = parsed.GetValue(_open),
                SavePath = parsed.GetValue(_save) ?? _savePath,
                MaxUpdates = parsed.GetValue(_updates),
                MaxTime = parsed.GetValue(_minutes) is { } minutes ? TimeSpan.FromMinutes(minutes) : null,
                Seed = parsed.GetValue(_seed) ?? 0,
            };
            Rnn.Kernels.Workers.MaxThreads = parsed.GetValue(_threads) ?? Environment.ProcessorCount;
            Rnn.Tensors.RandomSource.SetSeed(run.Seed);
            InputFiles.CheckSavePath("--save", run.SavePath);
            try
            {
                await work(run);
                return 0;
            }
            catch (OperationCanceledException)
            {
                return 130;
            }
        });
        return RunAsync(_command, args);
    }

    /// <summary>Runs a command; wrong input ends with code 2 and one line on the error stream.</summary>
    public static async Task<int> RunAsync(RootCommand command, string[] args)
    {
        // Figures read the same wherever the program runs, so that other programs can read them too.
        CultureInfo.CurrentCulture = CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
        Console.OutputEncoding = new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        ArgumentNullException.ThrowIfNull(command);
        try
        {
            var parsed = command.Parse(args);
            return parsed.Errors.Count > 0
                ? throw new InputException($"{parsed.Errors[0].Message} See --help for the options.")
                : await parsed.InvokeAsync(new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromMinutes(1) });
        }
        catch (InputException error)
        {
            Console.Error.WriteLine(error.Message.ReplaceLineEndings(" "));
            return 2;
        }
    }
}
