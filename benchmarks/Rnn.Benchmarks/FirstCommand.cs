using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Rnn.Layers;
using Rnn.Measure;
using Rnn.Tensors;

namespace Rnn.Benchmarks;

/// <summary>
/// The command <c>first</c>: how long a program that loads a saved LSTM takes from its start to the first output, and what of that is the runtime's own start. A child
/// process does it, anew in each round, under the runtime's default settings.
/// </summary>
internal static class FirstCommand
{
    public const string Usage = "first [--rounds 7] [--out FILE.md]";

    private static readonly (string Name, int Input, int Hidden, int Layers)[] Sizes = [("LSTM 8 → 32", 8, 32, 1), ("2 × LSTM 512", 512, 512, 2)];
    private static readonly string[] Kinds = ["stream", "batch"];
    private static readonly string[] Stages = ["until the program's first line", "opening the file", "first output", "second output", "all until the first output"];

    public static int Run(string[] arguments)
    {
        if (arguments is ["--child", var kind, var path, var begun])
        {
            return Child(kind, path, long.Parse(begun, CultureInfo.InvariantCulture));
        }

        var parsed = Arguments.Parse(Usage, arguments, ["--rounds", "--out"]);
        var (rounds, target) = (parsed.Number("--rounds", 7), Reports.Target(parsed, "first"));
        var run = RunFacts.Now($"first {string.Join(' ', arguments)}", Roofline.Measure());
        var folder = Directory.CreateTempSubdirectory("rnn-first-");
        var samples = new Samples();
        try
        {
            foreach (var (name, input, hidden, layers) in Sizes)
            {
                new Lstm<float>(input, hidden, new() { Layers = layers, Seed = 1 }).Save(Path.Combine(folder.FullName, FileName(name)));
            }

            using var raw = new SampleFile(Path.ChangeExtension(target, ".jsonl"), run);
            using var interruption = new Interruption();
            Measure(rounds, folder.FullName, samples, raw, interruption.Token);
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        return Reports.Write(target, Report(samples, run), samples);
    }

    private static void Measure(int rounds, string folder, Samples samples, SampleFile raw, CancellationToken stop)
    {
        var progress = new Progress(rounds * Sizes.Length * Kinds.Length);
        foreach (var (round, size, kind) in from round in Enumerable.Range(1, rounds) from size in Sizes from kind in Kinds select (round, size, kind))
        {
            var begun = Stopwatch.GetTimestamp().ToString(CultureInfo.InvariantCulture);
            var lines = Programs.Run(Programs.Self("first", "--child", kind, Path.Combine(folder, FileName(size.Name)), begun), null, stop);
            if (stop.IsCancellationRequested)
            {
                return;
            }

            var measured = lines.Select(line => new Sample(
                round, Peer.Own, $"{size.Name}, {kind}", 1, line.GetProperty("stage").GetString()!, line.GetProperty("ms").GetDouble())).ToArray();
            samples.Add(measured);
            raw.Add(measured);
            progress.Report($"round {round}, {size.Name}, {kind}");
        }
    }

    // The two programs' clocks are one: the time stamp counts from the machine's start.
    private static int Child(string kind, string path, long begun)
    {
        var main = Stopwatch.GetTimestamp();
        var layer = (RecurrentLayer<float>)Module<float>.Open(path);
        layer.Evaluate();
        var opened = Stopwatch.GetTimestamp();
        var output = kind == "stream" ? Stream(layer) : Batch(layer);
        output();
        var first = Stopwatch.GetTimestamp();
        output();
        var second = Stopwatch.GetTimestamp();
        double[] seconds = [Between(begun, main), Between(main, opened), Between(opened, first), Between(first, second), Between(begun, first)];
        foreach (var (stage, ms) in Stages.Zip(seconds, (stage, time) => (stage, 1e3 * time)))
        {
            Console.WriteLine(JsonSerializer.Serialize(new { stage, ms }));
        }

        return 0;
    }

    private static Action Stream(RecurrentLayer<float> layer)
    {
        // Made at the first step, as part of what it costs.
        SequenceStream<float>? stream = null;
        var (frame, output) = (new float[layer.InputSize], new float[layer.OutputSize]);
        return () => (stream ??= layer.CreateStream()).Step(frame, output);
    }

    private static Action Batch(RecurrentLayer<float> layer) => () =>
    {
        using var off = NoGradient.Enter();
        layer.Forward(Tensor<float>.Zeros(16, 20, layer.InputSize));
    };

    private static double Between(long start, long end) => (end - start) / (double)Stopwatch.Frequency;

    private static string FileName(string name) => $"{string.Concat(name.Where(char.IsAsciiLetterOrDigit))}.safetensors";

    private static string Report(Samples samples, RunFacts run)
    {
        var text = new StringBuilder()
            .Append(CultureInfo.InvariantCulture, $"# From the start of a program to the first output\n\n{run}\n\nMilliseconds, medians; rounds: {samples.Rounds}, each in a process of its own under the runtime's default settings. ")
            .Append("`stream` is one step of one row, `batch` a\n")
            .Append("forward pass of 16 rows of 20 steps. The time until the program's first line is what the runtime itself takes.\n\n")
            .Append(CultureInfo.InvariantCulture, $"| layer | {string.Join(" | ", Stages)} |\n|---|{string.Concat(Stages.Select(_ => "---|"))}\n");
        foreach (var name in samples.All.Select(sample => sample.Shape).Distinct())
        {
            var row = Stages.Select(stage => FormattableString.Invariant($"{samples.Ms(Peer.Own, name, stage, 1):F2}"));
            text.Append(CultureInfo.InvariantCulture, $"| {name} | {string.Join(" | ", row)} |\n");
        }

        return text.ToString();
    }
}
