using BenchmarkDotNet.Running;
using Rnn.Benchmarks;

return args switch
{
    ["kernels", .. var rest] => KernelTable.Run(rest),
    ["cells", .. var rest] => CellTable.Run(rest),
    ["compressed", .. var rest] => CompressedCommand.Run(rest),
    ["layers", .. var rest] => LayersCommand.Run(rest),
    ["warmup"] => WarmupCommand.Run(),
    ["memory", .. var rest] => MemoryCommand.Run(rest),
    ["model", .. var rest] => ModelCommand.Run(rest),
    ["peers", .. var rest] => PeersCommand.Run(rest),
    ["silence", .. var rest] => SilenceCommand.Run(rest),
    ["shapes", .. var rest] => ShapesCommand.Run(rest),
    _ => RunBenchmarkDotNet(args),
};

static int RunBenchmarkDotNet(string[] arguments)
{
    BenchmarkSwitcher.FromAssembly(typeof(KernelTable).Assembly).Run(arguments);
    return 0;
}
