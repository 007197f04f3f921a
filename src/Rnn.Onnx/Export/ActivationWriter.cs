using Rnn.Layers;

namespace Rnn.Onnx.Export;

/// <summary>Element-wise nonlinearities as nodes, and by the names that recurrent operators give them.</summary>
internal static class ActivationWriter
{
    private const float LeakySlope = 0.01f;

    internal static OnnxGraphValue Write(OnnxGraph graph, Activation activation, OnnxGraphValue x) => activation switch
    {
        Activation.Identity => x,
        Activation.LeakyRelu => graph.Emit("LeakyRelu", [x], [x.ElementType], Attributes.Number("alpha", LeakySlope))[0],
        Activation.HardSigmoid => graph.Emit("HardSigmoid", [x], [x.ElementType], Attributes.Number("alpha", 1 / 6f), Attributes.Number("beta", 0.5f))[0],
        Activation.Gelu => Gelu(graph, x),
        Activation.Tanh or Activation.Relu or Activation.Elu or Activation.Softplus or Activation.Softsign or Activation.Sigmoid => graph.Unary(activation.ToString(), x),
        _ => throw new NotSupportedException($"The activation {activation} cannot be written as ONNX."),
    };

    /// <summary>The activation that a cell's name ends with, such as <c>leaky_relu</c>; null for another.</summary>
    internal static Activation? Find(string name)
    {
        foreach (var activation in Enum.GetValues<Activation>())
        {
            if (string.Equals(activation.ToString(), name.Replace("_", string.Empty, StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase))
            {
                return activation;
            }
        }

        return null;
    }

    /// <summary>The name, α and β by which recurrent operators know an activation; null for one that they do not.</summary>
    internal static (string Name, float? Alpha, float? Beta)? OfRecurrentOperator(Activation activation) => activation switch
    {
        Activation.Tanh or Activation.Relu or Activation.Softplus or Activation.Softsign or Activation.Sigmoid => (activation.ToString(), null, null),
        Activation.LeakyRelu => ("LeakyRelu", LeakySlope, null),
        Activation.Elu => ("Elu", 1, null),
        Activation.HardSigmoid => ("HardSigmoid", 1 / 6f, 0.5f),
        Activation.Identity => ("Affine", 1, 0),
        _ => null,
    };

    // One operator from version 20 on; before that x/2·(1 + erf(x/√2)).
    private static OnnxGraphValue Gelu(OnnxGraph graph, OnnxGraphValue x) => graph.Opset >= 20
        ? graph.Unary("Gelu", x)
        : graph.Multiply(graph.Multiply(x, graph.Scalar(0.5)), graph.Add(graph.Unary("Erf", graph.Multiply(x, graph.Scalar(Math.Sqrt(0.5)))), graph.Scalar(1)));
}
