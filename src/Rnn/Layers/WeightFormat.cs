using Rnn.Kernels;

namespace Rnn.Layers;

/// <summary>How the weights of products are stored for inference; see <see cref="ModuleCompression.Compress"/>.</summary>
public enum WeightFormat
{
    /// <summary>Single precision, 32 bits: as weights are trained.</summary>
    Single = PackedFormat.Full,

    /// <summary>
    /// bfloat16, 16 bits: the range of single precision with 8 significant bits, an error of at most 0.4 % of each weight. Results are exactly those of a layer whose weights are rounded
    /// so.
    /// </summary>
    BFloat16 = PackedFormat.BFloat16,

    /// <summary>
    /// Whole numbers from −127 to 127, 8 bits, with a scale of single precision for each output (each row of a matrix of weights): an error of at most 0.4 % of the largest weight of the
    /// row. What the weights multiply is rounded too, to 16 bits with a scale for each row of the batch and step: an error of at most 0.0015 % of the largest number of the row. Inputs should therefore have
    /// similar sizes, as <see cref="Standardization{T}"/> makes them.
    /// </summary>
    Int8 = PackedFormat.Int8,
}
