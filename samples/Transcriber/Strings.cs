using Rnn.Tensors;

namespace Transcriber;

/// <summary>Strings of digits as sequences [steps, features], with what they say. Nobody knows where in a sequence a digit stands.</summary>
internal sealed record Strings(IReadOnlyList<Tensor<float>> Features, string[] Texts)
{
    /// <summary>A sequence with some of its steps side by side, as the model reads them.</summary>
    internal static Tensor<float> Stack(Tensor<float> features, int count)
    {
        var steps = features.Shape[0] / count;
        return features.Slice(..(steps * count)).Reshape(steps, count * features.Shape[1]);
    }
}
