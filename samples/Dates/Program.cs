using Dates;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;
using Samples;

// Many to many: reads a date as people write it, character by character, and writes it as ISO 8601 does. Attention shows which characters it reads for each that it writes.
var sample = new Sample("dates", "Learns to write dates as 2021-03-03, from examples.", "a file with a pair on each line: a text, a TAB, what is to be written");
var ask = sample.Add(InputOptions.Text("--ask", "TEXT", "a date to translate at the end; 'Wednesday, March 3, 2021'"));
var epochs = sample.Add(InputOptions.Whole<int>("--epochs", "N", "how often all pairs are read; 4"));
var attention = sample.Add(InputOptions.Choice<DecoderAttention>("--attention", "how the decoder looks at what was read; luonggeneral"));
return await sample.RunAsync(args, async run =>
{
    var random = new RandomSource(run.Seed);
    var (training, test) = run.Data is null ? WrittenDates.Make(random, training: 30_000, test: 2000) : TextPairs.Read(run.Data).Split(random, 0.9);
    var search = new BeamSearchOptions { Width = 1, MaximumLength = test.Targets.Max(text => text.Length) + 2 };
    var model = run.Open(path => EncoderDecoder<float>.Open(path));
    if (model is null)
    {
        var source = CharVocabulary.FromText(string.Concat(training.Sources), new() { Unknown = true });
        var target = CharVocabulary.FromText(string.Concat(training.Targets), new() { Unknown = true, BeginAndEnd = true });
        var kind = run.Get(attention) ?? DecoderAttention.LuongGeneral;
        const int Size = 128;
        model = new(
            source, target, new Gru<float>(32, Size / 2, new() { Bidirectional = true }), new Gru<float>(32 + (kind == DecoderAttention.Bahdanau ? Size : 0), Size), new() { Attention = kind });

        const int BatchSize = 64;
        var passes = run.Get(epochs) ?? 4;
        var updates = (long)passes * ((training.Count + BatchSize - 1) / BatchSize);
        var batches = model.Pairs(training.Sources, training.Targets, BatchSize, random);
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

    var (sources, references) = test.Grouped();
    var score = model.Score(sources, references, search, run.Cancellation);
    run.Line($"of {score.Count} texts that it has not seen: {score}");
    for (var i = 0; i < Math.Min(10, score.Count); i++)
    {
        run.Line($"  {sources[i],-32} {score.Texts[i]}{(references[i].Contains(score.Texts[i]) ? string.Empty : $"  (right: {references[i][0]})")}");
    }

    var question = run.Get(ask) ?? (run.Data is null ? "Wednesday, March 3, 2021" : sources[0]);
    var answer = model.Translate(question, search);
    run.Line($"{question} → {answer}");
    if (model.Options.Attention != DecoderAttention.None)
    {
        var map = HeatMap.OfAttention(model, question, answer);
        run.Line(map.ToText(colors: !Console.IsOutputRedirected));
        map.SaveSvg(run.PathBeside(".svg"));
    }

    run.Result($"accuracy={score.Accuracy:F4} loss={score.Loss:F4}");
});
