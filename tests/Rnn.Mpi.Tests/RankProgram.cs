using System.Diagnostics;
using Rnn.Kernels;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Mpi.Tests;

/// <summary>What the tests start by mpirun. Prints lines that begin with the rank.</summary>
internal static class RankProgram
{
    private static readonly int[] Tokens = [.. Enumerable.Range(0, 1500).Select(i => (int)((long)i * i * 31 % 1009 % 11))];

    internal static async Task<int> Main(string[] args)
    {
        using var mpi = MpiProcessGroup.Start(new() { Timeout = TimeSpan.FromSeconds(5) });
        try
        {
            switch (args[0])
            {
                case "sums":
                    Sums(mpi);
                    break;
                case "train":
                    await TrainAsync(mpi, args);
                    break;
                case "leave":
                    Leave(mpi);
                    break;
                default:
                    throw new ArgumentException($"What is {args[0]}?");
            }

            return 0;
        }
        catch (Exception exception) when (exception is ProcessGroupException or ArithmeticException or InvalidOperationException)
        {
            Console.Error.WriteLine($"[{mpi.Rank}] {exception.GetType().Name}: {exception.Message}");
            return 3;
        }
    }

    // Everything that a group does, beside what it should give.
    private static void Sums(MpiProcessGroup mpi)
    {
        foreach (var length in new[] { 0, 1, 17, 100_003, 1_100_000 })
        {
            var values = Values(mpi.Rank);
            mpi.AllSum(values.AsSpan());
            var expected = Values(0);
            for (var rank = 1; rank < mpi.Size; rank++)
            {
                expected = [.. expected.Zip(Values(rank), (a, b) => a + b)];
            }

            Check(values.AsSpan().SequenceEqual(expected), $"the sum of {length}");

            float[] Values(int rank) => [.. Enumerable.Range(0, length).Select(i => MathF.Sin((i * 0.37f) + rank))];
        }

        for (var root = 0; root < mpi.Size; root++)
        {
            long[] values = [100 + mpi.Rank, mpi.Rank];
            mpi.Broadcast(values.AsSpan(), root);
            Check(values[0] == 100 + root && values[1] == root, $"the broadcast from {root}");
        }

        var all = new int[2 * mpi.Size];
        mpi.AllGather([mpi.Rank, -mpi.Rank], all);
        Check(Enumerable.Range(0, mpi.Size).All(rank => all[2 * rank] == rank && all[(2 * rank) + 1] == -rank), "the values of all");
        Check(mpi.SizeOnThisMachine == mpi.Size && mpi.CommunicationTime > TimeSpan.Zero, "the group");
        Console.WriteLine($"[{mpi.Rank}] right, {Workers.MaxThreads} threads");

        static void Check(bool isRight, string what)
        {
            if (!isRight)
            {
                throw new InvalidOperationException($"Wrong: {what}.");
            }
        }
    }

    // One that ends without the others, who wait for it.
    private static void Leave(MpiProcessGroup mpi)
    {
        if (mpi.Rank != 1)
        {
            mpi.AllSum(new float[10].AsSpan());
        }
    }

    // train CASE UPDATES [parts=N] [checkpoint=PATH] [throw=UPDATE] [kill=UPDATE] [freeze=UPDATE] [differ]: what happens happens on rank 1.
    private static async Task TrainAsync(MpiProcessGroup mpi, string[] args)
    {
        var options = args.Skip(3).Select(arg => arg.Split('=')).ToDictionary(pair => pair[0], pair => pair[^1]);
        int Option(string name) => options.TryGetValue(name, out var text) ? int.Parse(text, System.Globalization.CultureInfo.InvariantCulture) : 0;
        var lstm = new Lstm<float>(8, 24, new() { Layers = 2, Dropout = 0.2, RecurrentDropout = 0.1, Seed = 3 + (ulong)mpi.Rank });
        var model = new LanguageModel<float>(11, lstm, new() { Dropout = 0.3, Seed = 4 });
        var optimizer = new Adam<float> { LearningRate = options.ContainsKey("differ") && mpi.Rank == 1 ? 0.02 : 0.01 };
        var reports = new List<TrainingProgress>();
        var trainer = new Trainer<float>(model, optimizer)
        {
            Processes = mpi.Size > 1 ? mpi : null,
            BatchParts = options.ContainsKey("parts") ? Option("parts") : 1,
            BatchSize = 7,
            SequenceLength = 10,
            MaxGradientNorm = 0.5,
            MaxUpdates = long.Parse(args[2], System.Globalization.CultureInfo.InvariantCulture),
            ValidateEvery = 9,
            AccumulationSteps = args[1] == "accumulation" ? 2 : 1,
            Schedule = new CosineSchedule(100),
            CheckpointPath = options.GetValueOrDefault("checkpoint"),
            CheckpointEvery = options.ContainsKey("checkpoint") ? 5 : null,
            Resume = options.ContainsKey("checkpoint"),
            AfterUpdate = update =>
            {
                if (mpi.Rank == 1 && update.Number == Option("throw"))
                {
                    throw new ArithmeticException("That was rank 1.");
                }

                if (mpi.Rank == 1 && update.Number == Option("kill"))
                {
                    Process.GetCurrentProcess().Kill();
                }

                if (mpi.Rank == 1 && update.Number == Option("freeze"))
                {
                    Process.Start("kill", $"-STOP {Environment.ProcessId}").WaitForExit();
                }
            },
        };
        var progress = new Collector(reports);
        if (args[1] == "buckets")
        {
            var sequences = Enumerable.Range(0, 40).Select(i => Tokens[(i * 11)..((i * 11) + 2 + (i * 7 % 13))]).ToArray();
            var source = new TokenSequenceSource(sequences, 7, 10, new RandomSource(5));
            await trainer.FitAsync(source, Tokens.AsMemory(1200), progress: progress);
        }
        else
        {
            await trainer.FitAsync(Tokens.AsMemory(0, 1200), Tokens.AsMemory(1200), progress: progress);
        }

        var state = new Rnn.Formats.StateTree<float>();
        model.SaveState(state.Branch("model"));
        optimizer.SaveState(state.Branch("optimizer"));
        var bits = Hash(state.Tensors.Values.SelectMany(tensor => tensor.ToArray()).Select(value => (ulong)(uint)BitConverter.SingleToInt32Bits(value))
            .Concat(state.Values.Values.SelectMany(text => text.Select(letter => (ulong)letter))));
        var seen = Hash(reports.SelectMany(report => new[] { report.Loss, report.GradientNorm, report.LearningRate, report.ValidationLoss ?? 0, report.Tokens }.Select(BitConverter.DoubleToUInt64Bits)));
        Console.WriteLine($"[{mpi.Rank}] bits {bits:x16}{(reports.Count > 0 ? $" reports {seen:x16}" : string.Empty)}");
    }

    private static ulong Hash(IEnumerable<ulong> numbers) => numbers.Aggregate(0xCBF29CE484222325UL, (hash, number) => (hash ^ number) * 0x100000001B3UL);

    private sealed class Collector(List<TrainingProgress> reports) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => reports.Add(value);
    }
}
