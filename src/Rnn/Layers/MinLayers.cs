using System.Numerics;

namespace Rnn.Layers;

/// <summary>What minGRU and minLSTM share beside the scan: their options in files and at the start.</summary>
internal static class MinLayers
{
    internal static LinearOptions Product(ScanOptions options) =>
        new() { Bias = options.Bias, WeightInitializer = options.WeightInitializer, Seed = options.Seed, Random = options.Random };

    /// <summary>Starts the bias of one gate.</summary>
    internal static void FillBias<T>(Parameter<T>? bias, int gate, int hiddenSize, double value)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (bias is not null && value != 0)
        {
            bias.Value.AsSpan().Slice(gate * hiddenSize, hiddenSize).Fill(T.CreateChecked(value));
        }
    }

    internal static void Describe(DescriptionWriter writer, int inputSize, int hiddenSize, ScanOptions options)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("input_size", inputSize);
        writer.Write("hidden_size", hiddenSize);
        writer.Write("candidate", options.Candidate.ToString());
        writer.Write("bias", options.Bias);
        writer.Write("forget_bias", options.ForgetBias);
    }

    internal static (int InputSize, int HiddenSize, ScanOptions Options) Read(DescriptionReader reader, int gates)
    {
        var (inputSize, hiddenSize) = (reader.GetInt32("input_size"), reader.GetInt32("hidden_size"));
        reader.CountWeights((double)gates * hiddenSize * inputSize);
        return (inputSize, hiddenSize, new()
        {
            Candidate = Enum.Parse<ScanCandidate>(reader.GetString("candidate")),
            Bias = reader.GetBoolean("bias"),
            ForgetBias = reader.GetDouble("forget_bias"),
            WeightInitializer = Initializer.Zeros,
        });
    }
}
