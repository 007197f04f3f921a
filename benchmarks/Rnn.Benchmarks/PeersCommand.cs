using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Rnn.Benchmarks;

/// <summary>
/// The command <c>peers --peers FOLDER --threads 1,2 --rounds 3</c>: the library and its peers in turn, shape by shape and round by round, each in
/// a process of its own, so that a noisy moment of the machine strikes all alike. Prints medians and ratios as Markdown.
/// </summary>
internal static class PeersCommand
{
    public static int Run(string[] arguments)
    {
        string[] known = ["--peers", "--threads", "--rounds", "--shapes", "--names", "--out"];
        if (!Arguments.TryParse(arguments, known, out var parsed) || parsed.Free.Count > 0 || parsed.Text("--peers") is not { } folder)
        {
            Console.Error.WriteLine("usage: peers --peers FOLDER [--threads 1,2] [--rounds 3] [--shapes FILE] [--names A,B] [--out FILE.md]");
            return 2;
        }

        var file = parsed.Text("--shapes") ?? Path.Combine(folder, "shapes.json");
        if (!File.Exists(file))
        {
            Console.Error.WriteLine($"peers: there is no file '{file}'; give the folder of the peers' scripts, and --shapes for shapes elsewhere.");
            return 2;
        }

        var threads = parsed.List("--threads") is { Length: > 0 } list ? list.Select(int.Parse).ToArray() : [1];
        var rounds = parsed.Number("--rounds", 3);
        var shapes = RecurrentShape.Read(file, parsed.List("--names"));
        var roofline = Roofline.Measure();
        var runs = new List<Measurement>();
        var home = Environment.GetEnvironmentVariable("PEERS_HOME")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "rnn-peers");
        foreach (var shape in shapes)
        {
            for (var round = 0; round < rounds; round++)
            {
                foreach (var count in threads)
                {
                    Console.Error.WriteLine($"{shape.Name}: round {round + 1} of {rounds}, {count} thread{(count > 1 ? "s" : string.Empty)}");
                    foreach (var peer in Peers(folder, home, file, shape, count))
                    {
                        runs.AddRange(Execute(peer));
                    }
                }
            }
        }

        var report = new PeerReport(shapes, threads, rounds, runs, roofline).ToString();
        Console.WriteLine(report);
        var target = parsed.Text("--out");
        if (target is not null)
        {
            File.WriteAllText(target, report);
            Console.Error.WriteLine($"written to {Path.GetFullPath(target)}");
        }

        return 0;
    }

    private static IEnumerable<(ProcessStartInfo Start, string? Input)> Peers(string folder, string home, string file, RecurrentShape shape, int threads)
    {
        var count = threads.ToString(CultureInfo.InvariantCulture);
        var self = new ProcessStartInfo(Environment.ProcessPath!);
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            self.ArgumentList.Add(typeof(PeersCommand).Assembly.Location);
        }

        foreach (var argument in new[] { "shapes", file, "--threads", count, "--names", shape.Name })
        {
            self.ArgumentList.Add(argument);
        }

        yield return (self, null);
        if (shape.Cell is not null || shape.Projection > 0 || shape.Ragged)
        {
            yield break;
        }

        var dnnl = Path.Combine(home, "dnnl_peer");
        if (File.Exists(dnnl))
        {
            var start = new ProcessStartInfo(dnnl, [count]);
            start.Environment["OMP_NUM_THREADS"] = count;
            yield return (start, FormattableString.Invariant(
                $"{shape.Name} {shape.Kind} {shape.Layers} {shape.Steps} {shape.Batch} {shape.Input} {shape.Hidden} {(shape.Bidirectional ? 1 : 0)}\n"));
        }

        var model = Path.Combine(home, "models", $"{shape.Name}.onnx");
        if (File.Exists(model))
        {
            yield return (new("node", [Path.Combine(folder, "ort_peer.mjs"), file, Path.Combine(home, "models"), count, shape.Name]), null);
        }

        yield return (new("/usr/bin/python3", [Path.Combine(folder, "torch_peer.py"), file, count, shape.Name]), null);
    }

    private static List<Measurement> Execute((ProcessStartInfo Start, string? Input) peer)
    {
        var results = new List<Measurement>();
        peer.Start.RedirectStandardOutput = true;
        peer.Start.RedirectStandardInput = true;
        peer.Start.RedirectStandardError = true;
        try
        {
            using var process = Process.Start(peer.Start)!;
            process.ErrorDataReceived += (_, _) => { };
            process.BeginErrorReadLine();
            process.StandardInput.Write(peer.Input);
            process.StandardInput.Close();
            while (process.StandardOutput.ReadLine() is { } line)
            {
                if (line.StartsWith('{'))
                {
                    results.Add(Parse(line));
                }
            }

            process.WaitForExit();
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            Console.Error.WriteLine($"peers: {peer.Start.FileName} does not run ({missing.Message}); it is left out. setup.sh installs the peers.");
        }

        return results;
    }

    private static Measurement Parse(string line)
    {
        using var json = JsonDocument.Parse(line);
        var root = json.RootElement;
        return new(
            root.GetProperty("peer").GetString()!, root.GetProperty("shape").GetString()!, root.GetProperty("threads").GetInt32(),
            root.GetProperty("phase").GetString()!, root.GetProperty("ms").GetDouble(), root.GetProperty("flop").GetDouble(),
            root.TryGetProperty("bytes", out var bytes) ? bytes.GetInt64() : 0);
    }
}
