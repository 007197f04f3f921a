using BenchmarkDotNet.Running;
using Rnn.Benchmarks;
using Rnn.Measure;

try
{
    return args switch
    {
        ["kernels", .. var rest] => KernelTable.Run(rest),
        ["cells", .. var rest] => CellTable.Run(rest),
        ["compare", .. var rest] => CompareCommand.Run(rest),
        ["layers", .. var rest] => LayersCommand.Run(rest),
        ["warmup"] => WarmupCommand.Run(),
        ["memory", .. var rest] => MemoryCommand.Run(rest),
        ["model", .. var rest] => ModelCommand.Run(rest),
        ["peers", .. var rest] => PeersCommand.Run(rest),
        ["silence", .. var rest] => SilenceCommand.Run(rest),
        ["shapes", .. var rest] => ShapesCommand.Run(rest),
        _ => RunBenchmarkDotNet(args),
    };
}
catch (UsageException wrong)
{
    Console.Error.WriteLine($"{args[0]}: {wrong.Message}");
    return 2;
}

static int RunBenchmarkDotNet(string[] arguments)
{
    BenchmarkSwitcher.FromAssembly(typeof(KernelTable).Assembly).Run(arguments);
    return 0;
}
