using Gradients;
using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;
using Samples;

// Why plain recurrent networks forget and LSTMs do not (Hochreiter 1991; Bengio, Simard and Frasconi 1994; Pascanu, Mikolov and Bengio 2013): how much a state changes with what it was k steps ago, as networks start;
// what clipping does where gradients explode; and how the flow changes while an LSTM learns to remember.
var sample = new Sample("gradients", "Shows how gradients vanish and explode in recurrent networks.", "a file of numbers from 0 to 1, one on each line, for the adding problem");
var length = sample.Add(InputOptions.Whole<int>("--steps", "T", "steps of a sequence; 100", minimum: 2));
return await sample.RunAsync(args, async run =>
{
    const int Rows = 32;
    var steps = run.Get(length) ?? 100;
    var (random, numbers) = (new RandomSource(run.Seed), NumberFile.Read(run.Data));
    var fixedBatch = Adding("measured", 4).First();
    var model = run.Open(path => Module<float>.Open(path) as SequenceChain<float> ?? throw new InvalidDataException($"{path}: expected a network that this program has saved."));

    // The norm of ∂s_T/∂s_t, at most by which any gradient grows on its way from step T back to t.
    var chart = new GradientChart { Title = "norm of the derivative of the last state by the state after t steps", Minimum = 1e-20, Maximum = 1e20 };
    var factors = new Dictionary<string, double>();
    run.Line($"{"as they start",-24}{"radius",8}{"norm",8}{"factor a step back",20}{"saturated",11}");
    foreach (var (name, layer) in Networks.All(run.Seed))
    {
        var report = GradientFlow.Measure(layer, fixedBatch.Input);
        chart.Add(name, report.JacobianNorms);
        factors[name] = report.JacobianFactor;
        run.Line(FormattableString.Invariant(
            $"{name,-24}{report.Spectra.Max(gate => gate.SpectralRadius),8:F2}{report.Spectra.Max(gate => gate.Norm),8:F2}{report.JacobianFactor,20:F4}{report.Gates.Average(gate => gate.Low + gate.High),11:P0}"));
    }

    if (model is null)
    {
        await CompareClippingAsync(Math.Min(200, run.MaxUpdates ?? long.MaxValue));
        model = new SequenceChain<float>(Networks.Lstm(run.Seed), new Linear<float>(Networks.Units, 1, new() { Seed = run.Seed }));
        const int Updates = 1500;
        var trainer = new Trainer<float>(model, new Adam<float> { LearningRate = 5e-3 })
        {
            MaxGradientNorm = 1,
            MaxUpdates = Math.Min(Updates, run.MaxUpdates ?? Updates),
            MaxTime = run.MaxTime,
            Schedule = new CosineSchedule(Updates),
        };
        await run.TrainAsync(
            trainer,
            (progress, stop) => trainer.FitAsync(Adding("training", Rows), LossOf, progress: Watch(progress), cancellationToken: stop));
    }

    chart.Add("LSTM, trained", GradientFlow.Measure(model, fixedBatch.Input).JacobianNorms);
    run.Line($"\n{chart.ToString(100, 24)}");
    var picture = run.PathBeside(".svg");
    InputFiles.Guard("--save", picture, () =>
    {
        File.WriteAllText(picture, chart.ToSvg());
        return true;
    });
    run.Line($"the picture is saved in {Path.GetFullPath(picture)}");
    var error = LossOf(Adding("test", 1000).First()).Item();
    run.Result(
        $"rnn_half={factors["RNN, orthogonal × 0.5"]:F4} rnn_one={factors["RNN, orthogonal × 1"]:F4} rnn_two={factors["RNN, Gaussian × 2"]:F4} lstm={factors["LSTM"]:F4} gru={factors["GRU"]:F4} mse={error:F5}");

    AddingProblem<float> Adding(string purpose, int rows) => new(steps, rows, random.Split(purpose)) { Form = AddingForm.TwoHalves, Numbers = numbers };

    Tensor<float> LossOf(AddingBatch<float> batch) => Loss.MeanSquaredError(model!.Forward(batch.Input, initialState: null).Last, batch.Targets);

    GradientFlowMonitor<float> Watch(IProgress<TrainingProgress> progress) => new(model!, fixedBatch.Input, every: 250)
    {
        Next = progress,
        Measured = (update, report) => run.Line(FormattableString.Invariant($"after {update,4} updates the LSTM's norms change by a factor {report.JacobianFactor:F4} a step back")),
    };

    // Gradients that explode: the same training of a plain network, by gradient descent, with and without a limit of their norm.
    async Task CompareClippingAsync(long updates)
    {
        foreach (var limit in new double?[] { null, 1 })
        {
            var plain = new SequenceChain<float>(Networks.Plain(gaussian: false, 1.1, run.Seed), new Linear<float>(Networks.Units, 1, new() { Seed = run.Seed }));
            var trainer = new Trainer<float>(plain, new Sgd<float> { LearningRate = 0.05 }) { MaxGradientNorm = limit, MaxUpdates = updates, NonFiniteGradients = NonFinitePolicy.SkipStep };
            var norms = new Norms();
            var result = await trainer.FitAsync(
                Adding("clipping", Rows), batch => Loss.MeanSquaredError(plain.Forward(batch.Input, initialState: null).Last, batch.Targets), progress: norms, cancellationToken: run.Cancellation);
            run.Line(FormattableString.Invariant(
                $"RNN, orthogonal × 1.1, {updates} updates {(limit is null ? "without clipping" : "clipped at norm 1")}: norms of the gradient up to {norms.Largest:g2}, {norms.NotFinite} not finite; loss {result.SmoothedLoss:g3}"));
        }
    }
});
