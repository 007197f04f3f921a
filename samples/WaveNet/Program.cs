using System.Diagnostics;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;
using Samples;
using Waveforms;

// Sample by sample: learns how waves go on, continues one and writes it as a wav file; with recordings of spoken digits it speaks the digit that it is told in the voice that it is told.
var sample = new Sample("wavenet", "Learns to predict and to write waves sample by sample.", "a folder of files DIGIT_SPEAKER_TAKE.wav of 8000 samples a second; takes 0 to 4 for the test");
var epochs = sample.Add(InputOptions.Whole<int>("--epochs", "N", "how often all waves are heard; 12 of those that it makes, 10 of --data"));
var kind = sample.Add(InputOptions.Choice<LayerKind>("--layer", "what reads the samples: a WaveNet, or an LSTM with as many weights; wavenet"));
var says = sample.Add(InputOptions.Choice<WaveformOutput>("--output", "scores of 256 levels, or a mixture of logistics over 65536; mulaw"));
var rows = sample.Add(InputOptions.Whole<int>("--batch", "N", "waves a batch; 4"));
var piece = sample.Add(InputOptions.Whole<int>("--piece", "N", "the most samples of a wave to learn from at once; all"));
var rate = sample.Add(InputOptions.Positive("--rate", "X", "the highest learning rate; 0.002"));
var temperature = sample.Add(InputOptions.NotNegative("--temperature", "X", "how freely samples are drawn; 0.9"));
return await sample.RunAsync(args, async run =>
{
    var model = run.Open(WaveformModel<float>.Open);
    var random = new RandomSource(run.Seed);
    var data = run.Data is null ? WaveSet.Generate(random) : WaveSet.Read(run.Data);
    if (model is null)
    {
        const int ClassSize = 8;
        var output = run.Get(says) ?? WaveformOutput.MuLaw;
        var inputSize = (output == WaveformOutput.MuLaw ? 32 : 1) + (ClassSize * data.Conditions.Length);
        var options = new WaveformModelOptions { Output = output, Conditions = data.Conditions, ClassSize = ClassSize };
        model = new(new WaveNet<float>(inputSize, new() { LayersPerBlock = run.Data is null ? 8 : 9, ConditionSize = ClassSize * data.Conditions.Length }), options);
        if (run.Get(kind) == LayerKind.Lstm)
        {
            // The smallest one that has as many weights.
            var (weights, hidden) = (model.ParameterCount, 1);
            while (4L * hidden * (inputSize + hidden + 2) < weights - (model.ParameterCount - model.SequenceLayer.ParameterCount) - ((long)(hidden - model.SequenceLayer.OutputSize) * model.Output.OutputSize))
            {
                hidden++;
            }

            model = new(new Lstm<float>(inputSize, hidden), options);
        }

        var passes = run.Get(epochs) ?? (run.Data is null ? 12 : 10);
        var size = run.Get(rows) ?? 4;
        var pieces = data.Training.Sum(wave => run.Get(piece) is { } most ? (wave.Samples.Length + most - 1) / most : 1);
        var updates = (long)passes * ((pieces + size - 1) / size);
        var batches = Batches(data.Training, size, random, run.Get(piece));
        var trainer = new Trainer<float>(model, new Adam<float> { LearningRate = run.Get(rate) ?? 2e-3 })
        {
            MaxGradientNorm = 1,
            MaxUpdates = run.MaxUpdates,
            MaxTime = run.MaxTime,
            Schedule = new CosineSchedule(updates),
        };
        await run.TrainAsync(trainer, (progress, stop) => trainer.FitAsync(batches, batch => model.Loss(batch), count: batch => batch.Targets.Length - batch.Targets.Count(ConditionedBatch<float>.Ignored), epochs: passes, progress: progress, cancellationToken: stop), updates);
    }
    else if (!model.Conditions.SelectMany(names => names).SequenceEqual(data.Conditions.SelectMany(names => names)))
    {
        throw new InputException("--open: the model has other classes than the data; give the --data that it was trained with.");
    }

    var score = model.Score(Batches(data.Test, 8), run.Cancellation);
    run.Line($"{data.Test.Length} waves that it has not heard: {score}");

    // The first half of a wave is given; then it goes on by itself for a second, and begins one of its own of each class.
    var drawing = new SamplingOptions { Temperature = run.Get(temperature) ?? 0.9, Seed = run.Seed };
    var (given, classes) = (data.Test[0].Samples[..(data.Test[0].Samples.Length / 2)], data.Test[0].Classes);
    var clock = Stopwatch.StartNew();
    var continued = model.Generate(given, WaveSet.Rate, drawing, classes);
    run.Line($"continued {string.Join(' ', classes)}: a second takes {clock.Elapsed.TotalSeconds:F2} s, its beginning of {(double)given.Length / WaveSet.Rate:F2} s included");
    Write(".wav", [.. given, .. continued]);
    if (run.MaxUpdates is null && run.Data is not null)
    {
        Write(".spoken.wav", [.. data.Conditions[0].SelectMany(digit => model.Generate([], WaveSet.Rate / 2, drawing, digit, data.Conditions[1][0]))]);
    }

    run.Result($"nll={score.Loss:F4} bits={score.BitsPerSample:F4}");

    BatchSource<ConditionedBatch<float>> Batches(Wave[] waves, int size, RandomSource? order = null, int? steps = null) =>
        model.Batches(Array.ConvertAll(waves, wave => wave.Samples), model.Classes([.. waves.Select(wave => wave.Classes)]), size, order, steps);

    void Write(string ending, float[] samples)
    {
        var path = run.PathBeside(ending);
        WaveWriter.Save(path, WaveSet.Rate, samples);
        run.Line($"written to {Path.GetFullPath(path)}");
    }
});
