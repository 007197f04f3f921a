using System.Numerics;
using Rnn.Autograd;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>Functions of each element by itself.</summary>
internal static class ElementwiseOperators
{
    internal static void Register<T>(OperatorSet<T> set)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        set.AddUnary("Sigmoid", (x, _) => x.Sigmoid());
        set.AddUnary("Tanh", (x, _) => x.Tanh());
        set.AddUnary("Exp", (x, _) => x.Exp());
        set.AddUnary("Log", (x, _) => x.Log());
        set.AddUnary("Sqrt", (x, _) => x.Sqrt());
        set.AddUnary("Sin", (x, _) => x.Sin());
        set.AddUnary("Cos", (x, _) => x.Cos());
        set.AddUnary("Erf", (x, _) => Unary.Apply(x, default(ErfFunction<T>)));
        set.AddUnary("Reciprocal", (x, _) => Unary.Apply(x, default(ReciprocalFunction<T>)));
        set.AddUnary("LeakyRelu", (x, call) => x.LeakyRelu(call.Attributes.Float("alpha", 0.01f)));
        set.AddUnary("Elu", (x, call) => x.Elu(call.Attributes.Float("alpha", 1)));
        set.AddUnary("Selu", (x, call) => Unary.Apply(
            x, new SeluFunction<T>(call.Attributes.Float("alpha", 1.67326319217681884765625), call.Attributes.Float("gamma", 1.05070102214813232421875))));
        set.AddUnary("Celu", (x, call) =>
        {
            var alpha = call.Attributes.Float("alpha", 1);
            return Unary.Apply(x.Multiply(T.CreateTruncating(1 / alpha)), new SeluFunction<T>(1, alpha));
        });
        set.AddUnary("ThresholdedRelu", (x, call) => Unary.Apply(x, new ThresholdedReluFunction<T>(call.Attributes.Float("alpha", 1), inclusive: false)));
        set.AddUnary("HardSigmoid", (x, call) => Unary.Apply(x, new HardSigmoidFunction<T>(call.Attributes.Float("alpha", 0.2f), call.Attributes.Float("beta", 0.5))));
        set.AddUnary("HardSwish", (x, _) => x * Unary.Apply(x, new HardSigmoidFunction<T>(1.0 / 6, 0.5)));
        set.AddUnary("Softplus", (x, _) => x.Softplus());
        set.AddUnary("Softsign", (x, _) => x / x.Abs().Add(T.One));
        set.AddUnary("Swish", (x, call) => x * x.Multiply(T.CreateTruncating(call.Attributes.Float("alpha", 1))).Sigmoid());
        set.AddUnary("Mish", (x, _) => x * x.Softplus().Tanh());
        set.AddUnary("Gelu", (x, call) => x.Gelu(call.Attributes.String("approximate") == "tanh"));
        set.AddUnary("Floor", (x, _) => Map(x, T.Floor));
        set.AddUnary("Ceil", (x, _) => Map(x, T.Ceiling));
        set.AddUnary("Round", (x, _) => Map(x, value => T.Round(value, MidpointRounding.ToEven)));

        // Without training these pass values through.
        set.Add("Identity", call => call.Value(0));
        set.AddSeveral("Dropout", Dropout);

        set.Add("Relu", call => call.Value(0).IsFloatingPoint ? call.Tensor(0).Relu() : MapIntegers(call.Value(0), value => Math.Max(0, value)));
        set.Add("Abs", call => call.Value(0).IsFloatingPoint ? call.Tensor(0).Abs() : MapIntegers(call.Value(0), value => value < 0 ? -value : value));
        set.Add("Neg", call => call.Value(0).IsFloatingPoint ? call.Tensor(0).Negate() : MapIntegers(call.Value(0), value => -value));
        set.Add("Sign", call => call.Value(0).IsFloatingPoint ? call.Tensor(0).Sign() : MapIntegers(call.Value(0), value => Math.Sign(value)));
        set.Add("PRelu", call => PRelu(call));
        set.Add("IsNaN", call => Test(call, T.IsNaN));
        set.Add("IsInf", call => Test(call, value => T.IsPositiveInfinity(value) ? call.Attributes.Int("detect_positive", 1) != 0 : T.IsNegativeInfinity(value) && call.Attributes.Int("detect_negative", 1) != 0));
    }

    /// <summary>A function that is constant nearly everywhere, so that no gradient flows.</summary>
    internal static Tensor<T> Map<T>(Tensor<T> x, Func<T, T> function)
        where T : unmanaged, IFloatingPointIeee754<T> => Tensor<T>.From(Array.ConvertAll(x.ToArray(), value => function(value)), x.Shape);

    /// <summary>A function of whole numbers, wrapped to their type.</summary>
    internal static OnnxValue<T> MapIntegers<T>(OnnxValue<T> x, Func<long, long> function)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        new(Array.ConvertAll(x.IntegerArray, value => Schema.IntegerTypes.Wrap(function(value), x.ElementType)), x.Shape, x.ElementType);

    private static OnnxValue<T> Test<T>(NodeCall<T> call, Func<T, bool> test)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        new(Array.ConvertAll(call.Tensor(0).ToArray(), value => test(value) ? 1L : 0), call.Value(0).Shape, OnnxElementType.Boolean);

    private static OnnxValue<T>?[] Dropout<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var input = call.Value(0);
        OnnxValue<T>? mask = null;
        if (call.Wants(1))
        {
            var kept = new long[input.Length];
            Array.Fill(kept, 1);
            mask = new(kept, input.Shape, OnnxElementType.Boolean);
        }

        return [input, mask];
    }

    private static OnnxValue<T> PRelu<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (x, slope) = (call.Tensor(0), call.Tensor(1));
        if (call.Broadcast(x.Shape, slope.Shape) != x.Shape)
        {
            throw new InvalidDataException($"the slope {slope.Shape} does not broadcast to {x.Shape}");
        }

        return x.Relu() - (x.Negate().Relu() * slope);
    }
}
