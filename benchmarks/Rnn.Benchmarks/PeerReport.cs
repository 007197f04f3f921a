using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Rnn.Benchmarks;

/// <summary>The Markdown of a run of the library beside its peers.</summary>
internal sealed class PeerReport(
    IReadOnlyList<RecurrentShape> shapes, int[] threads, int rounds, IReadOnlyList<Measurement> runs, Roofline roofline)
{
    private static readonly string[] Peers = ["onednn", "onnxruntime", "torch"];

    private readonly StringBuilder _text = new();

    public override string ToString()
    {
        Line($"# The library beside its peers");
        Line($"");
        Line($"{Processor()}, {Environment.ProcessorCount} cores; {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription.Trim()};");
        Line($"medians of {rounds} rounds, everything in turn. {roofline}.");
        Line($"`×` is how many times as fast as the peer the library is, in the same run; `peak` is the fraction of the FMA units' limit of the");
        Line($"threads in use, `roof` that of the tighter of that limit and the time to read the weights once a step from the cache that holds them.");
        foreach (var phase in new[] { "infer", "train" })
        {
            foreach (var count in threads)
            {
                Section(phase, count);
            }
        }

        if (threads.Length > 1)
        {
            Scaling();
        }

        return _text.ToString();
    }

    private static string Processor()
    {
        const string File = "/proc/cpuinfo";
        var line = System.IO.File.Exists(File) ? System.IO.File.ReadLines(File).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
    }

    private void Section(string phase, int count)
    {
        var names = phase == "infer" ? "inference" : "training step (forward, backward, all gradients, weights packed anew)";
        Line($"");
        Line($"## {char.ToUpperInvariant(names[0])}{names[1..]}, {count} thread{(count > 1 ? "s" : string.Empty)}");
        Line($"");
        Line($"| shape | ms | GFLOP/s | peak | roof | bytes | oneDNN ms | × | ONNX Runtime ms | × | PyTorch ms | × |");
        Line($"|---|---|---|---|---|---|---|---|---|---|---|---|");
        var ratios = Peers.ToDictionary(peer => peer, _ => new List<double>());
        foreach (var shape in shapes)
        {
            if (Median("rnn", shape, phase, count) is not { } own)
            {
                continue;
            }

            var flops = own.Flop / (own.Ms / 1e3);
            var limit = roofline.SingleFlops * count;
            var row = FormattableString.Invariant(
                $"| {shape.Name} | {own.Ms:G4} | {flops / 1e9:F0} | {flops / limit:P0} | {Bound(shape, own, limit) / (own.Ms / 1e3):P0} | {own.Bytes} |");
            foreach (var peer in Peers)
            {
                if (Median(peer, shape, phase, count) is { } other)
                {
                    row += FormattableString.Invariant($" {other.Ms:G4} | {other.Ms / own.Ms:F2} |");
                    if (shape.Batch > 1)
                    {
                        ratios[peer].Add(other.Ms / own.Ms);
                    }
                }
                else
                {
                    row += " – | – |";
                }
            }

            Line($"{row}");
        }

        var means = Peers.Where(peer => ratios[peer].Count > 0).Select(peer => FormattableString.Invariant(
            $"{peer} {Math.Exp(ratios[peer].Average(Math.Log)):F2} (least {ratios[peer].Min():F2})"));
        Line($"");
        Line($"Geometric means over the batched shapes: {string.Join(", ", means)}.");
    }

    // Seconds that the step cannot go below: arithmetic, or the weights once a step from the second or third cache.
    private double Bound(RecurrentShape shape, Measurement own, double flops)
    {
        var arithmetic = own.Flop / flops;
        var weights = shape.Flop / (2.0 * shape.Steps * shape.Batch) * sizeof(float);
        var passes = shape.Steps * (own.Phase == "train" ? 2 : 1) / (shape.Steps > 1 ? 2.0 : 1.0);
        var bytes = weights / shape.Layers < 1 << 20 && shape.Steps > 1 ? roofline.L2Bytes : roofline.L3Bytes;
        return Math.Max(arithmetic, weights * passes / bytes);
    }

    private void Scaling()
    {
        Line($"");
        Line($"## Own scaling from {threads[0]} to {threads[^1]} threads");
        Line($"");
        Line($"| shape | inference × | training × |");
        Line($"|---|---|---|");
        foreach (var shape in shapes.Where(shape => shape.Batch > 1))
        {
            Line($"| {shape.Name} | {Ratio("infer")} | {Ratio("train")} |");

            string Ratio(string phase) =>
                Median("rnn", shape, phase, threads[0]) is { } one && Median("rnn", shape, phase, threads[^1]) is { } many
                    ? FormattableString.Invariant($"{one.Ms / many.Ms:F2}")
                    : "–";
        }
    }

    private Measurement? Median(string peer, RecurrentShape shape, string phase, int count)
    {
        var found = runs.Where(run => run.Peer == peer && run.Shape == shape.Name && run.Phase == phase && run.Threads == count)
            .OrderBy(run => run.Ms).ToList();
        return found.Count == 0 ? null : found[found.Count / 2];
    }

    private void Line(FormattableString text) => _text.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
