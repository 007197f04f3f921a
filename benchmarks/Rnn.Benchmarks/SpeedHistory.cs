using System.Globalization;
using System.Text;
using System.Text.Json;
using Rnn.Measure;

namespace Rnn.Benchmarks;

/// <summary>The runs that a file of raw measurements holds, a line of a table for each: how the library's speed has gone on one kind of machine.</summary>
internal static class SpeedHistory
{
    /// <summary>A section of Markdown, or nothing where there is but one run.</summary>
    /// <param name="file">A file that the command <c>peers</c> appends its measurements to.</param>
    /// <param name="shapes">The shapes; measurements of others are left out.</param>
    public static string Section(string file, IReadOnlyList<RecurrentShape> shapes)
    {
        var runs = Read(file);
        if (runs.Count < 2)
        {
            return string.Empty;
        }

        var text = new StringBuilder("\n## History\n\nGeometric means of the ratios to the fastest peer of each run. Runs may differ in shapes and peers.\n\n")
            .Append("| day | commit | threads | rounds | shapes | peers | inference, batches | training step, batches | inference, streams |\n|---|---|---|---|---|---|---|---|---|\n");
        foreach (var (run, samples) in runs)
        {
            foreach (var threads in samples.All.Select(sample => sample.Threads).Distinct())
            {
                var peers = samples.All.Select(sample => sample.Program).Where(program => program != Peer.Own).Distinct().ToArray();
                var count = samples.All.Select(sample => sample.Shape).Distinct().Count();
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"| {run.Date} | {run.Commit} | {threads} | {samples.Rounds} | {count} | {string.Join(", ", peers)} | {Mean(shapes.Where(shape => !shape.IsStream), "infer")} | {Mean(shapes.Where(shape => !shape.IsStream), "train")} | {Mean(shapes.Where(shape => shape.IsStream), "infer")} |\n");

                string Mean(IEnumerable<RecurrentShape> of, string phase)
                {
                    var ratios = of.Select(shape => Samples.Median(samples.Ratios(peers, Peer.Own, shape.Name, phase, threads))).OfType<double>().ToArray();
                    return ratios.Length == 0 ? "–" : Samples.GeometricMean(ratios).ToString("F2", CultureInfo.InvariantCulture);
                }
            }
        }

        return text.ToString();
    }

    private static List<(RunFacts Run, Samples Samples)> Read(string file)
    {
        var runs = new List<(RunFacts Run, Samples Samples)>();
        foreach (var line in File.ReadLines(file))
        {
            if (line.StartsWith("{\"command\"", StringComparison.Ordinal))
            {
                runs.Add((JsonSerializer.Deserialize<RunFacts>(line, SampleFile.Json)!, new()));
            }
            else if (runs.Count > 0 && line.Length > 0)
            {
                runs[^1].Samples.Add([JsonSerializer.Deserialize<Sample>(line, SampleFile.Json)!]);
            }
        }

        return runs;
    }
}
