using BenchmarkDotNet.Running;
using Rnn.Benchmarks;
using Rnn.Measure;

try
{
    return args switch
    {
        ["kernels", .. var rest] => KernelTable.Run(rest),
        ["cells", .. var rest] => CellTable.Run(rest),
        ["compressed", .. var rest] => CompressedCommand.Run(rest),
        ["compare", .. var rest] => CompareCommand.Run(rest),
        ["first", .. var rest] => FirstCommand.Run(rest),
        ["layers", .. var rest] => LayersCommand.Run(rest),
        ["warmup"] => WarmupCommand.Run(),
        ["memory", .. var rest] => MemoryCommand.Run(rest),
        ["model", .. var rest] => ModelCommand.Run(rest),
        ["mpi", .. var rest] => MpiCommand.Run(rest),
        ["peers", .. var rest] => PeersCommand.Run(rest),
        ["strides", .. var rest] => StridesCommand.Run(rest),
        ["silence", .. var rest] => SilenceCommand.Run(rest),
        ["shapes", .. var rest] => ShapesCommand.Run(rest),
        [['-', ..], ..] or [] => RunBenchmarkDotNet(args),
        [var unknown, ..] => throw new UsageException($"there is no command '{unknown}'; there are {string.Join(", ", Commands())}, and the options of BenchmarkDotNet."),
    };
}
catch (UsageException wrong)
{
    Console.Error.WriteLine($"{args.FirstOrDefault()}: {wrong.Message}");
    return 2;
}
catch (ProgramFailedException failed)
{
    Console.Error.WriteLine($"{args[0]}: {failed.Message}");
    return 1;
}

static string[] Commands() =>
    ["cells", "compare", "compressed", "first", "kernels", "layers", "memory", "model", "mpi", "peers", "shapes", "silence", "strides", "warmup"];

static int RunBenchmarkDotNet(string[] arguments)
{
    BenchmarkSwitcher.FromAssembly(typeof(KernelTable).Assembly).Run(arguments);
    return 0;
}
