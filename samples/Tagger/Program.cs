using System.CommandLine;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;
using Samples;
using Tagger;

// Many to many, in step: gives every word of a sentence its part of speech.
var sample = new Sample("tagger", "Learns parts of speech from tagged sentences.", "a folder with *train*.conllu, *dev*.conllu and *test*.conllu, a treebank of Universal Dependencies");
var layers = sample.Add(InputOptions.Whole<int>("--layers", "N", "layers that read the sentence; 1"));
var directions = sample.Add(InputOptions.Whole<int>("--directions", "1|2", "1 reads forwards alone, 2 both ways; 2"));
var epochs = sample.Add(InputOptions.Whole<int>("--epochs", "N", "how often all sentences are read; 4 of the small grammar, 12 of --data"));
var crf = sample.Add(new Option<bool>("--crf") { Description = "chooses the tags of a sentence together, by a conditional random field" });
var ask = sample.Add(InputOptions.Text("--ask", "TEXT", "a sentence to tag at the end, its words separated by spaces"));
return await sample.RunAsync(args, async run =>
{
    var model = run.Open(SequenceTagger<float>.Open);
    var random = new RandomSource(run.Seed);
    var (training, validation, test) = run.Data is { } folder
        ? (TaggedSentences.Read(folder, "train"), TaggedSentences.Read(folder, "dev"), TaggedSentences.Read(folder, "test"))
        : (SmallGrammar.Generate(random, 2000), SmallGrammar.Generate(random, 200), SmallGrammar.Generate(random, 1000));
    if (model is null)
    {
        if (run.Get(directions) > 2)
        {
            throw new InputException($"--directions: expected 1 or 2 but got {run.Get(directions)}.");
        }

        // What a word is, known from training, and how it is written: the second tells much of words that training did not have.
        var words = WordVocabulary.FromWords(training.Words.SelectMany(sentence => sentence), new() { MinCount = 2, Lowercase = true });
        var characters = CharVocabulary.FromText(string.Concat(training.Words.SelectMany(sentence => sentence)), new() { Unknown = true });
        var characterLayer = new Lstm<float>(inputSize: 32, hiddenSize: 64, new() { Bidirectional = true });
        var layer = new Lstm<float>(
            inputSize: 128 + characterLayer.OutputSize, hiddenSize: 128, new() { Layers = run.Get(layers) ?? 1, Bidirectional = run.Get(directions) != 1, Dropout = run.Get(layers) > 1 ? 0.3 : 0 });
        string[] tags = [.. training.Tags.SelectMany(sentence => sentence).Distinct().Order(StringComparer.Ordinal)];
        model = new(words, characters, characterLayer, layer, tags, new() { ConditionalRandomField = run.Get(crf), WordDropout = 0.05, InputDropout = 0.3, Dropout = 0.3 });

        const int BatchSize = 32;
        var passes = run.Get(epochs) ?? (run.Data is null ? 4 : 12);
        var updates = (long)passes * ((training.Words.Count + BatchSize - 1) / BatchSize);
        var batches = model.Sentences(training.Words, training.Tags, BatchSize, random);
        var trainer = new Trainer<float>(model, new Adam<float> { LearningRate = 2e-3 })
        {
            MaxGradientNorm = 5,
            MaxUpdates = run.MaxUpdates,
            MaxTime = run.MaxTime,
            Schedule = new CosineSchedule(updates),
        };
        await run.TrainAsync(trainer, (progress, stop) => trainer.FitAsync(batches, model.Loss, epochs: passes, progress: progress, cancellationToken: stop), updates);
        run.Line($"accuracy on sentences for validation: {Score(validation).Accuracy:F4}");
    }

    else if (test.Tags.SelectMany(sentence => sentence).FirstOrDefault(tag => !model.Tags.Contains(tag)) is { } unknown)
    {
        throw new InputException($"--open: the data have the tag {unknown} but the model knows {string.Join(", ", model.Tags)}; give the --data that it was trained with.");
    }

    var score = Score(test);
    run.Line($"{test.Words.Count} sentences that it has not seen: {score.Count} words, {100 * score.Accuracy:F2} % right; the tags that it knows worst:");
    foreach (var tag in WorstTags(score))
    {
        run.Line(Describe(score, tag));
    }

    foreach (var sentence in test.Words.Take(3).Append(run.Get(ask)?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? []))
    {
        run.Line(string.Join(' ', sentence.Zip(model.Predict(sentence), (word, tag) => $"{word}/{tag}")));
    }

    run.Result($"accuracy={score.Accuracy:F4} macro_f1={score.MacroF1:F4}");

    ConfusionMatrix Score(TaggedSentences sentences) => model.Score(model.Sentences(sentences.Words, sentences.Tags, 64), run.Cancellation);

    int[] WorstTags(ConfusionMatrix matrix) => [.. Enumerable.Range(0, model.Tags.Count).Where(tag => matrix.Occurrences(tag) > 0).OrderBy(matrix.F1).Take(4)];

    string Describe(ConfusionMatrix matrix, int tag)
    {
        var mistakes = Enumerable.Range(0, model.Tags.Count).Where(other => other != tag && matrix[tag, other] > 0).OrderByDescending(other => matrix[tag, other]).Take(3);
        return $"{model.Tags[tag],-6} F1 {matrix.F1(tag):F3}, {matrix.Occurrences(tag)} words, taken for {string.Join(", ", mistakes.Select(other => $"{model.Tags[other]} ({matrix[tag, other]})").DefaultIfEmpty("no other"))}";
    }
});
