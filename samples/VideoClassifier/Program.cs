using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;
using Samples;
using VideoClassifier;

// Many to one: watches a film frame by frame and says in which direction something moves, which no frame by itself tells.
var sample = new Sample("video-classifier", "Learns to tell in which direction a shape moves.");
var epochs = sample.Add(InputOptions.Whole<int>("--epochs", "N", "how often all films are watched; 6"));
return await sample.RunAsync(args, async run =>
{
    if (run.Data is not null)
    {
        throw new InputException("--data: this sample makes its own films and reads none.");
    }

    var model = run.Open(SequenceClassifier<float>.Open);
    var random = new RandomSource(run.Seed);
    var (training, test) = (Films.Generate(random, 30_000), Films.Generate(random, 1000));
    if (model is null)
    {
        // Each frame is looked at by itself before recurrent layers compare it with what they remember.
        var layer = new SequenceChain<float>(
            new Linear<float>(Films.Pixels, 128), new ActivationLayer<float>(Activation.Relu), new Gru<float>(128, 128, new() { Layers = 2 }));
        model = new(layer, Films.Directions, new() { Dropout = 0.2 });

        const int BatchSize = 64;
        var passes = run.Get(epochs) ?? 6;
        var updates = (long)passes * ((training.Labels.Length + BatchSize - 1) / BatchSize);
        var batches = FeatureBatch<float>.Bucket(training.Frames, BatchSize, random);
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

    else if (!model.Classes.SequenceEqual(Films.Directions))
    {
        throw new InputException("--open: expected a model that this sample saved, but this one knows other classes.");
    }

    var score = model.Score(FeatureBatch<float>.Bucket(test.Frames, 128), test.Labels, run.Cancellation);
    run.Line($"of {score.Count} films that it has not seen, by direction:\n{score}");
    run.Line($"the first frames of one, which moves {Films.Directions[test.Labels[0]]} and is seen as {model.Classify(test.Frames[0])}:\n{Films.Draw(test.Frames[0])}");
    run.Result($"accuracy={score.Accuracy:F4} macro_f1={score.MacroF1:F4}");
});
