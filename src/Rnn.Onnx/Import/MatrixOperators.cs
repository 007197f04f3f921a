using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>Matrix products. Weights that are constant are packed once for all runs.</summary>
internal static class MatrixOperators
{
    internal static void Register<T>(OperatorSet<T> set)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        set.Add("MatMul", call => MatMul(call));
        set.Add("Gemm", call => Gemm(call));
    }

    /// <summary>What a product prepares from constant weights: the place of packed ones.</summary>
    internal static object? Prepare<T>(NodeProgram<T> node, OnnxValue<T>? weights)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (weights is { IsFloatingPoint: true, Rank: > 2, Length: > 0 } && node.Operator == "Conv" && node.Attributes.Int("group", 1) == 1)
        {
            var outputs = weights.Shape[0];
            return new ConvolutionWeights<T>(new LinearProduct<T>(paddingRow: null), weights.Tensor.View(new(outputs, weights.Length / outputs)));
        }

        if (weights is { IsFloatingPoint: true, Rank: > 2, Length: > 0 } && node.Operator == "ConvTranspose" && node.Attributes.Int("group", 1) == 1)
        {
            return new TransposedWeights<T>(new PackedProduct<T>(transposed: true), weights.Tensor.View(new(weights.Shape[0], weights.Length / weights.Shape[0])));
        }

        if (weights is not { IsFloatingPoint: true, Rank: 2 } || weights.Length == 0)
        {
            return null;
        }

        return node.Operator switch
        {
            "MatMul" => new PackedProduct<T>(transposed: true),
            "Gemm" when !node.Attributes.Flag("transA") && node.Attributes.Float("alpha", 1) == 1 && node.Attributes.Float("beta", 1) == 1 =>
                node.Attributes.Flag("transB") ? new LinearProduct<T>(paddingRow: null) : new PackedProduct<T>(transposed: true),
            _ => null,
        };
    }

    private static OnnxValue<T> MatMul<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!call.Value(0).IsFloatingPoint && !call.Value(1).IsFloatingPoint)
        {
            // Whole numbers are exact in double precision up to 2⁵³; products of them are rare and small.
            var product = Product(call, Doubles(call.Value(0)), Doubles(call.Value(1)));
            return new(Array.ConvertAll(product.ToArray(), long.CreateSaturating), product.Shape, call.Value(0).ElementType);
        }

        return Multiply(call, call.Tensor(0), call.Tensor(1));
    }

    private static Tensor<double> Doubles<T>(OnnxValue<T> value)
        where T : unmanaged, IFloatingPointIeee754<T> => Tensor<double>.From(Array.ConvertAll(value.IntegerArray, number => (double)number), value.Shape);

    private static Tensor<T> Multiply<T>(NodeCall<T> call, Tensor<T> left, Tensor<T> right)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (call.Node.Prepared is PackedProduct<T> packed && left.Rank > 0 && left.Shape[-1] == right.Shape[0] && left.Length > 0
            && (NoGradient.IsActive || !(left.RequiresGradient || right.RequiresGradient)))
        {
            call.Run.CheckElements((double)left.Length / right.Shape[0] * right.Shape[1]);
            var output = Tensor<T>.Uninitialized([.. left.Shape.Dimensions[..^1], right.Shape[1]]);
            packed.Multiply(left.AsReadOnlySpan(), right, null, output.AsSpan());
            return output;
        }

        return Product(call, left, right);
    }

    /// <summary>A product of matrices, or of batches of them.</summary>
    internal static Tensor<TElement> Product<T, TElement>(NodeCall<T> call, Tensor<TElement> left, Tensor<TElement> right)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TElement : unmanaged, IFloatingPointIeee754<TElement>
    {
        if (left.Rank == 0 || right.Rank == 0)
        {
            throw new InvalidDataException($"a product of {left.Shape} and {right.Shape}");
        }

        var (rows, columns) = (left.Rank > 1 ? left.Shape[-2] : 1, right.Rank > 1 ? right.Shape[-1] : 1);
        var batches = call.Broadcast(new(left.Shape.Dimensions[..Math.Max(0, left.Rank - 2)]), new(right.Shape.Dimensions[..Math.Max(0, right.Rank - 2)]));
        call.Run.CheckElements((double)batches.ElementCount * rows * columns);
        return left.MatMul(right);
    }

    /// <summary>αAB + βC.</summary>
    internal static OnnxValue<T> Gemm<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (a, b, c) = (call.Tensor(0), call.Tensor(1), call.OptionalTensor(2));
        if (a.Rank != 2 || b.Rank != 2)
        {
            throw new InvalidDataException($"a product of {a.Shape} and {b.Shape}; expected two matrices");
        }

        if (call.Node.Prepared is LinearProduct<T> linear && a.Shape[1] == b.Shape[1] && (c is null || (c.Rank == 1 && c.Length == b.Shape[0])))
        {
            call.Run.CheckElements((double)a.Shape[0] * b.Shape[0]);
            return linear.Apply(a, b, c);
        }

        a = call.Attributes.Flag("transA") ? a.Transpose() : a;
        b = call.Attributes.Flag("transB") ? b.Transpose() : b;
        var product = call.Attributes.Flag("transB") ? Product(call, a, b) : Multiply(call, a, b);
        product = Scaled(product, call.Attributes.Float("alpha", 1));
        if (c is null)
        {
            return product;
        }

        return call.Broadcast(product.Shape, c.Shape) == product.Shape
            ? product + Scaled(c, call.Attributes.Float("beta", 1))
            : throw new InvalidDataException($"the sum {c.Shape} does not broadcast to the product {product.Shape}");
    }

    private static Tensor<T> Scaled<T>(Tensor<T> tensor, double factor)
        where T : unmanaged, IFloatingPointIeee754<T> => factor == 1 ? tensor : tensor.Multiply(T.CreateTruncating(factor));
}
