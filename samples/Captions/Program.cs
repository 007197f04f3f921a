using Captions;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;
using Samples;

// One to many: a picture in, a sentence about it out.
var sample = new Sample("captions", "Learns to say what little pictures show.", "a folder with pictures of one size (PPM) and a file captions.tsv: name of a picture, tabulator, caption");
const int BatchSize = 64;
var width = sample.Add(InputOptions.Whole<int>("--beam", "N", "the width of the beam search; 1"));
return await sample.RunAsync(args, async run =>
{
    var random = new RandomSource(run.Seed);
    var pictures = run.Data is null ? Picture.Draw(random, 5000) : PictureFiles.Read(run.Data);
    random.Shuffle(pictures.AsSpan());
    var cut = run.Data is null ? pictures.Length / 2 : pictures.Length * 9 / 10;
    var (training, test) = (pictures[..cut], pictures[cut..]);
    var model = run.Open(path => ConditionalGenerator<float>.Open(path));
    if (model is null)
    {
        var (captions, size) = (training.Select(picture => picture.Caption).ToArray(), training[0].Pixels.Length);
        var vocabulary = WordVocabulary.FromText(string.Join('\n', captions), new() { BeginAndEnd = true });
        var encoder = new Sequential<float>(
            new Linear<float>(size, 256), new ActivationLayer<float>(Activation.Relu), new Linear<float>(256, 128), new ActivationLayer<float>(Activation.Relu));
        model = new(vocabulary, size, encoder, new Gru<float>(inputSize: 32 + 128, hiddenSize: 128), new() { FeedCondition = true });

        const int Updates = 5000;
        var trainer = new Trainer<float>(model, new Adam<float> { LearningRate = 2e-3 })
        {
            MaxGradientNorm = 1,
            MaxUpdates = Math.Min(Updates, run.MaxUpdates ?? Updates),
            MaxTime = run.MaxTime,
            Schedule = new CosineSchedule(Updates),
        };
        var batches = run.Data is null ? Drawn(model, random) : model.Pairs(Picture.Stack(training), captions, BatchSize, random);
        await run.TrainAsync(trainer, (progress, stop) => trainer.FitAsync(batches, batch => model.Loss(batch), progress: progress, cancellationToken: stop));
    }

    if (model.ConditionSize != test[0].Pixels.Length)
    {
        throw new InputException($"--open: this model reads pictures of {model.ConditionSize} numbers but those of the data have {test[0].Pixels.Length}.");
    }

    var search = new BeamSearchOptions { Width = run.Get(width) ?? 1, MaximumLength = 40 };
    string[] written = [.. test.Chunk(500).SelectMany(part => model.GenerateText(Picture.Stack(part), search, run.Cancellation))];
    for (var i = 0; i < Math.Min(3, test.Length); i++)
    {
        run.Line($"{PictureFiles.Text(test[i])}\n{written[i]}{(written[i] == test[i].Caption ? string.Empty : $" (it is {test[i].Caption})")}\n");
    }

    var path = run.PathBeside(".svg");
    PictureFiles.WriteSvg(path, test[..Math.Min(12, test.Length)], written);
    run.Line($"pictures with their captions: {Path.GetFullPath(path)}");
    run.Result($"exact={written.Zip(test, (caption, picture) => caption == picture.Caption ? 1.0 : 0).Average():F4}");
});

// Pictures that are made can be new ones for every update, so that none is learned by heart.
static IEnumerable<ConditionedBatch<float>> Drawn(ConditionalGenerator<float> model, RandomSource random)
{
    while (true)
    {
        var pictures = Picture.Draw(random, BatchSize);
        yield return ConditionedBatch<float>.Pad(Picture.Stack(pictures), [.. pictures.Select(picture => model.Vocabulary.Encode(picture.Caption))], model.Begin, model.End);
    }
}
