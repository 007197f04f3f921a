using System.Numerics;
using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Models;

/// <summary>
/// Forecasts a time series of one or more variables: a sequence layer reads the last W steps, and all F steps to come are said at once, with intervals. Variables that are known in the future too, such as the
/// calendar, are read there. Everything goes in and comes out in the data's own units.
/// </summary>
/// <remarks>
/// Each variable is standardised by its mean and deviation in the training part, each window may be scaled by itself (<see cref="WindowScaling"/>). The steps to come are said by one linear layer for all of them
/// (direct multi-horizon forecast), which also reads the known future; or, with a decoder, by one that reads, at each step to come, what the encoder made of the window and what is known of that step
/// (Wen et al. 2017, arXiv:1711.11053). Forecasts are not fed back, so errors do not grow from step to step, and the decoder may be bidirectional.
/// </remarks>
/// <example>
/// <code>
/// var series = new Series&lt;float&gt;("passengers", passengers);
/// var model = new Forecaster&lt;float&gt;(series.Slice(..^24), window: 36, horizon: 12, new Gru&lt;float&gt;(inputSize: 1, hiddenSize: 32), new() { AutoregressiveSteps = 24 });
/// var trainer = new Trainer&lt;float&gt;(model, new Adam&lt;float&gt; { LearningRate = 3e-3 });
/// await trainer.FitAsync(model.Windows(series, batchSize: 32, ..^24, new RandomSource(1)), model.Loss, epochs: 50);
/// var forecast = model.Predict(series);   // of the 12 steps after its end
/// Console.WriteLine($"{forecast.Point[0, 0, 0]}, with 80 % from {forecast.Interval(0.8).Lower[0, 0, 0]} to {forecast.Interval(0.8).Upper[0, 0, 0]}");
/// </code>
/// </example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed partial class Forecaster<T> : Module<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly int[] _targets;
    private readonly int[] _known;
    private readonly SeriesScaler<T> _scaler;
    private readonly Tensor<T> _calibration;
    private readonly Dropout<T>? _dropout;
    private readonly Linear<T> _output;
    private readonly Linear<T>? _autoregression;

    /// <summary>A forecaster that says all steps by one linear layer.</summary>
    /// <param name="training">The series to learn from, without the parts to validate and test on: it names the variables and gives their means and deviations.</param>
    /// <param name="window">W, the steps that are read.</param>
    /// <param name="horizon">F, the steps that are forecast.</param>
    /// <param name="encoder">The layer that reads the window, which may be bidirectional; its <c>InputSize</c> is the number of variables.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">Names, sizes or options do not fit together; the message says how.</exception>
    public Forecaster(Series<T> training, int window, int horizon, SequenceLayer<T> encoder, ForecasterOptions? options = null)
        : this(training, window, horizon, encoder, decoder: null, options)
    {
    }

    /// <summary>A forecaster with a decoder over the steps to come.</summary>
    /// <param name="training">The series to learn from, without the parts to validate and test on: it names the variables and gives their means and deviations.</param>
    /// <param name="window">W, the steps that are read.</param>
    /// <param name="horizon">F, the steps that are forecast.</param>
    /// <param name="encoder">The layer that reads the window, which may be bidirectional; its <c>InputSize</c> is the number of variables.</param>
    /// <param name="decoder">
    /// The layer over the steps to come, which may be bidirectional; its <c>InputSize</c> is the encoder's <c>OutputSize</c> and the number of known variables together. Null for one linear layer for all steps.
    /// </param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">Names, sizes or options do not fit together; the message says how.</exception>
    public Forecaster(Series<T> training, int window, int horizon, SequenceLayer<T> encoder, SequenceLayer<T>? decoder, ForecasterOptions? options = null)
        : this((training ?? throw new ArgumentNullException(nameof(training))).Names, window, horizon, encoder, decoder, options ?? new()) => _scaler.Fit(training);

    private Forecaster(IReadOnlyList<string> variables, int window, int horizon, SequenceLayer<T> encoder, SequenceLayer<T>? decoder, ForecasterOptions options)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        (Options, Variables) = (options, variables.ToArray());
        Window = OptionRange.AtLeast(1, window, nameof(window));
        Horizon = OptionRange.AtLeast(1, horizon, nameof(horizon));
        _known = Columns(options.Known, nameof(options.Known));
        Targets = (options.Targets ?? Variables.Except(options.Known)).ToArray();
        _targets = Columns(Targets, nameof(options.Targets));
        CheckSizes(options, encoder, decoder);
        var seed = RandomSource.ChooseSeed(options.Seed, options.Random);
        Encoder = AddModule("encoder", encoder);
        Decoder = decoder is null ? null : AddModule("decoder", decoder);
        _dropout = options.Dropout > 0 ? AddModule("dropout", new Dropout<T>(options.Dropout, new RandomSource(seed).Split("output dropout"))) : null;
        _output = AddModule("output", decoder is null
            ? new Linear<T>(encoder.OutputSize + (Horizon * _known.Length), Horizon * StepSize, new() { Seed = seed })
            : new Linear<T>(decoder.OutputSize, StepSize, new() { Seed = seed }));
        _autoregression = options.AutoregressiveSteps > 0
            ? AddModule("autoregression", new Linear<T>(options.AutoregressiveSteps, Horizon, new() { Random = new RandomSource(seed).Split("autoregression") }))
            : null;
        var (mean, deviation) = (AddBuffer("mean", Tensor<T>.Zeros(Variables.Count)), AddBuffer("standard_deviation", Tensor<T>.Ones(Variables.Count)));
        _scaler = new(mean, deviation, _targets, _known, options.Scaling);
        _calibration = AddBuffer("calibration", Tensor<T>.Zeros(Horizon, Targets.Count, Depth));
    }

    /// <summary>The options the model was made with.</summary>
    public ForecasterOptions Options { get; }

    /// <summary>The names of the variables C, in the order of the columns.</summary>
    public IReadOnlyList<string> Variables { get; }

    /// <summary>The names of the variables that are forecast, V of them.</summary>
    public IReadOnlyList<string> Targets { get; }

    /// <summary>W, the steps that are read.</summary>
    public int Window { get; }

    /// <summary>F, the steps that are forecast.</summary>
    public int Horizon { get; }

    /// <summary>The layer that reads the window.</summary>
    public SequenceLayer<T> Encoder { get; }

    /// <summary>The layer over the steps to come; null where one linear layer says all of them.</summary>
    public SequenceLayer<T>? Decoder { get; }

    // The forecasts of a target and step: one for each quantile.
    private int Depth => Math.Max(1, Options.Quantiles.Count);

    private int StepSize => Targets.Count * Depth;

    /// <summary>Windows of a series for this model: those to train on, to validate or to test.</summary>
    /// <param name="series">The series, of the model's variables.</param>
    /// <param name="batchSize">N, the windows of a batch.</param>
    /// <param name="forecasts">The steps of the series within which the forecasts lie; null for all. Windows may lie before it, see <see cref="ForecastWindows{T}"/>.</param>
    /// <param name="random">Where the order of each pass comes from; null for that of time.</param>
    /// <exception cref="ArgumentException">The series has other variables, or there is no room for a window.</exception>
    public ForecastWindows<T> Windows(Series<T> series, int batchSize, Range? forecasts = null, RandomSource? random = null) =>
        new(Ordered(series, nameof(series)), Window, Horizon, batchSize, forecasts, random: random);

    /// <summary>The forecasts for a batch, in the data's own units, recorded where gradients are wanted. Quantiles may still cross; <c>Predict</c> puts them in order.</summary>
    /// <param name="past">[N, W, C]: the windows.</param>
    /// <param name="known">[N, F, K]: the known variables at the steps to come, in the order of the options; null where there are none.</param>
    /// <returns>[N, F, V, Q] with Q = 1 where there are no quantiles.</returns>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public Tensor<T> Forward(Tensor<T> past, Tensor<T>? known = null)
    {
        var target = _scaler.Targets;
        return (Standardised(past, known, calibrate: false) * target.Deviation) + target.Mean;
    }

    /// <summary>
    /// What a trainer makes small: the mean quantile loss, or the one that the options name, of forecasts and targets in units of their standard deviation in the training data.
    /// </summary>
    /// <param name="batch">The windows with what came then.</param>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public Tensor<T> Loss(ForecastBatch<T> batch)
    {
        CheckFuture(batch);
        var forecast = Standardised(batch.Past, Known(batch), calibrate: false);
        var actual = _scaler.Standardise(batch.Future, _targets);
        return Options.Quantiles.Count > 0
            ? Training.Loss.Quantile(forecast, actual, Options.Quantiles)
            : Options.Loss switch
            {
                ForecastLoss.AbsoluteError => Training.Loss.MeanAbsoluteError(forecast.Squeeze(-1), actual),
                ForecastLoss.Huber => Training.Loss.Huber(forecast.Squeeze(-1), actual),
                _ => Training.Loss.MeanSquaredError(forecast.Squeeze(-1), actual),
            };
    }

    /// <summary>The forecasts in units of the standardised variables, [N, F, V, Q].</summary>
    private Tensor<T> Standardised(Tensor<T> past, Tensor<T>? known, bool calibrate)
    {
        CheckInputs(past, known);
        var (input, shift, scale) = _scaler.ScaleWindows(past);
        var forecast = Network(input, known is null ? null : _scaler.Standardise(known, _known, allColumns: false));
        if (calibrate)
        {
            forecast = InOrder(InOrder(forecast) + _calibration);
        }

        return shift is null ? forecast : scale is null ? forecast + shift : (forecast * scale) + shift;
    }

    private Tensor<T> Network(Tensor<T> input, Tensor<T>? known)
    {
        var (rows, context) = (input.Shape[0], Encoder.Forward(input, default(ReadOnlySpan<int>)).Last);
        Tensor<T> read;
        if (Decoder is null)
        {
            read = known is null ? Drop(context) : Tensor<T>.Concat([Drop(context), known.Reshape(rows, Horizon * _known.Length)], -1);
        }
        else
        {
            var repeated = context.Unsqueeze(1).BroadcastTo([rows, Horizon, context.Shape[1]]);
            read = Drop(Decoder.Forward(known is null ? repeated : Tensor<T>.Concat([repeated, known], -1)));
        }

        var forecast = _output.Forward(read).Reshape(rows, Horizon, Targets.Count, Depth);
        if (_autoregression is null)
        {
            return forecast;
        }

        // [N, steps, V] → [N, V, steps] → [N, V, F] → [N, F, V, 1], the same for each quantile.
        var last = input.Slice(.., ^Options.AutoregressiveSteps.., ..).IndexSelect(2, _targets);
        return forecast + _autoregression.Forward(last.Transpose(1, 2)).Transpose(1, 2).Unsqueeze(-1);
    }

    private Tensor<T> Drop(Tensor<T> values) => _dropout?.Forward(values) ?? values;
}
