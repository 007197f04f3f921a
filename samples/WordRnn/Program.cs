using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Training;
using Samples;
using WordRnn;

// Many to many: predicts each word of a text from those before. With thousands of words the output layer is most of the work; an adaptive softmax scores the rare ones only where they come.
var sample = new Sample("word-rnn", "Learns to write words.", "a text to learn; the sources of this library");
var softmax = sample.Add(InputOptions.Choice<Softmax>("--softmax", "one score for every word, or clusters of rare words; adaptive"));
var split = sample.Add(InputOptions.Choice<Split>("--split", "words and marks apart, or what stands between spaces; marks"));
var size = sample.Add(InputOptions.Whole<int>("--vocabulary", "N", "the most words to know, the others are one; 30000", minimum: 100));
var hidden = sample.Add(InputOptions.Whole<int>("--hidden", "N", "hidden units; 256"));
var epochs = sample.Add(InputOptions.Whole<int>("--epochs", "N", "how often the text is read; 3"));
var prompt = sample.Add(InputOptions.Text("--prompt", "TEXT", "what to go on from; the first words of the validation text"));
return await sample.RunAsync(args, async run =>
{
    var text = run.Data is null ? EmbeddedTexts.Read(typeof(Words).Assembly) : InputFiles.ReadText("--data", run.Data);
    var cut = run.Get(split) ?? Split.Marks;
    var model = run.Open(path => LanguageModel<float>.Open(path));
    var vocabulary = model?.Vocabulary as WordVocabulary ?? Words.Vocabulary(text, cut, run.Get(size) ?? 30_000);
    var tokens = Words.Encode(vocabulary, text, cut);
    if (tokens.Length < 2000 || vocabulary.Count < 15)
    {
        throw new InputException($"--data: expected 2,000 words or more, 15 of them different, but the text has {tokens.Length:N0} and {vocabulary.Count:N0}; give a longer one.");
    }

    var (training, validation) = (tokens.AsMemory(0, tokens.Length * 9 / 10), tokens.AsMemory(tokens.Length * 9 / 10));
    run.Line($"{tokens.Length:N0} words, {vocabulary.Count:N0} different, {tokens.Count(token => token == vocabulary.Unknown):N0} unknown; the last tenth to validate");
    if (model is null)
    {
        var units = run.Get(hidden) ?? 256;
        model = new(vocabulary, new Lstm<float>(units, units), new()
        {
            Dropout = 0.3,
            EmbeddingDropout = 0.3,
            AdaptiveSoftmax = run.Get(softmax) is Softmax.Full ? null : new() { Cutoffs = [vocabulary.Count / 15, vocabulary.Count / 3] },
        });
        var passes = run.Get(epochs) ?? 3;
        const int Batch = 32, Steps = 32;
        var updates = (long)passes * new TokenStreamSource(training, Batch, Steps).WindowCount;
        var trainer = new Trainer<float>(model, new Adam<float> { LearningRate = 3e-3 })
        {
            BatchSize = Batch,
            SequenceLength = Steps,
            MaxGradientNorm = 1,
            MaxUpdates = run.MaxUpdates,
            MaxTime = run.MaxTime,
            Schedule = new CosineSchedule(run.MaxTime?.TotalSeconds ?? updates),
            ScheduleUnit = run.MaxTime is null ? ScheduleUnit.Updates : ScheduleUnit.Seconds,
        };
        var result = await run.TrainAsync(trainer, (progress, stop) => trainer.FitAsync(training, epochs: run.MaxTime is null ? passes : null, progress: progress, cancellationToken: stop), updates);
        run.Line($"{result.Updates} updates in {result.Elapsed.TotalSeconds:F1} s, {result.Tokens / result.Elapsed.TotalSeconds:N0} words a second");
    }

    var start = run.Get(prompt) is { } given ? Words.Encode(vocabulary, given, cut) : validation.Span[..Math.Min(20, validation.Length)].ToArray();
    var drawing = new SamplingOptions { Temperature = 0.8, Seed = run.Seed, ExcludedTokens = vocabulary.Unknown is { } unknown ? [unknown] : [] };
    run.Line($"{vocabulary.Decode(start)} …\n{vocabulary.Decode(model.Generate(start, 100, drawing))}");
    var score = model.Score(validation.Span, new() { Segments = 16 }, run.Cancellation);
    run.Result($"loss={score.Loss:F4} perplexity={score.Perplexity:F2}");
});

/// <summary>What scores the words.</summary>
internal enum Softmax
{
    /// <summary>Clusters of rare words, scored where they come.</summary>
    Adaptive,

    /// <summary>All of them, each time.</summary>
    Full,
}
