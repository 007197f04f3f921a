using System.Numerics;
using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>
/// Measures the gradient flow of a layer while it is trained, on a batch that stays the same: give it to <c>FitAsync</c> as its progress. It changes nothing of the training, to the bit.
/// </summary>
/// <example><code>
/// var monitor = new GradientFlowMonitor&lt;float&gt;(lstm, x, every: 100) { Measured = (update, report) => Console.WriteLine($"{update}: {report.JacobianFactor}") };
/// await trainer.FitAsync(batches, model.Loss, epochs: 10, progress: monitor);
/// </code></example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class GradientFlowMonitor<T> : IProgress<TrainingProgress>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly SequenceLayer<T> _layer;
    private readonly Tensor<T> _input;
    private readonly int _every;
    private readonly GradientFlowOptions<T>? _options;
    private readonly List<KeyValuePair<long, GradientFlowReport>> _reports = [];
    private long _last;

    /// <summary>A monitor of a layer; it measures it once at once, as update 0, so that what does not fit is refused here.</summary>
    /// <param name="layer">The layer, or that of the model that is trained.</param>
    /// <param name="input">The batch [N, T, I] that it is measured on.</param>
    /// <param name="every">The updates between two measurements.</param>
    /// <param name="options">What to measure; null for the defaults.</param>
    /// <exception cref="ArgumentException">The layer, the batch or an option does not fit, see <see cref="GradientFlow.Measure"/>.</exception>
    public GradientFlowMonitor(SequenceLayer<T> layer, Tensor<T> input, int every, GradientFlowOptions<T>? options = null)
    {
        ArgumentNullException.ThrowIfNull(input);
        (_layer, _input, _options) = (layer, input.Detach().Clone(), options);
        _every = OptionRange.AtLeast(1, every, nameof(every));
        _reports.Add(new(0, GradientFlow.Measure(layer, _input, options)));
    }

    /// <summary>What was measured so far, by the number of the update that came before.</summary>
    public IReadOnlyList<KeyValuePair<long, GradientFlowReport>> Reports => _reports;

    /// <summary>Receives each measurement in training with the number of its update, on the training's own thread.</summary>
    public Action<long, GradientFlowReport>? Measured { get; init; }

    /// <summary>Receives all that the trainer reports, before anything is measured.</summary>
    public IProgress<TrainingProgress>? Next { get; init; }

    /// <summary>Called by the trainer after each update: measures after every n-th.</summary>
    /// <param name="value">What the trainer reports.</param>
    public void Report(TrainingProgress value)
    {
        Next?.Report(value);

        // An update that was followed by a validation is reported twice.
        if (value.Update % _every == 0 && value.Update != _last)
        {
            _last = value.Update;
            var report = GradientFlow.Measure(_layer, _input, _options);
            _reports.Add(new(value.Update, report));
            Measured?.Invoke(value.Update, report);
        }
    }

    /// <summary>The loss gradient's norms over time of each measurement, on a logarithmic scale.</summary>
    public GradientChart ToChart()
    {
        var chart = new GradientChart();
        foreach (var (update, report) in _reports)
        {
            chart.Add($"after {update} updates", report.StateGradients);
        }

        return chart;
    }
}
