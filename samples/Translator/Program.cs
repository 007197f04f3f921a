using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;
using Samples;
using Translator;

// Many to many with attention (Luong et al. 2015): reads a sentence word by word and writes its translation, looking at each word at what it has read.
var sample = new Sample("translator", "Learns to translate, from pairs of sentences.", "a file with a pair on each line: a sentence, a TAB, its translation (Tatoeba's format)");
var ask = sample.Add(InputOptions.Text("--ask", "TEXT", "a sentence to translate at the end"));
var words = sample.Add(InputOptions.Whole<int>("--words", "N", "leaves out longer sentences of --data; 8"));
var size = sample.Add(InputOptions.Whole<int>("--size", "N", "units of the decoder, even; 256 with --data, else 64"));
var teacher = sample.Add(InputOptions.Choice<Forcing>("--teacher-forcing", "how it falls; always for not at all"));
return await sample.RunAsync(args, async run =>
{
    var random = new RandomSource(run.Seed);
    var real = run.Data is not null;
    var pairs = run.Data is { } path ? Sentences.Read(path, run.Get(words) ?? 8) : ToyLanguage.Make(random, 12_000);
    var (training, test) = pairs.Split(random, 0.9);
    var (sources, references) = test.Grouped();
    var greedy = new BeamSearchOptions { Width = 1, MaximumLength = 30 };
    var model = run.Open(file => EncoderDecoder<float>.Open(file));
    if (model is null)
    {
        var vocabulary = new WordVocabularyOptions { Lowercase = true, MinCount = real ? 3 : 1 };
        var units = run.Get(size) ?? (real ? 256 : 64);
        model = new(
            WordVocabulary.FromText(string.Join('\n', training.Sources), vocabulary), WordVocabulary.FromText(string.Join('\n', training.Targets), vocabulary with { BeginAndEnd = true }),
            new Lstm<float>(units / 2, units / 2, new() { Bidirectional = true }), new Lstm<float>(units / 2, units), new() { EmbeddingDropout = 0.1, Dropout = 0.2 });

        // On real data time is the limit, and the learning rate falls with it; else the number of updates.
        var batchSize = real ? 128 : 64;
        var updates = run.MaxUpdates ?? 8L * ((training.Count + batchSize - 1) / batchSize);
        var time = run.MaxTime ?? (real && run.MaxUpdates is null ? TimeSpan.FromMinutes(14) : null);
        var length = time?.TotalSeconds ?? updates;
        var trainer = new Trainer<float>(model, new Adam<float> { LearningRate = real ? 2e-3 : 4e-3 })
        {
            MaxGradientNorm = 1,
            MaxUpdates = run.MaxUpdates ?? (time is null ? updates : null),
            MaxTime = time,
            Schedule = new CosineSchedule(length) { WarmupSteps = length / 20 },
            ScheduleUnit = time is null ? ScheduleUnit.Updates : ScheduleUnit.Seconds,
        };
        var loss = new CrossEntropyOptions { LabelSmoothing = 0.1 };
        var (forcing, next) = (1.0, TimeSpan.FromSeconds(10));
        Schedule linear = new LinearSchedule(1) { Hold = 0.25, FinalFactor = 0.5 }, sigmoid = new InverseSigmoidSchedule(1000);
        await run.TrainAsync(
            trainer,
            (progress, stop) => trainer.FitAsync(
                model.Pairs(training.Sources, training.Targets, batchSize, random), batch => model.Loss(batch, forcing, loss), count: batch => batch.TargetTokens, progress: progress, cancellationToken: stop),
            time is null ? updates : null, Watch);

        void Watch(TrainingProgress progress)
        {
            var done = (time is null ? progress.Update : progress.Elapsed.TotalSeconds) / length;
            forcing = run.Get(teacher) switch { Forcing.Linear => linear.Factor(done), Forcing.Sigmoid => sigmoid.Factor(8000 * done), _ => 1 };
            if (progress.Elapsed > next)
            {
                next = (1.5 * progress.Elapsed) + TimeSpan.FromSeconds(5);
                var some = Enumerable.Range(0, 3).Select(i => sources[(int)(progress.Update + i) % sources.Count]).ToArray();
                run.Line($"--- after {progress.Update} updates ---\n{string.Join('\n', some.Zip(model.Translate(some, greedy), (source, target) => $"{source} → {target}"))}");
            }
        }
    }

    greedy = greedy with { ExcludedTokens = model.TargetVocabulary.Unknown is { } unknown ? [unknown] : [] };
    var beam = greedy with { Width = 5, LengthPenalty = 1.2 };
    var first = model.Score(sources, references, greedy, run.Cancellation);
    var best = model.Score(sources, references, beam, run.Cancellation);
    var single = Sentences.SingleReferenceBleu(model, best, references);
    run.Line($"{test.Count} pairs with {sources.Count} sentences that it has not seen; all translations of a sentence are its references");
    run.Line($"greedy: {first}\nbeam of {beam.Width}: {best}\n{best.Bleu}\neach pair alone: {single}");
    for (var i = 0; i < Math.Min(10, sources.Count); i++)
    {
        run.Line($"  {sources[i]} → {best.Texts[i]}  (a reference: {references[i][0]})");
    }

    var question = run.Get(ask) ?? sources[0];
    var answer = model.Translate(question, beam);
    run.Line($"{question} → {answer}");
    var map = HeatMap.OfAttention(model, question, answer);
    run.Line(map.ToText(colors: !Console.IsOutputRedirected));
    map.SaveSvg(run.PathBeside(".svg"));
    run.Result($"bleu={best.Bleu.Score:F2} bleu_greedy={first.Bleu.Score:F2} bleu_single={single.Score:F2} loss={best.Loss:F4}");
});
