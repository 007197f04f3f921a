using Addition;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;
using Samples;

// Many to many without attention (Sutskever et al. 2014): all that the decoder knows of a sum such as 12+345 is the encoder's last state. The encoder reads it backwards, so that what
// is written first was read last (and carries, which run from right to left, come with the reading).
var sample = new Sample("addition", "Learns to add numbers of up to three digits, from examples.", "a file with a pair on each line: a text, a TAB, what is to be written");
var ask = sample.Add(InputOptions.Text("--ask", "TEXT", "a sum to compute at the end; 123+789"));
var epochs = sample.Add(InputOptions.Whole<int>("--epochs", "N", "how often all sums are read; 25"));
var hidden = sample.Add(InputOptions.Whole<int>("--hidden", "N", "units of encoder and decoder; 128"));
return await sample.RunAsync(args, async run =>
{
    var random = new RandomSource(run.Seed);
    var (training, test) = run.Data is null ? Sums.Make(random, training: 50_000, test: 2000) : TextPairs.Read(run.Data).Split(random, 0.9);
    var search = new BeamSearchOptions { Width = 1, MaximumLength = test.Targets.Max(text => text.Length) + 2 };
    var model = run.Open(path => EncoderDecoder<float>.Open(path));
    if (model is null)
    {
        var source = CharVocabulary.FromText(string.Concat(training.Sources), new() { Unknown = true });
        var target = CharVocabulary.FromText(string.Concat(training.Targets), new() { Unknown = true, BeginAndEnd = true });
        var size = run.Get(hidden) ?? 128;
        model = new(source, target, new Lstm<float>(32, size), new Lstm<float>(32, size), new() { Attention = DecoderAttention.None });

        const int BatchSize = 64;
        var passes = run.Get(epochs) ?? 25;
        var updates = (long)passes * ((training.Count + BatchSize - 1) / BatchSize);
        var batches = model.Pairs(Backwards(training.Sources), training.Targets, BatchSize, random);
        var trainer = new Trainer<float>(model, new Adam<float> { LearningRate = 4e-3 })
        {
            MaxGradientNorm = 1,
            MaxUpdates = run.MaxUpdates,
            MaxTime = run.MaxTime,
            Schedule = new CosineSchedule(updates) { WarmupSteps = updates / 20 },
        };
        await run.TrainAsync(
            trainer,
            (progress, stop) => trainer.FitAsync(batches, batch => model.Loss(batch), count: batch => batch.TargetTokens, epochs: passes, progress: progress, cancellationToken: stop), updates);
    }

    var score = model.Score(Backwards(test.Sources), test.Targets, search, run.Cancellation);
    run.Line($"of {score.Count} sums that it has not seen: {score}");
    for (var i = 0; i < Math.Min(10, score.Count); i++)
    {
        run.Line($"  {test.Sources[i],8} = {score.Texts[i]}{(score.Texts[i] == test.Targets[i] ? string.Empty : $"  (right: {test.Targets[i]})")}");
    }

    var question = run.Get(ask) ?? (run.Data is null ? "123+789" : test.Sources[0]);
    run.Line($"{question} = {model.Translate(Backwards([question])[0], search)}");
    run.Result($"accuracy={score.Accuracy:F4} loss={score.Loss:F4}");

    static string[] Backwards(IReadOnlyList<string> texts) => [.. texts.Select(text => string.Concat(text.Reverse()))];
});
