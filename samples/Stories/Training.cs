using Rnn.Kernels;
using Rnn.Tensors;
using Samples;

namespace Stories;

/// <summary>Trains a reader for a task: from several starts at once, since which minimum is found depends on it.</summary>
internal static class Training
{
    /// <summary>The reader that errs least on what it has learned from; the smaller loss where two err alike.</summary>
    internal static async Task<StoryReader> BestAsync(SampleRun run, StoryTask task, Func<RandomSource, StoryReader> make, int starts, int epochs)
    {
        var readers = new (StoryReader Reader, (double Error, double Loss) Score)[starts];
        await Parallel.ForAsync(0, starts, new ParallelOptions { MaxDegreeOfParallelism = Workers.MaxThreads, CancellationToken = run.Cancellation }, async (start, stop) =>
        {
            var random = new RandomSource(run.Seed).Split((ulong)task.Number).Split((ulong)start);
            var reader = make(random.Split("weights"));
            foreach (var (_, fit, _) in reader.Training(task.Training, epochs, run.MaxUpdates, run.MaxTime, random.Split("order")))
            {
                await fit(null, stop);
            }

            readers[start] = (reader, reader.Score(task.Training));
        });
        return readers.MinBy(pair => pair.Score).Reader;
    }

    /// <summary>One start, with its progress shown, saved at the end or on Ctrl+C.</summary>
    internal static async Task<StoryReader> ShownAsync(SampleRun run, StoryTask task, Func<RandomSource, StoryReader> make, int epochs)
    {
        var random = new RandomSource(run.Seed);
        var reader = make(random.Split("weights"));
        foreach (var (trainer, fit, passes) in reader.Training(task.Training, epochs, run.MaxUpdates, run.MaxTime, random.Split("order")))
        {
            await run.TrainAsync(trainer, (progress, stop) => fit(progress, stop), passes * ((task.Training.Count + 31L) / 32));
        }

        return reader;
    }
}
