using System.Diagnostics;
using System.Globalization;
using System.Text;
using Rnn.Kernels;
using Rnn.Layers;
using Rnn.Measure;
using Rnn.Tensors;

namespace Rnn.Benchmarks;

/// <summary>
/// The command <c>strides</c>: sizes that are powers of two beside their neighbours, in turn within one process. Where a size is much slower than the one next to
/// it, rows lie at distances that fall into the same sets of a cache, or a rest of rows or columns costs too much.
/// </summary>
internal static class StridesCommand
{
    public const string Usage = "strides [--cells LSTM,GRU,RNN] [--batches full,ragged,bidirectional] [--phase infer|train] [--threads N] [--rounds 15] [--out FILE.md]";

    // Deficits above this are shown in bold and listed.
    private const double Flagged = 0.08;

    // The shortest time of one measurement; small shapes make several calls.
    private const double Seconds = 0.02;

    public static int Run(string[] arguments)
    {
        var parsed = Arguments.Parse(Usage, arguments, ["--cells", "--batches", "--phase", "--threads", "--rounds", "--out"]);
        var (threads, rounds, phase) = (parsed.Number("--threads", 1), parsed.Number("--rounds", 15), parsed.Choice("--phase", Samples.Phases));
        var (cells, batches) = (parsed.List("--cells"), parsed.List("--batches"));
        var groups = StrideGroup.All().Where(group => (cells.Length == 0 || cells.Contains(group.Cell)) && (batches.Length == 0 || batches.Contains(group.Batch))).ToArray();
        if (groups.Length == 0)
        {
            throw parsed.Wrong("no shapes are left");
        }

        var target = Reports.Target(parsed, "strides");
        var run = RunFacts.Now($"strides {string.Join(' ', arguments)}", Roofline.Measure());
        Workers.MaxThreads = threads;
        var phases = phase is null ? Samples.Phases : [phase];
        using (TensorScope.Enter())
        {
            // Lets the runtime finish its optimised code, which all shapes share.
            Array.ForEach(phases, warm => Repetition.Measure(Action(groups[0].Members[0].Shape, warm)));
        }

        var samples = new Samples();
        using (var raw = new SampleFile(Path.ChangeExtension(target, ".jsonl"), run))
        using (var interruption = new Interruption())
        {
            Console.Error.WriteLine($"each measurement goes to {raw.Path}; Ctrl+C ends early and reports what there is");
            var progress = new Progress(groups.Length);
            foreach (var group in groups.TakeWhile(_ => !interruption.Token.IsCancellationRequested))
            {
                Measure(group, phases, threads, rounds, samples, raw, interruption.Token);
                progress.Report($"{group.Cell}, {group.Batch}, {group.Base}, {group.Varied} {string.Join(", ", group.Members.Select(member => member.Value))}");
            }
        }

        return Reports.Write(target, Report(groups, threads, rounds, samples, run), samples);
    }

    private static void Measure(
        StrideGroup group, string[] phases, int threads, int rounds, Samples samples, SampleFile raw, CancellationToken stop)
    {
        // Gradients of leaves live as long as this scope.
        using var outer = TensorScope.Enter();
        var work = (from member in @group.Members from phase in phases select (member.Shape, Phase: phase, Repeat: Action(member.Shape, phase))).ToArray();
        var calls = new int[work.Length];
        for (var i = 0; i < work.Length; i++)
        {
            Time(work[i].Repeat, 2);
            calls[i] = (int)Math.Clamp(Seconds / Time(work[i].Repeat, 1), 1, 1000);
        }

        for (var round = 1; round <= rounds; round++)
        {
            for (var i = 0; i < work.Length; i++)
            {
                if (stop.IsCancellationRequested)
                {
                    return;
                }

                Sample[] sample = [new(round, Peer.Own, work[i].Shape.Name, threads, work[i].Phase, 1e3 * Time(work[i].Repeat, calls[i]) / calls[i])];
                samples.Add(sample);
                raw.Add(sample);
            }
        }
    }

