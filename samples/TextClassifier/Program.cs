using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;
using Samples;
using TextClassifier;

// Many to one: reads a text character by character and says its class, such as the language of a surname.
var sample = new Sample("text-classifier", "Learns the class of a text from examples.", "a folder with a file CLASS.txt for each class, one text on each line");
var ask = sample.Add(InputOptions.Text("--ask", "TEXT", "a text to classify at the end"));
var epochs = sample.Add(InputOptions.Whole<int>("--epochs", "N", "how often all texts are read; 8"));
var pooling = sample.Add(InputOptions.Choice<PoolingKind>("--pooling", "how the steps of a text become one vector; last"));
var split = sample.Add(InputOptions.Choice<SplitBy>("--split", "what a fifth is kept of to test on: different texts, or lines, of which some repeat one that was learned; texts"));
return await sample.RunAsync(args, async run =>
{
    var random = new RandomSource(run.Seed);
    var (training, test) = (run.Data is null ? LabelledTexts.TemporalOrder(random, 6000) : LabelledTexts.Read(run.Data)).Split(random, 0.8, run.Get(split) ?? SplitBy.Texts);
    var model = run.Open(SequenceClassifier<float>.Open);
    if (model is null)
    {
        var vocabulary = CharVocabulary.FromText(string.Concat(training.Texts), new() { Unknown = true });
        var layer = new Lstm<float>(inputSize: 64, hiddenSize: 128, new() { Bidirectional = true });
        model = new(vocabulary, layer, training.Classes, new() { Pooling = run.Get(pooling) ?? PoolingKind.Last, Dropout = 0.3, InputDropout = 0.15 });

        const int BatchSize = 64;
        var passes = run.Get(epochs) ?? 8;
        var updates = (long)passes * ((training.Texts.Count + BatchSize - 1) / BatchSize);
        var batches = SequenceBatch.Bucket(Encode(training), BatchSize, random: random);
        var trainer = new Trainer<float>(model, new Adam<float> { LearningRate = 3e-3 })
        {
            MaxGradientNorm = 1,
            MaxUpdates = run.MaxUpdates,
            MaxTime = run.MaxTime,
            Schedule = new CosineSchedule(updates),
        };
        await run.TrainAsync(
            trainer, (progress, stop) => trainer.FitAsync(batches, batch => model.Loss(batch, training.Labels), epochs: passes, progress: progress, cancellationToken: stop), updates);
    }

    else if (model.Vocabulary is null || !model.Classes.SequenceEqual(test.Classes))
    {
        throw new InputException($"--open: the model tells {string.Join(", ", model.Classes)} apart, but the data are of {string.Join(", ", test.Classes)}; give the --data that it was trained with.");
    }

    var score = model.Score(SequenceBatch.Bucket(Encode(test), 256), test.Labels, run.Cancellation);
    run.Line($"of {test.Texts.Count} texts to test on, by class:\n{score}");
    if (run.Get(ask) is { } text)
    {
        run.Line($"{text}: {model.Classify(text)}");
    }

    run.Result($"accuracy={score.Accuracy:F4} macro_f1={score.MacroF1:F4}");
    int[][] Encode(LabelledTexts data) => [.. data.Texts.Select(text => model.Vocabulary!.Encode(text))];
});
