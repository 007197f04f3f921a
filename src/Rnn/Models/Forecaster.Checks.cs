using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Models;

// What is refused, and with which words.
public sealed partial class Forecaster<T>
{
    private Tensor<T>? Known(ForecastBatch<T> batch) => _known.Length == 0 ? null : batch.Future.IndexSelect(2, _known);

    private int[] Columns(IReadOnlyList<string> names, string option)
    {
        var columns = new int[names.Count];
        for (var i = 0; i < columns.Length; i++)
        {
            columns[i] = Array.IndexOf((string[])Variables, names[i]);
            if (columns[i] < 0)
            {
                throw new ArgumentException($"{option}: there is no '{names[i]}' in the series, which has {string.Join(", ", Variables)}.", option);
            }
        }

        return columns.Distinct().Count() == columns.Length ? columns : throw new ArgumentException($"{option}: expected names that differ; one of them comes twice.", option);
    }

    private void CheckSizes(ForecasterOptions options, SequenceLayer<T> encoder, SequenceLayer<T>? decoder)
    {
        if (_targets.Length == 0 || _targets.Intersect(_known).Any())
        {
            throw new ArgumentException(
                _targets.Length == 0 ? "Targets: expected one variable or more to forecast but got none." : "Targets: a variable that is known in the future is nothing to forecast; take it from Targets or from Known.", nameof(options));
        }

        if (encoder.InputSize != Variables.Count)
        {
            throw new ArgumentException($"encoder: expected an InputSize of {Variables.Count}, the number of variables, but got {encoder.InputSize}.", nameof(encoder));
        }

        if (decoder is not null && decoder.InputSize != encoder.OutputSize + _known.Length)
        {
            throw new ArgumentException(
                $"decoder: expected an InputSize of {encoder.OutputSize + _known.Length}, the encoder's OutputSize ({encoder.OutputSize}) and the known variables ({_known.Length}), but got {decoder.InputSize}.",
                nameof(decoder));
        }

        if (options.AutoregressiveSteps > Window)
        {
            throw new ArgumentException($"AutoregressiveSteps: expected at most the window of {Window} steps but got {options.AutoregressiveSteps}.", nameof(options));
        }
    }

    private void CheckInputs(Tensor<T> past, Tensor<T>? known)
    {
        ArgumentNullException.ThrowIfNull(past);
        if (past.Rank != 3 || past.Shape[1] != Window || past.Shape[2] != Variables.Count)
        {
            throw new ArgumentException($"past: expected [rows, {Window}, {Variables.Count}], the window and the variables, but got {past.Shape}.", nameof(past));
        }

        if (known is null ? _known.Length > 0 : known.Rank != 3 || known.Shape[0] != past.Shape[0] || known.Shape[1] != Horizon || known.Shape[2] != _known.Length || _known.Length == 0)
        {
            throw new ArgumentException(
                $"known: expected {(_known.Length == 0 ? "null, since no variable is known in the future," : $"[{past.Shape[0]}, {Horizon}, {_known.Length}], the values of {string.Join(", ", Options.Known)} at the steps to come,")} but got {known?.Shape.ToString() ?? "null"}.",
                nameof(known));
        }
    }

    private void CheckFuture(ForecastBatch<T> batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (batch.Future.Shape[1] != Horizon)
        {
            throw new ArgumentException($"batch: expected a future of {Horizon} steps, the horizon, but got {batch.Future.Shape[1]}.", nameof(batch));
        }
    }

    /// <summary>A series with its variables in the model's order.</summary>
    private Series<T> Ordered(Series<T> series, string name)
    {
        ArgumentNullException.ThrowIfNull(series, name);
        return series.Names.SequenceEqual(Variables)
            ? series
            : Variables.All(series.Names.Contains)
                ? series.Select(Variables)
                : throw new ArgumentException($"{name}: expected the variables {string.Join(", ", Variables)} but got {string.Join(", ", series.Names)}.", name);
    }
}
