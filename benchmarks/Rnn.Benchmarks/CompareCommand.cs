using System.Diagnostics;
using System.Globalization;
using System.Text;
using Rnn.Measure;

namespace Rnn.Benchmarks;

/// <summary>
/// The command <c>compare</c>: two commits of the library, or a commit and the working tree, built beside each other and run in turn with the same measuring
/// program. Ratios are taken within a round.
/// </summary>
internal static class CompareCommand
{
    public const string Usage =
        "compare --commit A [--with B] [--shapes FILE] [--names A,B] [--phase infer|train] [--threads N] [--rounds 7] [--cache FOLDER] [--out FILE.md]";

    public static int Run(string[] arguments)
    {
        var parsed = Arguments.Parse(
            Usage, arguments, ["--commit", "--with", "--shapes", "--names", "--phase", "--threads", "--rounds", "--cache", "--out"]);
        var (threads, rounds, phase) = (parsed.Number("--threads", 1), parsed.Number("--rounds", 7), parsed.Choice("--phase", Samples.Phases));
        var commit = parsed.Needed("--commit");
        var target = Reports.Target(parsed, "compare");
        var top = RunFacts.Git("rev-parse", "--show-toplevel") ?? throw new UsageException("run it inside the repository, with git installed.");
        var file = parsed.Text("--shapes") ?? Path.Combine(top, "benchmarks", "shapes", "streams.json");
        var shapes = RecurrentShape.Read(file, parsed.List("--names"));
        var cache = parsed.Text("--cache")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "rnn-compare");
        CommitBuild[] builds = [CommitBuild.Make(top, cache, commit), CommitBuild.Make(top, cache, parsed.Text("--with"))];
        if (builds[0].Program == builds[1].Program)
        {
            throw parsed.Wrong("both are the same commit");
        }

        var run = RunFacts.Now($"compare {string.Join(' ', arguments)}", Roofline.Measure());
        var samples = new Samples();
        using (var raw = new SampleFile(Path.ChangeExtension(target, ".jsonl"), run))
        {
            Console.Error.WriteLine($"each measurement goes to {raw.Path}; Ctrl+C ends early and reports what there is");
            Measure(builds, file, shapes, threads, rounds, phase, samples, raw);
        }

        return Reports.Write(target, Report(builds, shapes, threads, samples, run), samples);
    }

    private static void Measure(
        CommitBuild[] builds, string file, IReadOnlyList<RecurrentShape> shapes, int threads, int rounds, string? phase, Samples samples, SampleFile raw)
    {
        using var interruption = new Interruption();
        var progress = new Progress(rounds * shapes.Count);
        for (var round = 1; round <= rounds; round++)
        {
            foreach (var shape in shapes)
            {
                // Neither is always the first.
                foreach (var build in round % 2 == 0 ? builds.Reverse() : builds)
                {
                    string[] arguments = [build.Program, file, "--threads", threads.ToString(CultureInfo.InvariantCulture), "--names", shape.Name];
                    var start = new ProcessStartInfo("dotnet", phase is null ? arguments : [.. arguments, "--phase", phase]);
                    var measured = Execute(build.Name, start, round, threads, interruption.Token);
                    samples.Add(measured);
                    raw.Add(measured);
                    if (interruption.Token.IsCancellationRequested)
                    {
                        return;
                    }
                }

                progress.Report($"round {round}, {shape.Name}");
            }
        }
    }

    private static Sample[] Execute(string name, ProcessStartInfo start, int round, int threads, CancellationToken stop)
    {
        try
        {
            return [.. Programs.Run(start, null, stop).Select(line => new Sample(
                round, name, line.GetProperty("shape").GetString()!, threads, line.GetProperty("phase").GetString()!,
                line.GetProperty("ms").GetDouble(), line.GetProperty("bytes").GetInt64()))];
        }
        catch (ProgramFailedException failed)
        {
            Console.Error.WriteLine($"{name} is left out here: {failed.Message}");
            return [];
        }
    }

    private static string Time(double? ms) => FormattableString.Invariant(ms < 1 ? (FormattableString)$"{1e3 * ms:G4} µs" : $"{ms:G4} ms");

    private static string Report(CommitBuild[] builds, IReadOnlyList<RecurrentShape> shapes, int threads, Samples samples, RunFacts run)
    {
        var (old, now) = (builds[0].Name, builds[1].Name);
        var text = new StringBuilder()
            .Append(CultureInfo.InvariantCulture, $"# {now} beside {old}\n\n{run}\n\n")
            .Append(CultureInfo.InvariantCulture, $"Threads: {threads}; rounds: {samples.Rounds}, both in turn in each. ")
            .Append(CultureInfo.InvariantCulture, $"`part` is the time of {now} over that of {old} in the same round: the median over the rounds, then the least and the most.\n\n")
            .Append(CultureInfo.InvariantCulture, $"| shape | phase | {old} | {now} | part | least to most | bytes |\n|---|---|---|---|---|---|---|\n");
        var parts = new List<double>();
        foreach (var (shape, phase) in from shape in shapes from phase in Samples.Phases select (shape, phase))
        {
            var ratios = samples.Ratios(now, old, shape.Name, phase, threads);
            if (ratios.Count > 0)
            {
                parts.Add(Samples.Median(ratios)!.Value);
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"| {shape.Name} | {phase} | {Time(samples.Ms(old, shape.Name, phase, threads))} | {Time(samples.Ms(now, shape.Name, phase, threads))} | {parts[^1]:F2} | {ratios.Min():F2} to {ratios.Max():F2} | {samples.Bytes(now, shape.Name, phase, threads)} |\n");
            }
        }

        return parts.Count == 0
            ? text.ToString()
            : text.Append(CultureInfo.InvariantCulture, $"\nGeometric mean of the parts: {Samples.GeometricMean(parts):F2}.\n").ToString();
    }
}
