using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Rnn.Measure;

namespace Rnn.Benchmarks;

/// <summary>
/// The command <c>peers</c>: the library and its peers in turn, round by round, each in a process of its own, so that a noisy moment of the machine strikes all
/// alike. Ratios are taken within a round. Writes a report as Markdown and the raw measurements as lines of JSON.
/// </summary>
internal static class PeersCommand
{
    public const string Usage =
        "peers --peers FOLDER [--peer A,B] [--threads 1,2] [--rounds 7] [--shapes FILE] [--names A,B] [--phase infer|train] [--out FILE.md | --record]";

    public static int Run(string[] arguments)
    {
        string[] options = ["--peers", "--peer", "--threads", "--rounds", "--shapes", "--names", "--phase", "--out"];
        var parsed = Arguments.Parse(Usage, arguments, options, ["--record"]);
        var folder = parsed.Needed("--peers");
        var file = parsed.Text("--shapes") ?? Path.Combine(folder, "shapes.json");
        var shapes = RecurrentShape.Read(file, parsed.List("--names"));
        var peers = Peer.Choose(parsed.List("--peer"));
        var (threads, rounds, phase) = (parsed.Numbers("--threads", 1), parsed.Number("--rounds", 7), parsed.Choice("--phase", Samples.Phases));
        var limits = Roofline.Measure();
        var run = RunFacts.Now($"peers {string.Join(' ', arguments)}", limits);
        var target = Target(parsed, folder, run);

        var samples = new Samples();
        using (var raw = new SampleFile(Path.ChangeExtension(target, ".jsonl"), run, append: parsed.Has("--record")))
        {
            Console.Error.WriteLine($"each measurement goes to {raw.Path}; Ctrl+C ends early and reports what there is");
            Measure(folder, file, shapes, peers, threads, rounds, phase, samples, raw);
        }

        var report = new PeerReport(shapes, peers, threads, samples, run, limits).ToString();
        if (parsed.Has("--record"))
        {
            report += SpeedHistory.Section(Path.ChangeExtension(target, ".jsonl"), shapes);
        }

        return Reports.Write(target, report, samples);
    }

    // Where the report goes; the raw measurements stand beside it.
    private static string Target(Arguments parsed, string folder, RunFacts run)
    {
        if (parsed.Has("--record"))
        {
            return parsed.Text("--out") is null
                ? Path.Combine(folder, "..", "results", $"{run.FileName}.md")
                : throw parsed.Wrong("--record names the file itself; leave --out away");
        }

        return Reports.Target(parsed, "peers");
    }

    private static void Measure(
        string folder, string file, IReadOnlyList<RecurrentShape> shapes, IReadOnlyList<Peer> peers, int[] threads, int rounds, string? phase, Samples samples, SampleFile raw)
    {
        using var interruption = new Interruption();
        var progress = new Progress(rounds * shapes.Count * threads.Length);
        for (var round = 1; round <= rounds; round++)
        {
            foreach (var shape in shapes)
            {
                foreach (var count in threads)
                {
                    var programs = Programs(folder, file, shape, peers, count, phase);
                    // Nobody is always the first.
                    foreach (var (name, start, input) in round % 2 == 0 ? Enumerable.Reverse(programs) : programs)
                    {
                        var measured = Execute(name, start, input, round, count, phase, interruption.Token);
                        samples.Add(measured);
                        raw.Add(measured);
                        if (interruption.Token.IsCancellationRequested)
                        {
                            return;
                        }
                    }

                    progress.Report($"round {round}, {shape.Name}, {count} thread{(count > 1 ? "s" : string.Empty)}: {Ratios(shape, peers, count, samples)}");
                }
            }
        }
    }

    private static List<(string Name, ProcessStartInfo Start, string? Input)> Programs(
        string folder, string file, RecurrentShape shape, IReadOnlyList<Peer> peers, int threads, string? phase)
    {
        List<string> own = ["shapes", file, "--threads", threads.ToString(CultureInfo.InvariantCulture), "--names", shape.Name];
        if (phase is not null)
        {
            own.AddRange(["--phase", phase]);
        }

        List<(string, ProcessStartInfo, string?)> programs = [(Peer.Own, Benchmarks.Programs.Self([.. own]), null)];
        foreach (var peer in peers.Where(peer => peer.Trains || phase is not "train"))
        {
            if (peer.Program(folder, file, shape, threads) is { } program)
            {
                programs.Add((peer.Name, program.Start, program.Input));
            }
        }

        return programs;
    }

    private static List<Sample> Execute(string name, ProcessStartInfo start, string? input, int round, int threads, string? phase, CancellationToken stop)
    {
        try
        {
            return
            [
                .. from line in Benchmarks.Programs.Run(start, input, stop)
                   let measured = line.GetProperty("phase").GetString()!
                   where phase is null || phase == measured
                   select new Sample(round, name, line.GetProperty("shape").GetString()!, threads, measured, line.GetProperty("ms").GetDouble(), Bytes(line)),
            ];
        }
        catch (ProgramFailedException failed)
        {
            Console.Error.WriteLine($"{name} is left out here: {failed.Message}");
            return [];
        }
    }

    private static long Bytes(JsonElement line) => line.TryGetProperty("bytes", out var bytes) ? bytes.GetInt64() : 0;

    private static string Ratios(RecurrentShape shape, IReadOnlyList<Peer> peers, int threads, Samples samples)
    {
        var found = from phase in Samples.Phases
                    let ratio = Samples.Median(samples.Ratios([.. peers.Select(peer => peer.Name)], Peer.Own, shape.Name, phase, threads))
                    where ratio is not null
                    select FormattableString.Invariant($"{phase} {ratio:F2} × the best");
        return string.Join(", ", found);
    }
}
