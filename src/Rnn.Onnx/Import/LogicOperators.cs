using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>Comparisons, truth values, and choice by them.</summary>
internal static class LogicOperators
{
    internal static void Register<T>(OperatorSet<T> set)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Add(set, "Equal", (a, b) => a == b, (a, b) => a == b);
        Add(set, "Greater", (a, b) => a > b, (a, b) => a > b);
        Add(set, "GreaterOrEqual", (a, b) => a >= b, (a, b) => a >= b);
        Add(set, "Less", (a, b) => a < b, (a, b) => a < b);
        Add(set, "LessOrEqual", (a, b) => a <= b, (a, b) => a <= b);
        AddTruth(set, "And", (a, b) => a & b);
        AddTruth(set, "Or", (a, b) => a | b);
        AddTruth(set, "Xor", (a, b) => a ^ b);
        AddTruth(set, "BitwiseAnd", (a, b) => a & b);
        AddTruth(set, "BitwiseOr", (a, b) => a | b);
        AddTruth(set, "BitwiseXor", (a, b) => a ^ b);
        set.Add("BitwiseNot", call => ElementwiseOperators.MapIntegers(call.Value(0), value => ~value));
        set.Add("BitShift", call => ArithmeticOperators.Whole(
            call, call.Value(0), call.Value(1), call.Attributes.RequiredString("direction") == "LEFT" ? (a, b) => b is >= 0 and < 64 ? a << (int)b : 0 : (a, b) => b is >= 0 and < 64 ? a >>> (int)b : 0));
        set.Add("Not", call => ElementwiseOperators.MapIntegers(call.Value(0), value => value ^ 1));
        set.Add("Where", call => Where(call));
    }

    private static void Add<T>(OperatorSet<T> set, string name, Func<T, T, bool> floating, Func<long, long, bool> whole)
        where T : unmanaged, IFloatingPointIeee754<T> => set.Add(name, call =>
        {
            var (a, b) = (call.Value(0), call.Value(1));
            var shape = call.Broadcast(a.Shape, b.Shape);
            if (a.IsFloatingPoint != b.IsFloatingPoint)
            {
                throw new InvalidDataException($"operands of different types, {a} and {b}");
            }

            return new(
                a.IsFloatingPoint ? Compare(a.Tensor.ToArray(), a.Shape, b.Tensor.ToArray(), b.Shape, shape, floating)
                : Compare(a.IntegerArray, a.Shape, b.IntegerArray, b.Shape, shape, whole), shape, OnnxElementType.Boolean);
        });

    private static void AddTruth<T>(OperatorSet<T> set, string name, Func<long, long, long> function)
        where T : unmanaged, IFloatingPointIeee754<T> => set.Add(name, call => ArithmeticOperators.Whole(call, call.Value(0), call.Value(1), function));

    private static long[] Compare<TElement>(TElement[] a, Shape shapeA, TElement[] b, Shape shapeB, Shape shape, Func<TElement, TElement, bool> function)
    {
        (a, b) = (Broadcasting.Expand(a, shapeA, shape), Broadcasting.Expand(b, shapeB, shape));
        var result = new long[a.Length];
        for (var i = 0; i < result.Length; i++)
        {
            result[i] = function(a[i], b[i]) ? 1 : 0;
        }

        return result;
    }

    private static OnnxValue<T> Where<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (condition, a, b) = (call.Value(0), call.Value(1), call.Value(2));
        var shape = call.Broadcast(call.Broadcast(condition.Shape, a.Shape), b.Shape);
        if (a.IsFloatingPoint)
        {
            return Tensor<T>.Where(ArithmeticOperators.Cast(condition, OnnxElementType.Float).Tensor, a.Tensor, b.Floating);
        }

        var chooses = Broadcasting.Expand(condition.IntegerArray, condition.Shape, shape);
        var (whenTrue, whenFalse) = (Broadcasting.Expand(a.IntegerArray, a.Shape, shape), Broadcasting.Expand(b.IntegerArray, b.Shape, shape));
        return new([.. chooses.Select((choice, i) => choice != 0 ? whenTrue[i] : whenFalse[i])], shape, a.ElementType);
    }
}
