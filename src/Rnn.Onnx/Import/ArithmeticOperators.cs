using System.Numerics;
using Rnn.Onnx.Schema;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>Arithmetic of two or more tensors with broadcasting, and conversions between element types.</summary>
internal static class ArithmeticOperators
{
    internal static void Register<T>(OperatorSet<T> set)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Add(set, "Add", (a, b) => a + b, (a, b) => a + b);
        Add(set, "Sub", (a, b) => a - b, (a, b) => a - b);
        Add(set, "Mul", (a, b) => a * b, (a, b) => a * b);
        Add(set, "Div", (a, b) => a / b, (a, b) => b == 0 ? throw new InvalidDataException("a whole number is divided by zero") : b == -1 ? -a : a / b);
        set.Add("Pow", call => Power(call));
        set.Add("Mod", call => Modulo(call));
        AddFold(set, "Min", (a, b) => a.Minimum(b), Math.Min);
        AddFold(set, "Max", (a, b) => a.Maximum(b), Math.Max);
        AddFold(set, "Sum", (a, b) => a + b, (a, b) => a + b);
        set.Add("Mean", call =>
        {
            var sum = call.Tensor(0);
            for (var i = 1; i < call.InputCount; i++)
            {
                _ = call.Broadcast(sum.Shape, call.Tensor(i).Shape);
                sum += call.Tensor(i);
            }

            return sum.Divide(T.CreateTruncating(call.InputCount));
        });
        set.Add("Clip", call => Clip(call));
        set.Add("Cast", call => Cast(call.Value(0), (OnnxElementType)call.Attributes.RequiredInt("to")));
        set.Add("CastLike", call => Cast(call.Value(0), call.Value(1).ElementType));
    }

    /// <summary>A function of two values of whole numbers with broadcasting.</summary>
    internal static OnnxValue<T> Whole<T>(NodeCall<T> call, OnnxValue<T> left, OnnxValue<T> right, Func<long, long, long> function)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var shape = call.Broadcast(left.Shape, right.Shape);
        var (a, b, type) = (Broadcasting.Expand(left.IntegerArray, left.Shape, shape), Broadcasting.Expand(right.IntegerArray, right.Shape, shape), left.ElementType);
        var result = new long[shape.ElementCount];
        for (var i = 0; i < result.Length; i++)
        {
            result[i] = IntegerTypes.Wrap(function(a[i], b[i]), type);
        }

        return new(result, shape, type);
    }

    /// <summary>The numbers of one type as those of another; fractions are cut off, and every floating-point type is <typeparamref name="T"/>.</summary>
    internal static OnnxValue<T> Cast<T>(OnnxValue<T> value, OnnxElementType type)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (IntegerTypes.IsFloating(type))
        {
            return value.IsFloatingPoint ? value : Tensor<T>.From(Array.ConvertAll(value.IntegerArray, T.CreateTruncating), value.Shape);
        }

        if (!IntegerTypes.IsInteger(type))
        {
            throw new InvalidDataException($"elements of type {type} are not supported");
        }

        var integers = value.IsFloatingPoint
            ? Array.ConvertAll(value.Tensor.ToArray(), number => type == OnnxElementType.Boolean ? (number != T.Zero ? 1 : 0) : long.CreateSaturating(number))
            : (long[])value.IntegerArray.Clone();
        for (var i = 0; i < integers.Length; i++)
        {
            integers[i] = IntegerTypes.Wrap(integers[i], type);
        }

        return new(integers, value.Shape, type);
    }

    private static void Add<T>(OperatorSet<T> set, string name, Func<Tensor<T>, Tensor<T>, Tensor<T>> floating, Func<long, long, long> whole)
        where T : unmanaged, IFloatingPointIeee754<T> => set.Add(name, call => Combine(call, call.Value(0), call.Value(1), floating, whole));

    private static void AddFold<T>(OperatorSet<T> set, string name, Func<Tensor<T>, Tensor<T>, Tensor<T>> floating, Func<long, long, long> whole)
        where T : unmanaged, IFloatingPointIeee754<T> => set.Add(name, call =>
        {
            var result = call.Value(0);
            for (var i = 1; i < call.InputCount; i++)
            {
                result = Combine(call, result, call.Value(i), floating, whole);
            }

            return result;
        });

    private static OnnxValue<T> Combine<T>(NodeCall<T> call, OnnxValue<T> a, OnnxValue<T> b, Func<Tensor<T>, Tensor<T>, Tensor<T>> floating, Func<long, long, long> whole)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (a.IsFloatingPoint != b.IsFloatingPoint)
        {
            throw new InvalidDataException($"operands of different types, {a} and {b}");
        }

        if (!a.IsFloatingPoint)
        {
            return Whole(call, a, b, whole);
        }

        _ = call.Broadcast(a.Shape, b.Shape);
        return floating(a.Tensor, b.Tensor);
    }

    private static OnnxValue<T> Power<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (a, b) = (call.Value(0), call.Value(1));
        if (a.IsFloatingPoint)
        {
            var exponent = Cast(b, OnnxElementType.Float).Tensor;
            var shape = call.Broadcast(a.Shape, b.Shape);
            return exponent is { Length: 1, RequiresGradient: false } && shape == a.Shape
                ? a.Tensor.Power(double.CreateTruncating(exponent.AsReadOnlySpan()[0]))
                : a.Tensor.Power(exponent);
        }

        var powers = Cast(b, OnnxElementType.Double);
        var result = Cast(a, OnnxElementType.Double).Tensor.Power(powers.Tensor);
        return b.IsFloatingPoint
            ? Cast<T>(result, a.ElementType)
            : Whole(call, a, b, (x, exponent) => exponent is >= 0 and < 64 ? WholePower(x, (int)exponent) : (long)Math.Pow(x, exponent));
    }

    private static long WholePower(long x, int exponent)
    {
        var result = 1L;
        for (var i = 0; i < exponent; i++)
        {
            result = unchecked(result * x);
        }

        return result;
    }

    private static OnnxValue<T> Modulo<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (a, b) = (call.Value(0), call.Value(1));
        var truncates = call.Attributes.Flag("fmod");
        if (!a.IsFloatingPoint || !b.IsFloatingPoint)
        {
            return Whole(call, a, b, (x, y) => y == 0 ? throw new InvalidDataException("a whole number is divided by zero")
                : y == -1 ? 0 : truncates ? x % y : ((x % y) + y) % y);
        }

        var shape = call.Broadcast(a.Shape, b.Shape);
        var (left, right) = (Broadcasting.Expand(a.Tensor.ToArray(), a.Shape, shape), Broadcasting.Expand(b.Tensor.ToArray(), b.Shape, shape));
        return Tensor<T>.From(left.Zip(right, (x, y) => x % y).ToArray(), shape);
    }

    private static OnnxValue<T> Clip<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!call.Value(0).IsFloatingPoint)
        {
            var (low, high) = (call.OptionalIntegers(1)?[0] ?? long.MinValue, call.OptionalIntegers(2)?[0] ?? long.MaxValue);
            return ElementwiseOperators.MapIntegers(call.Value(0), value => Math.Min(high, Math.Max(low, value)));
        }

        var minimum = call.OptionalTensor(1) is { } lowest ? double.CreateTruncating(Only(lowest)) : call.Attributes.Float("min", double.NegativeInfinity);
        var maximum = call.OptionalTensor(2) is { } highest ? double.CreateTruncating(Only(highest)) : call.Attributes.Float("max", double.PositiveInfinity);

        // Where the lower end is above the upper, the standard says the upper.
        return call.Tensor(0).Clamp(Math.Min(minimum, maximum), maximum);
    }

    private static T Only<T>(Tensor<T> tensor)
        where T : unmanaged, IFloatingPointIeee754<T> => tensor.Length == 1 ? tensor.AsReadOnlySpan()[0] : throw new InvalidDataException($"a limit of shape {tensor.Shape}; expected one number");
}
