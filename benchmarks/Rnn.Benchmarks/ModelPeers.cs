using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Rnn.Benchmarks;

/// <summary>Whole training steps of language models beside the same models in TorchSharp, in turn, each in a process of its own.</summary>
internal static class ModelPeers
{
    private const string Torch = "torchsharp";
    private const string Phase = "step";

    /// <summary>Measures and reports; the exit code of the command.</summary>
    public static int Run(string command, IReadOnlyList<ModelSizes> models, int[] threads, int rounds, string target)
    {
        // That it is installed.
        Peer.Choose([Torch]);
        var run = RunFacts.Now(command, Roofline.Measure());
        var samples = new Samples();
        using (var raw = new SampleFile(Path.ChangeExtension(target, ".jsonl"), run))
        using (var interruption = new Interruption())
        {
            Console.Error.WriteLine($"each measurement goes to {raw.Path}; Ctrl+C ends early and reports what there is");
            var progress = new Progress(rounds * models.Count * threads.Length);
            var turns = from round in Enumerable.Range(1, rounds) from model in models from count in threads select (round, model, count);
            foreach (var (round, model, count) in turns)
            {
                // Neither is always the first.
                foreach (var program in round % 2 == 0 ? new[] { Torch, Peer.Own } : [Peer.Own, Torch])
                {
                    var measured = Execute(program, model, round, count, interruption.Token);
                    samples.Add(measured);
                    raw.Add(measured);
                }

                if (interruption.Token.IsCancellationRequested)
                {
                    break;
                }

                var ratio = Samples.Median(samples.Ratios(Torch, Peer.Own, model.Name, Phase, count));
                progress.Report(string.Create(CultureInfo.InvariantCulture, $"round {round}, {model.Name}, {count} thread{(count > 1 ? "s" : string.Empty)}: {ratio:F2} ×"));
            }
        }

        return Reports.Write(target, Report(models, threads, samples, run), samples);
    }

    private static Sample[] Execute(string program, ModelSizes model, int round, int threads, CancellationToken stop)
    {
        var count = threads.ToString(CultureInfo.InvariantCulture);
        var start = program == Peer.Own
            ? Programs.Self("model", "--whole", "--threads", count, "--names", model.Name)
            : new ProcessStartInfo(Path.Combine(Peer.Home, "peer13"), ["torchsharp-model", ModelSizes.File, count, model.Name]);
        try
        {
            return [.. Programs.Run(start, null, stop).Select(line => new Sample(
                round, program, model.Name, threads, Phase, line.GetProperty("ms").GetDouble(), Bytes(line)))];
        }
        catch (ProgramFailedException failed)
        {
            Console.Error.WriteLine($"{program} is left out here: {failed.Message}");
            return [];
        }
    }

    private static long Bytes(JsonElement line) => line.TryGetProperty("bytes", out var bytes) ? bytes.GetInt64() : 0;

    private static string Report(IReadOnlyList<ModelSizes> models, int[] threads, Samples samples, RunFacts run)
    {
        var text = new StringBuilder()
            .Append(CultureInfo.InvariantCulture, $"# Training steps of language models beside TorchSharp\n\n{run}\n\n")
            .Append("A step is embedding, LSTM layers, linear layer, cross-entropy, backward pass, clipping of the gradients' norm, Adam. ")
            .Append(CultureInfo.InvariantCulture, $"Rounds: {samples.Rounds}, both in turn in each.\n")
            .Append("A ratio (×) is TorchSharp's time over the library's in the same round, the median over the rounds.\n\n")
            .Append("| model | tokens | embedding | LSTM | batch | threads | ms | bytes | TorchSharp 0.107 ms | × | least to most |\n|---|---|---|---|---|---|---|---|---|---|---|\n");
        var medians = new List<double>();
        foreach (var (model, count) in from count in threads from model in models select (model, count))
        {
            var ratios = samples.Ratios(Torch, Peer.Own, model.Name, Phase, count);
            if (ratios.Count > 0)
            {
                medians.Add(Samples.Median(ratios)!.Value);
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"| {model.Name} | {model.Vocabulary} | {model.Embedding} | {model.Layers} × {model.Hidden} | {model.Rows} × {model.Steps} | {count} | {samples.Ms(Peer.Own, model.Name, Phase, count):G4} | {samples.Bytes(Peer.Own, model.Name, Phase, count)} | {samples.Ms(Torch, model.Name, Phase, count):G4} | {medians[^1]:F2} | {ratios.Min():F2} to {ratios.Max():F2} |\n");
            }
        }

        return medians.Count == 0
            ? text.ToString()
            : text.Append(CultureInfo.InvariantCulture, $"\nGeometric mean {Samples.GeometricMean(medians):F2}, least {medians.Min():F2}.\n").ToString();
    }
}
