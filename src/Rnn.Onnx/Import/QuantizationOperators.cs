using System.Numerics;
using Rnn.Onnx.Schema;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>Numbers of 8 and 16 bits with a scale and a zero point, as quantised models have them: x = (q − zero)·scale.</summary>
internal static class QuantizationOperators
{
    internal static void Register<T>(OperatorSet<T> set)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        set.Add("QuantizeLinear", call => Quantize(call, call.Tensor(0), call.Tensor(1), call.Optional(2), call.Attributes.Int("axis", 1)));
        set.Add("DequantizeLinear", call => Dequantize(call, call.Value(0), call.Tensor(1), call.Optional(2), call.Attributes.Int("axis", 1)));
        set.AddSeveral("DynamicQuantizeLinear", DynamicQuantize);
        set.Add("QLinearMatMul", call =>
        {
            var product = MatrixOperators.Product(call, Dequantize(call, call.Value(0), call.Tensor(1), call.Value(2), -2).Tensor, Dequantize(call, call.Value(3), call.Tensor(4), call.Value(5), -1).Tensor);
            return Quantize(call, product, call.Tensor(6), call.Value(7), 1);
        });
        set.Add("QLinearConv", call =>
        {
            var (x, weight) = (Dequantize(call, call.Value(0), call.Tensor(1), call.Value(2), 1).Tensor, Dequantize(call, call.Value(3), call.Tensor(4), call.Value(5), 0).Tensor);

            // The bias has the scale of both together.
            var bias = call.Optional(8) is { } numbers ? ArithmeticOperators.Cast(numbers, OnnxElementType.Float).Tensor * call.Tensor(1).Reshape(new Shape()) * Along(call.Tensor(4), numbers.Shape, 0) : null;
            return Quantize(call, ConvolutionOperators.AddBias(ConvolutionOperators.Convolve(call, x, weight), bias), call.Tensor(6), call.Value(7), 1);
        });
        set.Add("ConvInteger", call =>
        {
            // Exact as long as single precision holds the sums, 2²⁴.
            var one = Tensor<T>.Scalar(T.One);
            return ArithmeticOperators.Cast<T>(
                ConvolutionOperators.Convolve(call, Dequantize(call, call.Value(0), one, call.Optional(2), 1).Tensor, Dequantize(call, call.Value(1), one, call.Optional(3), 0).Tensor), OnnxElementType.Int32);
        });
        set.Add("MatMulInteger", call => IntegerProduct(call));
    }

    /// <summary>(q − zero)·scale, with one scale or one for each place along an axis.</summary>
    internal static OnnxValue<T> Dequantize<T>(NodeCall<T> call, OnnxValue<T> value, Tensor<T> scale, OnnxValue<T>? zero, long axis)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (call.Attributes.Int("block_size", 0) != 0)
        {
            throw new InvalidDataException("scales of blocks (block_size) are not supported");
        }

        var x = ArithmeticOperators.Cast(value, OnnxElementType.Float).Tensor;
        if (zero is not null)
        {
            x -= Along(ArithmeticOperators.Cast(zero, OnnxElementType.Float).Tensor, x.Shape, axis);
        }

        return x * Along(scale, x.Shape, axis);
    }

    private static OnnxValue<T> Quantize<T>(NodeCall<T> call, Tensor<T> x, Tensor<T> scale, OnnxValue<T>? zero, long axis)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var type = zero?.ElementType ?? (OnnxElementType)call.Attributes.Int("output_dtype", (long)OnnxElementType.UInt8);
        var (low, high) = Range(type);
        var scaled = (x / Along(scale, x.Shape, axis)).AsReadOnlySpan();
        var zeros = zero is null ? null : Along(ArithmeticOperators.Cast(zero, OnnxElementType.Float).Tensor, x.Shape, axis).BroadcastTo(x.Shape).ToArray();
        var result = new long[x.Length];
        for (var i = 0; i < result.Length; i++)
        {
            var rounded = T.Round(scaled[i], MidpointRounding.ToEven) + (zeros is null ? T.Zero : zeros[i]);
            result[i] = Math.Clamp(long.CreateSaturating(rounded), low, high);
        }

        return new(result, x.Shape, type);
    }

    /// <summary>The range of the first input, zero included, as 0 … 255: the numbers, their scale, their zero point.</summary>
    internal static OnnxValue<T>?[] DynamicQuantize<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var x = call.Tensor(0);
        var (low, high) = (T.Zero, T.Zero);
        foreach (var value in x.AsReadOnlySpan())
        {
            (low, high) = (T.Min(low, value), T.Max(high, value));
        }

        var most = T.CreateTruncating(byte.MaxValue);
        var scale = high == low ? T.One : (high - low) / most;
        var zero = T.Clamp(T.Round(-low / scale, MidpointRounding.ToEven), T.Zero, most);
        var result = new long[x.Length];
        for (var i = 0; i < result.Length; i++)
        {
            result[i] = long.CreateSaturating(T.Clamp(T.Round(x.AsReadOnlySpan()[i] / scale, MidpointRounding.ToEven) + zero, T.Zero, most));
        }

        return [new(result, x.Shape, OnnxElementType.UInt8), Tensor<T>.Scalar(scale), new([long.CreateSaturating(zero)], new Shape(), OnnxElementType.UInt8)];
    }

    // Sums of products of 8 bits are exact in double precision.
    private static OnnxValue<T> IntegerProduct<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (a, b) = (call.Value(0), call.Value(1));
        var left = Doubles(a);
        var right = Doubles(b);
        if (call.Optional(2) is { } zeroA)
        {
            // One for all, or one for each row.
            left -= zeroA.Length == 1 ? Doubles(zeroA).Reshape(new Shape()) : zeroA.Rank == 1 ? Doubles(zeroA).Unsqueeze(1) : Doubles(zeroA);
        }

        if (call.Optional(3) is { } zeroB)
        {
            // One for all, or one for each column.
            right -= zeroB.Length == 1 ? Doubles(zeroB).Reshape(new Shape()) : Doubles(zeroB);
        }

        var result = MatrixOperators.Product(call, left, right);
        return new(Array.ConvertAll(result.ToArray(), number => IntegerTypes.Wrap((long)number, OnnxElementType.Int32)), result.Shape, OnnxElementType.Int32);
    }

    private static Tensor<double> Doubles<T>(OnnxValue<T> value)
        where T : unmanaged, IFloatingPointIeee754<T> => Tensor<double>.From(Array.ConvertAll(value.IntegerArray, number => (double)number), value.Shape);

    // One number, or one for each place along an axis, in a shape that broadcasts.
    private static Tensor<TElement> Along<TElement>(Tensor<TElement> values, Shape shape, long axis)
        where TElement : unmanaged, IFloatingPointIeee754<TElement>
    {
        if (values.Length == 1)
        {
            return values.Reshape(new Shape());
        }

        var place = NodeCall<TElement>.Axis(axis, shape.Rank);
        var along = new int[shape.Rank];
        Array.Fill(along, 1);
        along[place] = values.Rank == 1 && values.Length == shape[place] ? values.Length : throw new InvalidDataException($"{values.Shape} scales or zero points along axis {place} of {shape}");
        return values.Reshape(new Shape(along));
    }

    private static (long Low, long High) Range(OnnxElementType type) => type switch
    {
        OnnxElementType.UInt8 => (byte.MinValue, byte.MaxValue),
        OnnxElementType.Int8 => (sbyte.MinValue, sbyte.MaxValue),
        OnnxElementType.UInt16 => (ushort.MinValue, ushort.MaxValue),
        OnnxElementType.Int16 => (short.MinValue, short.MaxValue),
        OnnxElementType.Int32 => (int.MinValue, int.MaxValue),
        _ => throw new InvalidDataException($"quantised numbers of type {type} are not supported"),
    };
}