    private static Action<int> Action(RecurrentShape shape, string phase)
    {
        var options = new RecurrentOptions { Bidirectional = shape.Bidirectional, Seed = 1 };
        var layer = RecurrentLayer<float>.Create(shape.CellName, shape.Input, shape.Hidden, options);
        var input = Tensor<float>.RandomNormal(new RandomSource(2), 0, 1, shape.Batch, shape.Steps, shape.Input);
        return phase == "infer" ? LayerTiming.Inference(layer, input, shape.Lengths) : LayerTiming.TrainingStep(layer, input, shape.Lengths);
    }

    private static double Time(Action<int> repeat, int calls)
    {
        var start = Stopwatch.GetTimestamp();
        repeat(calls);
        return (Stopwatch.GetTimestamp() - start) / (double)Stopwatch.Frequency;
    }

    private static string Report(StrideGroup[] groups, int threads, int rounds, Samples samples, RunFacts run)
    {
        var flagged = new List<string>();
        var table = new StringBuilder();
        foreach (var group in groups)
        {
            for (var i = 0; i < group.Members.Count; i++)
            {
                var (value, shape) = group.Members[i];
                var row = $"| {group.Cell} | {group.Batch} | {group.Base} | {group.Varied} | {value} |";
                foreach (var phase in Samples.Phases)
                {
                    row += Cells(group, i, phase, threads, samples, flagged);
                }

                table.Append(row).Append('\n');
            }
        }

        return new StringBuilder()
            .Append(CultureInfo.InvariantCulture, $"# Sizes beside their neighbours\n\n{run}\n\nThreads: {threads}; rounds: at most {rounds}, neighbours in turn in each. ")
            .Append("`behind` is by how much a size is slower, in GFLOP/s, than the faster one of the sizes next to it: from the\n")
            .Append(CultureInfo.InvariantCulture, $"median of the ratios of the same round. Above {Flagged:P0} it is bold.\n\n")
            .Append(CultureInfo.InvariantCulture, $"{flagged.Count} of {samples.All.Select(sample => (sample.Shape, sample.Phase)).Distinct().Count()} are more than {Flagged:P0} behind")
            .Append(flagged.Count > 0 ? $":\n\n{string.Join('\n', flagged)}\n\n" : ".\n\n")
            .Append("| cell | batch | sizes | varied | value | infer GFLOP/s | behind | train GFLOP/s | behind |\n|---|---|---|---|---|---|---|---|---|\n")
            .Append(table).ToString();
    }

    private static string Cells(StrideGroup group, int index, string phase, int threads, Samples samples, List<string> flagged)
    {
        var shape = group.Members[index].Shape;
        if (samples.Ms(Peer.Own, shape.Name, phase, threads) is not { } ms)
        {
            return " – | – |";
        }

        var work = shape.Flop(phase);
        int[] neighbours = [index - 1, index + 1];
        var behind = neighbours.Where(next => next >= 0 && next < group.Members.Count)
            .Select(next => group.Members[next].Shape)
            .Max(next => Samples.Median(Ratios(shape, next)) is { } ratio ? 1 - ratio : 0);
        var name = behind > Flagged ? FormattableString.Invariant($"**{behind:P0}**") : FormattableString.Invariant($"{behind:P0}");
        if (behind > Flagged)
        {
            flagged.Add(FormattableString.Invariant($"- {group.Cell}, {group.Batch}, {group.Base}, {group.Varied} {group.Members[index].Value}, {phase}: {behind:P0}"));
        }

        return FormattableString.Invariant($" {work / ms / 1e6:F0} | {name} |");

        // The rate of the one over that of the other, in each round that has both.
        IEnumerable<double> Ratios(RecurrentShape own, RecurrentShape other) =>
            samples.Ratios(Peer.Own, other.Name, Peer.Own, own.Name, phase, threads).Select(ratio => ratio * own.Flop(phase) / other.Flop(phase));
    }
}
