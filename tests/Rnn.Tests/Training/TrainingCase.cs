using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Training;

/// <summary>A training made anew, as a program that starts again makes it.</summary>
internal class TrainingCase
{
    public const int Vocabulary = 7;
    public static readonly int[] Tokens = [.. Enumerable.Range(0, 400).Select(i => (int)((long)i * i * 31 % 1009 % Vocabulary))];
    public static readonly int[][] Sequences = [.. Enumerable.Range(0, 23).Select(i => Tokens.AsSpan(i * 11, 1 + ((i * 5) % 17)).ToArray())];

    private readonly Module<double> _model;
    private readonly Optimizer<double> _optimizer;
    private readonly Trainer<double> _trainer;
    private readonly Func<Reports, CancellationToken, Task<TrainingResult>> _fit;
    private readonly int _cancelAfter;
    private readonly int _cycle;
    private Action _cancel = () => { };

    public TrainingCase(
        string name, string? path, int updates, int cancelAfter = 0, int cancelInUpdate = 0, bool resume = true, int? every = null, TimeSpan? interval = null, double rate = 0.01, int hidden = 5,
        double norm = 1, double dropout = 0.25, int parts = 1, ProcessGroup? processes = null, int batch = 3, int steps = 6, bool random = true, int failIn = 0, int scaleOf = 0, GradientFormat format = GradientFormat.Full)
    {
        // Data and modules have seeds of their own, so the order in which they are made does not matter.
        var lstm = new Lstm<double>(4, hidden, random
            ? new() { Layers = 2, Dropout = dropout, RecurrentDropout = 0.2, WeightDrop = 0.2, HiddenZoneout = 0.1, CellZoneout = 0.1, Seed = 3 }
            : new() { Layers = 2, Seed = 3 });
        var language = new LanguageModel<double>(Vocabulary, lstm, random ? new() { Dropout = 0.3, EmbeddingDropout = 0.1, Seed = 4 } : new() { Seed = 4 });
        var (linear, drop) = (new Linear<double>(hidden, 1, new() { Seed = 6 }), new Dropout<double>(random ? 0.3 : 0, 8));
        var network = new Pair(new Pair(lstm, linear), drop);
        var isTokens = name is not ("buckets" or "features" or "series");
        _model = isTokens ? language : network;
        _optimizer = name is "averages" or "everything"
            ? new AveragedSgd<double> { LearningRate = 0.5, Lambda = 1e-3 }
            : name == "plateau" ? new Sgd<double> { LearningRate = 0.3, Momentum = 0.5 } : new Adam<double> { LearningRate = rate };
        _cancelAfter = cancelAfter;
        _cycle = name is "averages" or "plateau" or "patience" ? 2 : 5;
        var byEpoch = name == "epochs of validation";
        _trainer = new(_model, _optimizer)
        {
            BatchParts = parts,
            Processes = processes,
            Communication = new() { Gradients = format },
            BatchSize = batch,
            SequenceLength = steps,
            SequenceStride = name == "overlapping stream" ? 4 : null,
            MaxGradientNorm = norm,
            MaxUpdates = updates,
            AccumulationSteps = name == "accumulation" ? 3 : 1,
            ValidateEvery = byEpoch ? null : _cycle,
            Patience = name == "patience" ? 1 : null,
            RestoreBest = name is "patience" or "sequences",
            NonFiniteGradients = name == "skipped updates" ? NonFinitePolicy.SkipStep : NonFinitePolicy.Throw,
            Schedule = name is "plateau" or "everything" ? new PlateauSchedule { Patience = name == "plateau" ? 0 : 3, Threshold = 0.02, Gamma = 0.5 } : name == "stream" ? new CosineSchedule(40) { WarmupSteps = 5 } : null,
            AveragingTrigger = name is "averages" or "everything" ? new() { Interval = 2 } : null,
            CheckpointPath = path,
            CheckpointEvery = every,
            CheckpointInterval = interval,
            Resume = resume && path is not null,
            AfterBackward = update =>
            {
                if (name == "skipped updates" && update.Number % 3 == 0)
                {
                    update.Gradients[0] = double.NaN;
                }

                if (update.Number == scaleOf)
                {
                    update.Gradients[0] *= 2;
                }
            },
            AfterUpdate = update =>
            {
                if (update.Number == cancelInUpdate)
                {
                    _cancel();
                }

                if (update.Number == failIn)
                {
                    throw new ArithmeticException($"That was rank {processes?.Rank}.");
                }
            },
        };
        var (training, validation) = (Tokens.AsMemory(0, 350), Tokens.AsMemory(350));
        var features = Sequences.Where(sequence => sequence.Length > 0).Select(sequence => Tensor<double>.From([.. sequence.SelectMany(i => new[] { i, 1.0 - i, 0.5, i * i * 0.1 })], sequence.Length, 4)).ToArray();
        var series = Tensor<double>.From([.. Tokens.Take(200).SelectMany(i => new[] { i, 1.0 - i, 0.5, i * i * 0.1 })], 200, 4);
        var answers = Tensor<double>.From([.. Tokens.Skip(1).Take(200).Select(i => (double)i)], 200, 1);
        _fit = name switch
        {
            "sequences" or "epochs of validation" or "everything" => (progress, token) => _trainer.FitAsync(new TokenSequenceSource(Sequences, batch, steps, new RandomSource(11)), validation, null, progress, token),
            "buckets" => (progress, token) => _trainer.FitAsync(
                SequenceBatch.Bucket(Sequences, batch, 0, new RandomSource(12)), Score, SequenceBatch.Bucket(Sequences[..5], 2, 0, new RandomSource(13)), null, null, progress, token),
            "features" => (progress, token) => _trainer.FitAsync(
                FeatureBatch<double>.Bucket(features, batch, new RandomSource(12)), batch => Last(batch.Input, batch.Lengths.ToArray()), FeatureBatch<double>.Bucket(features[..5], 2), null, null, progress, token),
            "series" => (progress, token) => _trainer.FitAsync(
                new SeriesSource<double>(series, answers, batch, 6, 4),
                (x, state) =>
                {
                    var output = lstm.Forward(x, default, state);
                    return (linear.Forward(drop.Forward(output.Output)), output.FinalState);
                },
                (y, target) => Loss.MeanSquaredError(y, target),
                new SeriesSource<double>(series, answers, batch != 3 ? 3 : 1, 6),
                null,
                progress,
                token),
            _ => (progress, token) => _trainer.FitAsync(training, validation, null, progress, token),
        };

        Tensor<double> Score(SequenceBatch batch) => Last(
            Tensor<double>.From([.. batch.Tokens.ToArray().SelectMany(i => new[] { i, 1.0 - i, 0.5, i * i * 0.1 })], batch.Rows, batch.Steps, 4), batch.Lengths.ToArray());

        Tensor<double> Last(Tensor<double> input, int[] lengths)
        {
            var output = linear.Forward(drop.Forward(lstm.Forward(input, lengths, null).Last));
            return Loss.MeanSquaredError(output, Tensor<double>.Ones(output.Shape[0], 1));
        }
    }

