using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>Operators of the domain <c>com.microsoft</c>, which ONNX Runtime writes into models that it has optimised or quantised.</summary>
internal static class ContributedOperators
{
    /// <summary>The domain.</summary>
    internal const string Domain = "com.microsoft";

    internal static void Register<T>(OperatorSet<T> set)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        set.AddUnary("Gelu", (x, _) => x.Gelu());
        set.AddUnary("QuickGelu", (x, call) => x * x.Multiply(T.CreateTruncating(call.Attributes.Float("alpha", 1.702f))).Sigmoid());
        set.Add("BiasGelu", call => (call.Tensor(0) + call.Tensor(1)).Gelu());
        set.Add("FastGelu", call => (call.OptionalTensor(1) is { } bias ? call.Tensor(0) + bias : call.Tensor(0)).Gelu(true));
        set.Add("FusedMatMul", call => FusedProduct(call));
        set.Add("FusedGemm", call => Activated(call, MatrixOperators.Gemm(call).Tensor));
        set.Add("FusedConv", call => Activated(call, ConvolutionOperators.Convolve(call).Tensor + (call.OptionalTensor(3) ?? Tensor<T>.Scalar(T.Zero))));
        set.Add("MatMulIntegerToFloat", call => Scaled(call, call.Value(0), call.Value(1), call.Tensor(2), call.Tensor(3), call.Optional(4), call.Optional(5), call.OptionalTensor(6)));
        set.Add("DynamicQuantizeMatMul", call =>
        {
            var quantized = QuantizationOperators.DynamicQuantize(call);
            return Scaled(call, quantized[0]!, call.Value(1), quantized[1]!.Tensor, call.Tensor(2), quantized[2], call.Optional(3), call.OptionalTensor(4));
        });
        set.AddSeveral("SkipLayerNormalization", call =>
        {
            var sum = call.Tensor(0) + call.Tensor(1);
            sum = call.OptionalTensor(4) is { } added ? sum + added : sum;
            return [sum.LayerNorm(call.Tensor(2), call.OptionalTensor(3), call.Attributes.Float("epsilon", 1e-12f)), null, null, sum];
        });
        set.AddSeveral(RecurrentOperators.Quantized, RecurrentOperators.Run);
    }

    private static OnnxValue<T> FusedProduct<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (call.Attributes.Flag("transBatchA") || call.Attributes.Flag("transBatchB"))
        {
            throw new InvalidDataException("transBatchA and transBatchB are not supported");
        }

        var (a, b) = (call.Tensor(0), call.Tensor(1));
        a = call.Attributes.Flag("transA") && a.Rank > 1 ? a.Transpose(-2, -1) : a;
        b = call.Attributes.Flag("transB") && b.Rank > 1 ? b.Transpose(-2, -1) : b;
        return MatrixOperators.Product(call, a, b).Multiply(T.CreateTruncating(call.Attributes.Float("alpha", 1)));
    }

    private static OnnxValue<T> Activated<T>(NodeCall<T> call, Tensor<T> x)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var numbers = call.Attributes.Floats("activation_params");
        var (alpha, beta) = (call.Attributes.Float("activation_alpha", numbers is [var first, ..] ? first : 0.01f), numbers is [_, var second, ..] ? second : 0);
        return call.Attributes.String("activation") switch
        {
            null or "" => x,
            "Relu" => x.Relu(),
            "Tanh" => x.Tanh(),
            "Sigmoid" => x.Sigmoid(),
            "LeakyRelu" => x.LeakyRelu(alpha),
            "Clip" => x.Clamp(alpha, beta),
            "HardSigmoid" => Autograd.Unary.Apply(x, new HardSigmoidFunction<T>(alpha, beta)),
            var name => throw new InvalidDataException($"the activation '{name}' is not supported"),
        };
    }

    // (a − zero)·scale times (b − zero)·scale, plus a bias.
    private static OnnxValue<T> Scaled<T>(
        NodeCall<T> call, OnnxValue<T> a, OnnxValue<T> b, Tensor<T> scaleA, Tensor<T> scaleB, OnnxValue<T>? zeroA, OnnxValue<T>? zeroB, Tensor<T>? bias)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var left = QuantizationOperators.Dequantize(call, a, scaleA, zeroA, -2).Tensor;
        var product = MatrixOperators.Product(call, left, QuantizationOperators.Dequantize(call, b, scaleB, zeroB, -1).Tensor);
        return bias is null ? product : product + bias;
    }
}
