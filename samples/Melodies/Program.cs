using Melodies;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;
using Samples;

// One to many: a genre in, a melody out. The state that the network starts with is all that tells it the genre.
var sample = new Sample("melodies", "Learns to write melodies of a genre.", "a folder with a file GENRE.txt for each genre, one melody such as C4:2 D4:1 E4:1 on each line");
var ask = sample.Add(InputOptions.Text("--genre", "NAME", "the genre whose melodies are shown; all"));
var temperature = sample.Add(InputOptions.NotNegative("--temperature", "T", "how daring it is: 0 takes the likeliest note, 1 draws as likely as it thinks; 1"));
return await sample.RunAsync(args, async run =>
{
    var random = new RandomSource(run.Seed);
    var data = run.Data is null ? MelodySet.Generate(random, countOfEach: 4000) : MelodySet.Read(run.Data);
    var model = run.Open(path => ConditionalGenerator<float>.Open(path));
    if (model is null)
    {
        const int BatchSize = 50;
        var vocabulary = WordVocabulary.FromWords(data.Words.SelectMany(words => words), new() { Unknown = false, BeginAndEnd = true });
        model = new(vocabulary, data.Genres, new Gru<float>(inputSize: 32, hiddenSize: 128), new() { Dropout = 0.1 });
        int[][] melodies = [.. data.Words.Select(words => vocabulary.EncodeWords(words))];
        var batches = ConditionedBatch<float>.Bucket(model.Conditions(data.GenreOf), melodies, BatchSize, model.Begin, model.End, random);

        const int Passes = 10;
        var updates = (long)Passes * ((melodies.Length + BatchSize - 1) / BatchSize);
        var trainer = new Trainer<float>(model, new Adam<float> { LearningRate = 4e-3 })
        {
            MaxGradientNorm = 1,
            MaxUpdates = run.MaxUpdates,
            MaxTime = run.MaxTime,
            Schedule = new CosineSchedule(updates),
        };
        await run.TrainAsync(trainer, (progress, stop) => trainer.FitAsync(batches, batch => model.Loss(batch), epochs: Passes, progress: progress, cancellationToken: stop), updates);
    }

    if (run.Get(ask) is { } asked && !model.Classes.Contains(asked))
    {
        throw new InputException($"--genre: the model does not know {asked}; it knows {string.Join(", ", model.Classes)}.");
    }

    // A hundred melodies of each genre: how many of their notes are in the scale that was asked for?
    const int CountOfEach = 100;
    var options = new SamplingOptions { Temperature = run.Get(temperature) ?? 1, Random = new RandomSource(run.Seed).Split("writing") };
    string[] genres = [.. model.Classes.SelectMany(genre => Enumerable.Repeat(genre, CountOfEach))];
    var written = model.Sample(model.Conditions(genres), count: 64, options, run.Cancellation).Select(tokens => MelodySet.Notes(tokens.Select(model.Vocabulary.TokenText))).ToArray();
    var scales = model.Classes.ToDictionary(genre => genre, data.Scale);
    var (notes, inScale) = (0, 0);
    for (var i = 0; i < written.Length; i++)
    {
        notes += written[i].Count;
        inScale += written[i].Count(note => scales[genres[i]].Contains(note.Pitch % 12));
        if (i % CountOfEach == 0 && (run.Get(ask) ?? genres[i]) == genres[i])
        {
            run.Line($"{genres[i]}:\n{Score.Draw(written[i])}");
            var path = run.PathBeside($".{genres[i]}.mid");
            Score.WriteMidi(path, written[i], stepsPerQuarter: 2);
            run.Line($"written to {Path.GetFullPath(path)}");
        }
    }

    run.Result($"in_scale={(double)inScale / Math.Max(1, notes):F4} whole_bars={written.Count(MelodySet.FillsBars) / (double)written.Length:F4}");
});