    public Reports Reports { get; private set; } = [];

    public bool IsAveraging => _optimizer is AveragedSgd<double> { IsAveraging: true };

    public bool ValidatesByEpoch => _trainer.ValidateEvery is null;

    public Action<TrainingProgress>? OnReport { get; set; }

    // What a run reports besides the validation that ends it.
    public IEnumerable<TrainingProgress> Due => Reports.Where(report => report.ValidationLoss is null || _trainer.ValidateEvery is null || report.Update % _cycle == 0);

    public virtual async Task<TrainingResult> Fit()
    {
        using var cancellation = new CancellationTokenSource();
        _cancel = cancellation.Cancel;
        Reports = new()
        {
            OnReport = report =>
            {
                OnReport?.Invoke(report);
                if (report.Update == _cancelAfter)
                {
                    _cancel();
                }
            },
        };
        return await _fit(Reports, cancellation.Token);
    }

    public List<long> Bits()
    {
        var state = _optimizer.SavedState();
        var bits = _model.Parameters.Select(parameter => parameter.Value).Concat(state.Tensors.Values)
            .SelectMany(tensor => tensor.ToArray()).Select(BitConverter.DoubleToInt64Bits).ToList();
        bits.AddRange(state.Values.SelectMany(pair => pair.Value.Select(letter => (long)letter)));
        bits.AddRange(_model.NamedRandomSources.SelectMany(pair => pair.Value.GetState().ToString().Select(letter => (long)letter)));
        return bits;
    }
}
