using Rnn.Kernels;

namespace Rnn.Layers;

/// <summary>Inference with weights of 16 or 8 bits.</summary>
public static class ModuleCompression
{
    /// <summary>Compresses.</summary>
    public static void Compress(this Module<float> module, WeightFormat format)
    {
        ArgumentNullException.ThrowIfNull(module);
        foreach (var parameter in module.Parameters)
        {
            if (parameter.IsWeightMatrix)
            {
                var value = parameter.Value;
                WeightRounding.Round(value.AsSpan(), value.Shape[1], (PackedFormat)format);
                value.Memory.Format = (PackedFormat)format;
            }
            parameter.Frozen = true;
        }
    }
}
