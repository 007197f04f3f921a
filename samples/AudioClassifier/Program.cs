using System.CommandLine;
using AudioClassifier;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;
using Samples;

// Many to one: hears a sound frame by frame and says its class, such as the digit that was spoken.
var sample = new Sample("audio-classifier", "Learns the class of a sound from examples.", "a folder of files LABEL_SPEAKER_TAKE.wav, takes 0 to 4 for the test, or of ae.train and ae.test");
var epochs = sample.Add(InputOptions.Whole<int>("--epochs", "N", "how often all sounds are heard; 10 of those that it makes, 25 of --data"));
var live = sample.Add(new Option<bool>("--live") { Description = "trains a model that hears forwards alone and shows what it thinks while it hears" });
return await sample.RunAsync(args, async run =>
{
    var model = run.Open(SequenceClassifier<float>.Open);
    var random = new RandomSource(run.Seed);
    var (training, test) = run.Data is null ? (Sounds.Generate(random, 1500), Sounds.Generate(random, 700)) : Recordings.Read(run.Data);
    if (model is null)
    {
        // The model standardises the features itself, by the statistics of the training, so that its file is all that is needed to use it.
        var size = training.Features[0].Shape[1];
        var layer = new SequenceChain<float>(
            Standardization<float>.Fit(training.Features), new Dropout<float>(0.1), new Gru<float>(size, 64, new() { Layers = 2, Bidirectional = !run.Get(live), Dropout = 0.3 }));
        model = new(layer, training.Classes, new() { Pooling = run.Get(live) ? PoolingKind.Last : PoolingKind.Mean, Dropout = 0.3 });

        const int BatchSize = 32;
        var passes = run.Get(epochs) ?? (run.Data is null ? 10 : 25);
        var updates = (long)passes * ((training.Labels.Length + BatchSize - 1) / BatchSize);
        var batches = FeatureBatch<float>.Bucket(training.Features, BatchSize, random);
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
    else if (!model.Classes.SequenceEqual(test.Classes))
    {
        throw new InputException($"--open: the model tells {string.Join(", ", model.Classes)} apart, but the data are of {string.Join(", ", test.Classes)}; give the --data that it was trained with.");
    }

    var score = model.Score(FeatureBatch<float>.Bucket(test.Features, 64), test.Labels, run.Cancellation);
    run.Line($"of {score.Count} sounds that it has not heard, by class:\n{score}");
    var picture = test.Features[0].Shape[1] == LogMel.Bands ? $":\n{LogMel.Draw(test.Features[0])}" : string.Empty;
    run.Line($"one of them, {test.Classes[test.Labels[0]]}, heard as {model.Classify(test.Features[0])}{picture}");
    if (model.SequenceLayer.IsCausal)
    {
        Listen(model, test.Features[0]);
    }

    run.Result($"accuracy={score.Accuracy:F4} macro_f1={score.MacroF1:F4}");

    // Frame by frame, as from a microphone.
    void Listen(SequenceClassifier<float> hearer, Tensor<float> sound)
    {
        var stream = hearer.CreateStream();
        for (var frame = 0; frame < sound.Shape[0]; frame++)
        {
            var probabilities = stream.Step(sound.Select(0, frame).AsReadOnlySpan());
            var best = System.Numerics.Tensors.TensorPrimitives.IndexOfMax(probabilities);
            if (frame % 10 == 9)
            {
                run.Line($"after {frame + 1} frames: {hearer.Classes[best]} ({100 * probabilities[best]:F1} %)");
            }
        }
    }
});
