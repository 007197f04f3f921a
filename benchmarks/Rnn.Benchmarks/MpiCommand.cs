using System.Diagnostics;
using System.Globalization;
using Rnn.Layers;
using Rnn.Measure;
using Rnn.Models;
using Rnn.Mpi;
using Rnn.Training;

namespace Rnn.Benchmarks;

/// <summary>
/// The command <c>mpi</c>, started by mpirun: what a sum of all gradients takes on this network, and an update of a language model by one process and by all, the same batch, in turn.
/// </summary>
internal static class MpiCommand
{
    public const string Usage = "mpi [--names A,B] [--updates 40] [--rounds 5] [--threads N]";

    // The first updates compile, and pack weights into new memory.
    private const int WarmUp = 5;

    public static int Run(string[] arguments)
    {
        var parsed = Arguments.Parse(Usage, arguments, ["--names", "--updates", "--rounds", "--threads"]);
        var models = ModelSizes.Read(parsed.List("--names"));
        var (updates, rounds) = (parsed.Number("--updates", 40), parsed.Number("--rounds", 5));
        using var group = MpiProcessGroup.Start(new() { Threads = parsed.Text("--threads") is null ? null : parsed.Number("--threads", 1) });
        if (group.Rank == 0)
        {
            Console.WriteLine($"{group.Size} processes, {group.SizeOnThisMachine} on this machine, {Kernels.Workers.MaxThreads} thread(s) each; medians of {rounds} rounds, one process and all in turn, {updates} updates each");
            Console.WriteLine();
            Console.WriteLine("| model | parameters | sum of gradients, ms | GB/s sent | one process: ms an update | tokens/s | all: ms an update | tokens/s | × | in communication |");
            Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|");
        }

        foreach (var sizes in models)
        {
            Measure(sizes, group, updates, rounds);
        }

        return 0;
    }

    private static void Measure(ModelSizes sizes, MpiProcessGroup group, int updates, int rounds)
    {
        var lstm = new Lstm<float>(sizes.Embedding, sizes.Hidden, new() { Layers = sizes.Layers, Seed = 1 });
        var model = new LanguageModel<float>(sizes.Vocabulary, lstm);
        var optimizer = new Adam<float> { LearningRate = 1e-4 };
        var random = new Random(1);
        int[] tokens = [.. Enumerable.Range(0, 1 + (sizes.Rows * sizes.Steps * (updates + WarmUp))).Select(_ => random.Next(sizes.Vocabulary))];
        var (alone, together, shares) = (new List<double>(), new List<double>(), new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            if (group.Rank == 0)
            {
                alone.Add(Update(null).Seconds);
            }

            Meet(group);
            var (seconds, share) = Update(group);
            together.Add(seconds);
            shares.Add(share);
        }

        var sum = Sum(group, (int)model.ParameterCount);
        if (group.Rank != 0)
        {
            return;
        }

        var (one, all, batch) = (Samples.Median(alone)!.Value, Samples.Median(together)!.Value, (double)sizes.Rows * sizes.Steps);
        var bytes = 2.0 * (group.Size - 1) / group.Size * model.ParameterCount * sizeof(float);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {sizes.Name} | {model.ParameterCount:N0} | {1e3 * sum:F2} | {bytes / sum / 1e9:F2} | {1e3 * one:F1} | {batch / one:N0} | {1e3 * all:F1} | {batch / all:N0} | {one / all:F2} | {Samples.Median(shares)!.Value:P1} |"));

        // The median time of an update, and what part of all updates went into communication.
        (double Seconds, double Share) Update(ProcessGroup? processes)
        {
            var (times, last, communication, begun) = (new List<double>(), 0L, TimeSpan.Zero, 0L);
            var trainer = new Trainer<float>(model, optimizer)
            {
                BatchSize = sizes.Rows,
                SequenceLength = sizes.Steps,
                MaxGradientNorm = 1,
                MaxUpdates = updates + WarmUp,
                Processes = processes,
                AfterUpdate = update =>
                {
                    var now = Stopwatch.GetTimestamp();
                    if (update.Number == WarmUp)
                    {
                        (begun, communication) = (now, group.CommunicationTime);
                    }
                    else if (update.Number > WarmUp)
                    {
                        times.Add(Stopwatch.GetElapsedTime(last, now).TotalSeconds);
                    }

                    last = now;
                },
            };
            trainer.FitAsync(tokens).GetAwaiter().GetResult();
            return (Samples.Median(times)!.Value, (group.CommunicationTime - communication) / Stopwatch.GetElapsedTime(begun, last));
        }
    }

    private static double Sum(MpiProcessGroup group, int length)
    {
        const int Repetitions = 21;
        var (values, times) = (new float[length], new List<double>());
        for (var i = 0; i < Repetitions; i++)
        {
            Meet(group);
            var start = Stopwatch.GetTimestamp();
            group.AllSum(values.AsSpan());
            times.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return Samples.Median(times)!.Value;
    }

    private static void Meet(MpiProcessGroup group) => group.AllGather<byte>([1], new byte[group.Size]);
}
