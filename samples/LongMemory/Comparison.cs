using System.Diagnostics;
using Rnn.Tensors;
using Rnn.Training;

namespace LongMemory;

/// <summary>Trains cells on tasks until they solve them, within the limits of the user.</summary>
internal sealed class Comparison(Settings settings)
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    internal TimeSpan Elapsed => _clock.Elapsed;

    /// <summary>Whether the time is over.</summary>
    internal bool IsOver => settings.Time <= _clock.Elapsed;

    /// <summary>Some trainings of a cell on a task, from different seeds.</summary>
    internal async Task<Row> RunAsync(TaskKind kind, int length, Cell cell, CancellationToken stop)
    {
        var runs = new List<Run>();
        for (var i = 0; i < (settings.Runs ?? kind.Runs) && !IsOver; i++)
        {
            // Each run has data and weights of its own; the cells of a task have the same data.
            var seed = settings.Seed + (ulong)i;
            runs.Add(await TrainAsync(kind.Create(length, new RandomSource(seed).Split(kind.Name)), cell, seed, stop));
        }

        return new(kind, length, cell.Name, runs);
    }

    private async Task<Run> TrainAsync(MemoryTask task, Cell cell, ulong seed, CancellationToken stop)
    {
        var begin = _clock.Elapsed;
        var most = settings.Updates ?? task.Updates;
        var network = task.Create(cell, seed);
        var optimizer = new Adam<float> { LearningRate = cell.LearningRate * task.RateFactor };
        var schedule = task.Fades ? new CosineSchedule(most) : null;
        var (updates, value, isSolved) = (0, double.NaN, false);
        while (updates < most && !isSolved && !IsOver)
        {
            var trainer = new Trainer<float>(network, optimizer)
            {
                MaxGradientNorm = 1,
                MaxUpdates = task.Fades ? most : Math.Min(task.TestEvery, most - updates),
                MaxTime = settings.Time - _clock.Elapsed,
                Schedule = schedule,
                NonFiniteGradients = NonFinitePolicy.SkipStep,
            };
            updates += (int)(await task.LearnAsync(trainer, stop)).Updates;
            using var scope = TensorScope.Enter();
            using var noGradient = NoGradient.Enter();
            (value, isSolved) = task.Test(network);
        }

        return new(isSolved, updates, value, (_clock.Elapsed - begin).TotalSeconds);
    }
}

/// <summary>A training: whether the task was solved at its end, after how many updates, the figure of the last test, and its time.</summary>
internal readonly record struct Run(bool IsSolved, int Updates, double Value, double Seconds);
