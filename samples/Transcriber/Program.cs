using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;
using Samples;
using Transcriber;

// Many to fewer: reads a row of digits column by column, or hears them frame by frame, and writes them down. Where one ends and the next begins it finds out itself.
var sample = new Sample("transcriber", "Learns to read digits in a row that nobody has cut apart.", "a folder of files DIGIT_SPEAKER_TAKE.wav, which are joined to strings; takes 0 to 4 for the test");
var epochs = sample.Add(InputOptions.Whole<int>("--epochs", "N", "how often all strings are read; 8"));
var beam = sample.Add(InputOptions.Whole<int>("--beam", "N", "the width of the search; 8, 1 for the best path"));
return await sample.RunAsync(args, async run =>
{
    var model = run.Open(SequenceTranscriber<float>.Open);
    var random = new RandomSource(run.Seed);
    var (training, test) = run.Data is null ? (Handwriting.Generate(random, 2500), Handwriting.Generate(random, 500)) : Speech.Read(run.Data, random, 3000, 500);
    var size = training.Features[0].Shape[1];
    if (model is null)
    {
        // Frames of sound are many and alike: two are read as one. The statistics of the training are part of the model, so that its file is all that is needed.
        var stacking = run.Data is null ? 1 : 2;
        var layer = new SequenceChain<float>(
            Standardization<float>.Fit(training.Features.Select(features => Strings.Stack(features, stacking))), new Dropout<float>(0.1),
            new Gru<float>(stacking * size, 64, new() { Layers = 2, Bidirectional = true, Dropout = 0.2 }));
        model = new(layer, CharVocabulary.FromText("0123456789"), new() { FrameStacking = stacking, Dropout = 0.2 });

        const int BatchSize = 32;
        var passes = run.Get(epochs) ?? 8;
        var updates = (long)passes * ((training.Texts.Length + BatchSize - 1) / BatchSize);
        var batches = model.Pairs(training.Features, training.Texts, BatchSize, random);
        var trainer = new Trainer<float>(model, new Adam<float> { LearningRate = 3e-3 })
        {
            MaxGradientNorm = 1,
            MaxUpdates = run.MaxUpdates,
            MaxTime = run.MaxTime,
            Schedule = new CosineSchedule(updates),
        };
        await run.TrainAsync(
            trainer, (progress, stop) => trainer.FitAsync(batches, batch => model.Loss(batch), epochs: passes, progress: progress, cancellationToken: stop), updates);
    }
    else if (model.FeatureSize != size)
    {
        throw new InputException($"--open: the model reads {model.FeatureSize} numbers a step, but the data have {size}; give the --data that it was trained with.");
    }

    var width = run.Get(beam) ?? 8;
    var score = model.Score(model.Pairs(test.Features, test.Texts, 64), width, run.Cancellation);
    run.Line($"{score.Count} strings that it has not seen: {score}");
    foreach (var (features, text) in test.Features.Zip(test.Texts).Take(5))
    {
        run.Line($"{text} read as {model.Transcribe(features, width)}");
    }

    // Where it sees what: a row for each digit and the blank, a column for each step, named by the likeliest digit where it is one.
    run.Line(run.Data is null ? Handwriting.Draw(test.Features[0]) : LogMel.Draw(test.Features[0]));
    var seen = model.Probabilities(test.Features[0]);
    string[] names = [.. Enumerable.Range(0, model.Blank).Select(model.Vocabulary.TokenText), " "];
    var (values, steps) = (new double[names.Length, seen.Shape[0]], new string[seen.Shape[0]]);
    for (var t = 0; t < steps.Length; t++)
    {
        for (var label = 0; label < names.Length; label++)
        {
            values[label, t] = seen[t, label];
        }

        steps[t] = names[Enumerable.Range(0, names.Length).MaxBy(label => values[label, t])];
    }

    var map = new HeatMap(names, steps, values);
    run.Line(map.ToText(colors: !Console.IsOutputRedirected));
    map.SaveSvg(run.PathBeside(".svg"));
    run.Result($"ler={score.LabelErrorRate:F4} exact={score.Accuracy:F4} loss={score.Loss:F4}");
});
