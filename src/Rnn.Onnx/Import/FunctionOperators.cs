using System.Numerics;
using Rnn.Autograd;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>Functions of each element that are computed one by one: trigonometric and hyperbolic ones, and their inverses.</summary>
internal static class FunctionOperators
{
    // Functions by the names of their operators, with their derivatives by x and y.
    private static Dictionary<string, (Func<T, T> Value, Func<T, T, T> Slope)> All<T>()
        where T : unmanaged, IFloatingPointIeee754<T> => new(StringComparer.Ordinal)
        {
            ["Tan"] = (T.Tan, (_, y) => T.One + (y * y)),
            ["Asin"] = (T.Asin, (x, _) => T.One / T.Sqrt(T.One - (x * x))),
            ["Acos"] = (T.Acos, (x, _) => -T.One / T.Sqrt(T.One - (x * x))),
            ["Atan"] = (T.Atan, (x, _) => T.One / (T.One + (x * x))),
            ["Sinh"] = (T.Sinh, (x, _) => T.Cosh(x)),
            ["Cosh"] = (T.Cosh, (x, _) => T.Sinh(x)),
            ["Asinh"] = (T.Asinh, (x, _) => T.One / T.Sqrt((x * x) + T.One)),
            ["Acosh"] = (T.Acosh, (x, _) => T.One / T.Sqrt((x * x) - T.One)),
            ["Atanh"] = (T.Atanh, (x, _) => T.One / (T.One - (x * x))),
        };

    internal static void Register<T>(OperatorSet<T> set)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (var (name, (value, slope)) in All<T>())
        {
            var operation = new ScalarOperation<T>(value, slope);
            set.AddUnary(name, (x, _) => operation.Apply(x));
        }

        set.AddUnary("Shrink", (x, call) =>
        {
            var (limit, bias) = (T.CreateTruncating(call.Attributes.Float("lambd", 0.5)), T.CreateTruncating(call.Attributes.Float("bias", 0)));
            return new ScalarOperation<T>(v => v < -limit ? v + bias : v > limit ? v - bias : T.Zero, (v, _) => v < -limit || v > limit ? T.One : T.Zero).Apply(x);
        });
    }

    /// <summary>The function of an operator for steps of a session, or null.</summary>
    internal static Func<T, T>? Find<T>(string name)
        where T : unmanaged, IFloatingPointIeee754<T> => Functions<T>.Values.TryGetValue(name, out var function) ? function.Value : null;

    private static class Functions<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        internal static readonly Dictionary<string, (Func<T, T> Value, Func<T, T, T> Slope)> Values = All<T>();
    }
}

/// <summary>y = f(x) for each element, with f′ by x and y.</summary>
internal sealed class ScalarOperation<T>(Func<T, T> function, Func<T, T, T> slope) : DifferentiableOperation<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    protected override Tensor<T>[] Forward(OperationContext<T> context) => [context.Save(ElementwiseOperators.Map(context.Input(0), function))];

    protected override Tensor<T>?[] Backward(OperationContext<T> context)
    {
        var x = context.Input(0).AsReadOnlySpan();
        var y = context.Saved(0).AsReadOnlySpan();
        var slopes = new T[x.Length];
        for (var i = 0; i < slopes.Length; i++)
        {
            slopes[i] = slope(x[i], y[i]);
        }

        return [context.OutputGradient() * Tensor<T>.From(slopes, context.Input(0).Shape)];
    }
}
