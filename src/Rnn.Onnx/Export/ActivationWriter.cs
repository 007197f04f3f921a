using Rnn.Cells;
using Rnn.Layers;

namespace Rnn.Onnx.Export;

/// <summary>Element-wise nonlinearities as nodes, and by the names that recurrent operators give them.</summary>
internal static class ActivationWriter
{
    internal static OnnxGraphValue Write(OnnxGraph graph, ActivationFunction function, OnnxGraphValue x) => function.Kind switch
    {
        Activation.Identity => x,
        Activation.Tanh or Activation.Relu or Activation.Softplus or Activation.Softsign or Activation.Sigmoid => graph.Unary(function.Kind.ToString(), x),
        Activation.LeakyRelu or Activation.ThresholdedRelu or Activation.Elu => graph.Emit(function.Kind.ToString(), [x], [x.ElementType], Alpha(function))[0],
        Activation.HardSigmoid => graph.Emit("HardSigmoid", [x], [x.ElementType], Alpha(function), Attributes.Number("beta", (float)function.Beta))[0],
        Activation.Affine => graph.Add(graph.Multiply(x, graph.Scalar(function.Alpha)), graph.Scalar(function.Beta)),
        Activation.ScaledTanh => graph.Multiply(graph.Tanh(graph.Multiply(x, graph.Scalar(function.Beta))), graph.Scalar(function.Alpha)),
        Activation.Exponential => graph.Unary("Exp", x),
        Activation.Silu => graph.Multiply(x, graph.Sigmoid(x)),
        Activation.Selu => graph.Unary("Selu", x),
        Activation.Mish => graph.Multiply(x, graph.Tanh(graph.Unary("Softplus", x))),
        Activation.Relu6 => Clip(graph, x, 0, 6),
        Activation.HardSilu => graph.Multiply(x, Clip(graph, graph.Add(graph.Multiply(x, graph.Scalar(1 / 6.0)), graph.Scalar(0.5)), 0, 1)),
        Activation.Gelu => Gelu(graph, x),
        Activation.GeluTanh => GeluTanh(graph, x),
        _ => throw new NotSupportedException($"The activation {function} cannot be written as ONNX."),
    };

    /// <summary>The value, cut to a range.</summary>
    internal static OnnxGraphValue Clip(OnnxGraph graph, OnnxGraphValue x, double least, double greatest) =>
        graph.Emit("Clip", [x, graph.Scalar(least), graph.Scalar(greatest)], [x.ElementType])[0];

    /// <summary>The activation of a built-in cell whose name ends with one, such as <c>indrnn-leaky_relu</c>; null for another cell.</summary>
    internal static Activation? OfCell(string cell, string family)
    {
        if (!cell.StartsWith(family, StringComparison.Ordinal) || !CellCatalog.Names.Contains(cell))
        {
            return null;
        }

        var name = cell[family.Length..].Replace("_", string.Empty, StringComparison.Ordinal);
        foreach (var activation in Enum.GetValues<Activation>())
        {
            if (string.Equals(activation.ToString(), name, StringComparison.OrdinalIgnoreCase))
            {
                return activation;
            }
        }

        return null;
    }

    /// <summary>The name by which recurrent operators know an activation, and whether they read α and β of it; null for one that they do not know.</summary>
    internal static (string Name, bool HasAlpha, bool HasBeta)? OfRecurrentOperator(Activation activation) => activation switch
    {
        Activation.Tanh or Activation.Relu or Activation.Softplus or Activation.Softsign or Activation.Sigmoid => (activation.ToString(), false, false),
        Activation.LeakyRelu or Activation.ThresholdedRelu or Activation.Elu => (activation.ToString(), true, false),
        Activation.HardSigmoid or Activation.ScaledTanh or Activation.Affine => (activation.ToString(), true, true),
        Activation.Identity => ("Affine", true, true),
        _ => null,
    };

    /// <summary>α and β as recurrent operators take them; the identity is 1·x + 0 there.</summary>
    internal static (double Alpha, double Beta) NumbersOf(ActivationFunction function) => function.Kind == Activation.Identity ? (1, 0) : (function.Alpha, function.Beta);

    // One operator from version 20 on; before that x/2·(1 + erf(x/√2)).
    private static OnnxGraphValue Gelu(OnnxGraph graph, OnnxGraphValue x) => graph.Opset >= 20
        ? graph.Unary("Gelu", x)
        : graph.Multiply(graph.Multiply(x, graph.Scalar(0.5)), graph.Add(graph.Unary("Erf", graph.Multiply(x, graph.Scalar(Math.Sqrt(0.5)))), graph.Scalar(1)));

    // One operator from version 20 on; before that x/2·(1 + tanh(√(2/π)(x + 0.044715x³))).
    private static OnnxGraphValue GeluTanh(OnnxGraph graph, OnnxGraphValue x)
    {
        if (graph.Opset >= 20)
        {
            return graph.Emit("Gelu", [x], [x.ElementType], Attributes.Text("approximate", "tanh"))[0];
        }

        var square = graph.Multiply(graph.Multiply(x, x), graph.Scalar(0.044715));
        var inner = graph.Multiply(graph.Multiply(x, graph.Add(square, graph.Scalar(1))), graph.Scalar(Math.Sqrt(2 / Math.PI)));
        return graph.Multiply(graph.Multiply(x, graph.Scalar(0.5)), graph.Add(graph.Tanh(inner), graph.Scalar(1)));
    }

    private static Schema.AttributeProto Alpha(ActivationFunction function) => Attributes.Number("alpha", (float)function.Alpha);
}
