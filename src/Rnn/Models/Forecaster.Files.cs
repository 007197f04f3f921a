using Rnn.Formats;
using Rnn.Layers;

namespace Rnn.Models;

public sealed partial class Forecaster<T>
{
    internal const string Type = "forecaster";
    private const string DecoderKey = "decoder";

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override string Description =>
        $"{Window} steps of {Variables.Count} variables → {Horizon} steps of {Targets.Count}{(Options.Quantiles.Count > 0 ? $", {Options.Quantiles.Count} quantiles" : $", {Options.Loss}")}";

    /// <inheritdoc/>
    protected override string Arithmetic => FormattableString.Invariant(
        $"forecaster, window {Window}, scaling {Options.Scaling}, variables [{string.Join(", ", Variables)}], targets [{string.Join(", ", Targets)}], known [{string.Join(", ", Options.Known)}], quantiles [{Join(Options.Quantiles)}]");

    /// <summary>Opens a forecaster that <c>Save</c> wrote: builds it as the file says, with its weights, the names of its variables, their means and deviations and its calibration.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The forecaster, in evaluation mode.</returns>
    /// <exception cref="InvalidDataException">The file is damaged or not a forecaster of this library; the message says what it is.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static new Forecaster<T> Open(string path)
    {
        using var reader = SafeTensorsReader.Open(path);
        return Open(reader, Type, "forecaster", Read);
    }

    /// <summary>As <see cref="Open(string)"/>, from a stream such as an embedded resource.</summary>
    /// <param name="stream">The stream, from its position to its end; left open. One that is not seekable is read into memory.</param>
    /// <returns>The forecaster, in evaluation mode.</returns>
    /// <exception cref="InvalidDataException">The content is damaged or not a forecaster of this library.</exception>
    public static new Forecaster<T> Open(Stream stream)
    {
        using var reader = SafeTensorsReader.Of(stream);
        return Open(reader, Type, "forecaster", Read);
    }

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("variables", Variables);
        writer.Write("targets", Targets);
        writer.Write("known", Options.Known);
        writer.Write("window", Window);
        writer.Write("horizon", Horizon);
        writer.Write("quantiles", Options.Quantiles.Select(Invariant));
        writer.Write("loss", $"{Options.Loss}");
        writer.Write("scaling", $"{Options.Scaling}");
        writer.Write("autoregressive_steps", Options.AutoregressiveSteps);
        writer.Write("dropout", Options.Dropout);
        writer.Write("encoder", Encoder);
        if (Decoder is not null)
        {
            writer.Write(DecoderKey, Decoder);
        }
    }

    private static Forecaster<T> Read(DescriptionReader reader)
    {
        var (variables, targets, known) = (reader.GetStrings("variables"), reader.GetStrings("targets"), reader.GetStrings("known"));
        var (window, horizon, autoregressive) = (reader.GetInt32("window"), reader.GetInt32("horizon"), reader.GetInt32("autoregressive_steps"));
        var encoder = (SequenceLayer<T>)reader.GetModule<T>("encoder");
        var decoder = reader.Has(DecoderKey) ? (SequenceLayer<T>)reader.GetModule<T>(DecoderKey) : null;
        var quantiles = reader.GetStrings("quantiles").Select(text => double.Parse(text, System.Globalization.CultureInfo.InvariantCulture)).ToArray();

        // What is still to be made are the output layer and the autoregression.
        var step = (double)targets.Length * Math.Max(1, quantiles.Length);
        reader.CountWeights(((decoder is null ? horizon * (encoder.OutputSize + ((double)horizon * known.Length)) : decoder.OutputSize) * step) + ((double)autoregressive * horizon));
        return new(variables, window, horizon, encoder, decoder, new()
        {
            Targets = targets,
            Known = known,
            Quantiles = quantiles,
            Loss = Enum.Parse<ForecastLoss>(reader.GetString("loss")),
            Scaling = Enum.Parse<WindowScaling>(reader.GetString("scaling")),
            AutoregressiveSteps = autoregressive,
            Dropout = reader.GetDouble("dropout"),
        });
    }

    private static string Join(IEnumerable<double> values) => string.Join(", ", values.Select(Invariant));

    private static string Invariant(double value) => value.ToString("R", System.Globalization.CultureInfo.InvariantCulture);
}
