using System.Globalization;
using System.Text;
using Rnn.Measure;

namespace Rnn.Benchmarks;

/// <summary>The Markdown of a run of the library beside its peers.</summary>
internal sealed class PeerReport(
    IReadOnlyList<RecurrentShape> shapes, IReadOnlyList<Peer> peers, int[] threads, Samples samples, RunFacts run, Roofline roofline)
{
    private readonly StringBuilder _text = new();
    private readonly StringBuilder _summary = new();

    public override string ToString()
    {
        var sections = from phase in Samples.Phases from count in threads select (phase, count);
        foreach (var (phase, count) in sections.Where(section => shapes.Any(shape => Own(shape, section.phase, section.count) is not null)))
        {
            Section(phase, count);
        }

        if (threads.Length > 1)
        {
            Scaling();
        }

        var head = new StringBuilder()
            .Append("# The library beside its peers\n\n").Append(run).Append("\n\n")
            .Append(CultureInfo.InvariantCulture, $"Rounds: {samples.Rounds}, all programs in turn in each. A ratio (×) is the peer's time over the library's in the same round, the median over the rounds: above 1 the\n")
            .Append("library is faster. \"The best\" is the fastest peer of each round. `peak` is the fraction of the FMA units' limit of the threads in use, `roof` that of the tighter\n")
            .Append("of this limit and the time to read the weights once a step from the cache that holds them; `bytes` is what a call allocates.\n\n")
            .Append(CultureInfo.InvariantCulture, $"| geometric mean of × | threads | {string.Join(" | ", peers.Select(peer => peer.Title))} | the best | shapes below 1.00 × the best |\n")
            .Append("|---|---|").Append(string.Concat(peers.Select(_ => "---|"))).Append("---|---|\n").Append(_summary);
        return head.Append(_text).ToString();
    }

    private void Section(string phase, int count)
    {
        var name = phase == "infer" ? "Inference" : "Training step (forward, backward, all gradients, weights packed anew)";
        Line($"");
        Line($"## {name}, {count} thread{(count > 1 ? "s" : string.Empty)}");
        Line($"");
        Line($"| shape | ms | GFLOP/s | peak | roof | bytes |{string.Concat(peers.Select(peer => $" {peer.Title} ms | × |"))} the best | × the best |");
        Line($"|---|---|---|---|---|---|{string.Concat(peers.Select(_ => "---|---|"))}---|---|");
        foreach (var shape in shapes)
        {
            if (Own(shape, phase, count) is { } own)
            {
                Row(shape, phase, count, own);
            }
        }

        var title = phase == "infer" ? "inference" : "training step";
        Summary($"{title}, batches", phase, count, [.. shapes.Where(shape => !shape.IsStream)]);
        Summary($"{title}, streams", phase, count, [.. shapes.Where(shape => shape.IsStream)]);
    }

    private void Row(RecurrentShape shape, string phase, int count, double ms)
    {
        var flops = shape.Flop(phase) / (ms / 1e3);
        var limit = roofline.SingleFlops * count;
        var row = FormattableString.Invariant(
            $"| {shape.Name} | {ms:G4} | {flops / 1e9:F0} | {flops / limit:P0} | {Bound(shape, phase, limit) / (ms / 1e3):P0} | {samples.Bytes(Peer.Own, shape.Name, phase, count)} |");
        foreach (var peer in peers)
        {
            row += samples.Ms(peer.Name, shape.Name, phase, count) is { } other && Ratio(peer, shape, phase, count) is { } ratio
                ? FormattableString.Invariant($" {other:G4} | {ratio:F2} |")
                : " – | – |";
        }

        var best = peers.Where(peer => Ratio(peer, shape, phase, count) is not null).MinBy(peer => Ratio(peer, shape, phase, count));
        row += Best(shape, phase, count) is { } least ? FormattableString.Invariant($" {best?.Title} | {least:F2} |") : " – | – |";
        Line($"{row}");
    }

    private void Summary(string title, string phase, int count, RecurrentShape[] of)
    {
        var best = of.Select(shape => (shape.Name, Ratio: Best(shape, phase, count))).Where(found => found.Ratio is not null).ToArray();
        if (best.Length == 0)
        {
            return;
        }

        var below = best.Where(found => found.Ratio < 1).Select(found => FormattableString.Invariant($"{found.Name} {found.Ratio:F2}")).ToArray();
        _summary.Append(CultureInfo.InvariantCulture, $"| {title} | {count} |");
        foreach (var peer in peers)
        {
            var ratios = of.Select(shape => Ratio(peer, shape, phase, count)).OfType<double>().ToArray();
            _summary.Append(ratios.Length > 0 ? FormattableString.Invariant($" {Samples.GeometricMean(ratios):F2} |") : " – |");
        }

        _summary.Append(CultureInfo.InvariantCulture, $" {Samples.GeometricMean(best.Select(found => found.Ratio!.Value)):F2} |");
        _summary.Append(CultureInfo.InvariantCulture, $" {below.Length} of {best.Length}{(below.Length > 0 ? ": " : string.Empty)}{string.Join(", ", below)} |\n");
    }

    // Seconds that the step cannot go below: arithmetic, or the weights once a step from the second or third cache. A batch goes through one layer after the other, a
    // step of a stream through all; what the first cache holds costs nothing here.
    private double Bound(RecurrentShape shape, string phase, double flops)
    {
        var arithmetic = shape.Flop(phase) / flops;
        var weights = shape.Flop("infer") / (2.0 * shape.Steps * shape.Batch) * sizeof(float);
        var passes = shape.Steps * (phase == "train" ? 2 : 1) / (shape.Steps > 1 ? 2.0 : 1.0);
        var held = shape.Steps > 1 ? weights / shape.Layers : weights;
        var rate = held < 24 << 10 ? double.PositiveInfinity : held < 1 << 20 ? roofline.L2Bytes : roofline.L3Bytes;
        return Math.Max(arithmetic, weights * passes / rate);
    }

    private void Scaling()
    {
        Line($"");
        Line($"## Own scaling from {threads[0]} to {threads[^1]} threads");
        Line($"");
        Line($"| shape | inference × | training × |");
        Line($"|---|---|---|");
        foreach (var shape in shapes.Where(shape => !shape.IsStream))
        {
            Line($"| {shape.Name} | {Gain("infer")} | {Gain("train")} |");

            string Gain(string phase) => Own(shape, phase, threads[0]) is { } one && Own(shape, phase, threads[^1]) is { } many
                ? FormattableString.Invariant($"{one / many:F2}")
                : "–";
        }
    }

    private double? Own(RecurrentShape shape, string phase, int count) => samples.Ms(Peer.Own, shape.Name, phase, count);

    private double? Ratio(Peer peer, RecurrentShape shape, string phase, int count) =>
        Samples.Median(samples.Ratios(peer.Name, Peer.Own, shape.Name, phase, count));

    private double? Best(RecurrentShape shape, string phase, int count) =>
        Samples.Median(samples.Ratios([.. peers.Select(peer => peer.Name)], Peer.Own, shape.Name, phase, count));

    private void Line(FormattableString text) => _text.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
