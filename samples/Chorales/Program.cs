using Chorales;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;
using Samples;

// Many to many in step, with many labels: which keys of the piano sound next, given all that sounded before? Each key has a probability of its own.
var sample = new Sample("chorales", "Learns polyphonic music and writes some.", "the file or folder jsb-chorales: JSON with lists of pieces under train, valid and test, steps of MIDI pitches");
var steps = sample.Add(InputOptions.Whole<int>("--steps", "N", "the quarter notes that it writes; 64"));
var temperature = sample.Add(InputOptions.NotNegative("--temperature", "T", "how daring it is: below 1 likely keys become more likely; 0.7"));
return await sample.RunAsync(args, async run =>
{
    var random = new RandomSource(run.Seed);
    var data = run.Data is null ? Pieces.Generate(random) : Pieces.Read(run.Data);
    var model = run.Open(path => MultiLabelSequenceModel<float>.Open(path));
    if (model is null)
    {
        var layer = new Lstm<float>(Pieces.Keys, hiddenSize: 300, new() { RecurrentDropout = 0.2 });
        model = new(layer, Pieces.Keys, new() { InputDropout = 0.1, Dropout = 0.4 });

        const int Updates = 1500;
        var trainer = new Trainer<float>(model, new Adam<float> { LearningRate = 3e-3 })
        {
            MaxGradientNorm = 5,
            MaxUpdates = Math.Min(Updates, run.MaxUpdates ?? Updates),
            MaxTime = run.MaxTime,
            Schedule = new CosineSchedule(Updates),

            // Two hundred pieces are soon known by heart: it ends where other pieces are no longer predicted better.
            ValidateEvery = 50,
            Patience = 6,
            RestoreBest = true,
        };
        var batches = FeatureBatch<float>.Bucket(data.Training, batchSize: 16, random);
        await run.TrainAsync(trainer, (progress, stop) => trainer.FitAsync(
            batches, model.Loss, validation: FeatureBatch<float>.Bucket(data.Validation, 16), count: CountSteps, progress: progress, cancellationToken: stop));
    }

    var piece = model.Generate(run.Get(steps) ?? 64, temperature: run.Get(temperature) ?? 0.7, random: new RandomSource(run.Seed).Split("writing"), cancellationToken: run.Cancellation);
    var (notes, path) = (Pieces.Notes(piece), run.PathBeside(".mid"));
    Score.WriteMidi(path, notes, stepsPerQuarter: 1, program: 19);
    run.Line($"{Score.Draw(notes)}\nwritten to {Path.GetFullPath(path)}");

    var score = model.Score(FeatureBatch<float>.Bucket(data.Test, 16), run.Cancellation);
    run.Line($"pieces that it has not seen: {score}");
    run.Result($"nll={score.NegativeLogLikelihood:F4} precision={score.Precision:F4} recall={score.Recall:F4} f1={score.F1:F4}");

    static long CountSteps(FeatureBatch<float> batch)
    {
        var count = 0L;
        foreach (var length in batch.Lengths)
        {
            count += length;
        }

        return count;
    }
});
