using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Stories;

/// <summary>A model that reads stories and answers, how it is trained, and how often it errs.</summary>
internal abstract class StoryReader
{
    private protected const int BatchSize = 32;

    /// <summary>What is saved.</summary>
    internal abstract Module<float> Model { get; }

    /// <summary>How to train it: one part after the other, each with the updates of an epoch times its epochs.</summary>
    internal abstract IEnumerable<(Trainer<float> Trainer, Func<IProgress<TrainingProgress>?, CancellationToken, Task<TrainingResult>> Fit, int Epochs)> Training(
        IReadOnlyList<StoryText> texts, int epochs, long? updates, TimeSpan? time, RandomSource random);

    /// <summary>The part of questions that is answered wrong, and the loss.</summary>
    internal abstract (double Error, double Loss) Score(IReadOnlyList<StoryText> texts);

    private protected static WordVocabulary Vocabulary(StoryTask task) => WordVocabulary.FromWords(task.Words, new() { Unknown = false });
}

/// <summary>The memory network, trained as published: a linear start of 20 epochs, then 100 with a learning rate that halves every 25.</summary>
internal sealed class MemoryReader(MemoryNetwork<float> network) : StoryReader
{
    internal MemoryReader(StoryTask task, RandomSource random)
        : this(new MemoryNetwork<float>(Vocabulary(task), new() { Random = random }))
    {
    }

    /// <summary>The network.</summary>
    internal MemoryNetwork<float> Network => network;

    internal override Module<float> Model => network;

    internal override IEnumerable<(Trainer<float> Trainer, Func<IProgress<TrainingProgress>?, CancellationToken, Task<TrainingResult>> Fit, int Epochs)> Training(
        IReadOnlyList<StoryText> texts, int epochs, long? updates, TimeSpan? time, RandomSource random)
    {
        var batches = StoryBatch.Batches(Encode(texts), BatchSize, random);

        // The published rates and the limit are for the sum over a batch.
        var sum = new CrossEntropyOptions { Reduction = LossReduction.Sum };
        network.IsLinear = true;
        yield return Part(0.005, new ConstantSchedule(), Math.Max(1, epochs / 5), time / 6);
        network.IsLinear = false;
        yield return Part(0.01, new StepSchedule(Math.Max(1, epochs / 4), 0.5), epochs, time * 5 / 6);

        (Trainer<float>, Func<IProgress<TrainingProgress>?, CancellationToken, Task<TrainingResult>>, int) Part(double rate, Schedule schedule, int passes, TimeSpan? most)
        {
            var trainer = new Trainer<float>(network, new Sgd<float> { LearningRate = rate })
            {
                MaxGradientNorm = 40,
                MaxUpdates = updates,
                MaxTime = most,
                Schedule = schedule,
                ScheduleUnit = ScheduleUnit.Epochs,
            };
            return (trainer, (progress, stop) => trainer.FitAsync(batches, batch => network.Loss(batch, sum), epochs: passes, progress: progress, cancellationToken: stop), passes);
        }
    }

    internal override (double Error, double Loss) Score(IReadOnlyList<StoryText> texts)
    {
        var score = network.Score(StoryBatch.Batches(Encode(texts), 100));
        return (score.ErrorRate, score.Loss);
    }

    private StoryQuestion[] Encode(IReadOnlyList<StoryText> texts) => [.. texts.Select(text => network.Encode(text.Story, text.Question, text.Answer))];
}

/// <summary>For comparison an LSTM that reads all words of the story and then the question.</summary>
internal sealed class LstmReader(SequenceClassifier<float> classifier) : StoryReader
{
    internal LstmReader(StoryTask task, RandomSource random)
        : this(new SequenceClassifier<float>(
            Vocabulary(task),
            new Lstm<float>(inputSize: 50, hiddenSize: 50, new() { Random = random.Split("layer") }),
            [.. task.Training.Concat(task.Test).Select(text => text.Answer).Distinct().Order(StringComparer.Ordinal)],
            new() { InputDropout = 0.3, Random = random.Split("classifier") }))
    {
    }

    internal override Module<float> Model => classifier;

    internal override IEnumerable<(Trainer<float> Trainer, Func<IProgress<TrainingProgress>?, CancellationToken, Task<TrainingResult>> Fit, int Epochs)> Training(
        IReadOnlyList<StoryText> texts, int epochs, long? updates, TimeSpan? time, RandomSource random)
    {
        var (batches, labels) = (SequenceBatch.Bucket(Encode(texts), BatchSize, random: random), Labels(texts));
        var trainer = new Trainer<float>(classifier, new Adam<float>()) { MaxGradientNorm = 5, MaxUpdates = updates, MaxTime = time };
        yield return (trainer, (progress, stop) => trainer.FitAsync(batches, batch => classifier.Loss(batch, labels), epochs: epochs, progress: progress, cancellationToken: stop), epochs);
    }

    internal override (double Error, double Loss) Score(IReadOnlyList<StoryText> texts)
    {
        var (error, loss, labels) = (0, 0.0, Labels(texts));
        foreach (var batch in SequenceBatch.Bucket(Encode(texts), 100))
        {
            var (found, right) = (classifier.Classify(batch), batch.Select(labels));
            for (var row = 0; row < found.Length; row++)
            {
                error += found[row].Class == right[row] ? 0 : 1;
                loss -= Math.Log(Math.Max(found[row].Probabilities[right[row]], double.Epsilon));
            }
        }

        return ((double)error / texts.Count, loss / texts.Count);
    }

    private int[] Labels(IReadOnlyList<StoryText> texts)
    {
        var numbers = classifier.Classes.Index().ToDictionary(pair => pair.Item, pair => pair.Index);
        return [.. texts.Select(text => numbers.TryGetValue(text.Answer, out var number) ? number : throw new InvalidDataException($"the answer '{text.Answer}' is none that this model knows."))];
    }

    private int[][] Encode(IReadOnlyList<StoryText> texts) => [.. texts.Select(text => classifier.Vocabulary!.Encode(string.Join(' ', text.Story.Append(text.Question))))];
}
