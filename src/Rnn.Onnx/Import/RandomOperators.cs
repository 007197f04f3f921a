using System.Numerics;
using Rnn.Onnx.Schema;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>
/// Random numbers, new in each run. A node with a seed draws the same ones from the first run on as often as the model is loaded, though not those of other runtimes; the standard fixes none.
/// </summary>
internal static class RandomOperators
{
    internal static void Register<T>(OperatorSet<T> set)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        set.Add("RandomNormal", call => Normal(call, Given(call)));
        set.Add("RandomUniform", call => Uniform(call, Given(call)));
        set.Add("RandomNormalLike", call => Normal(call, call.Value(0).Shape));
        set.Add("RandomUniformLike", call => Uniform(call, call.Value(0).Shape));
        set.Add("Bernoulli", call =>
        {
            var chances = call.Tensor(0).AsReadOnlySpan();
            var draws = Draw(call, call.Value(0).Shape, random => random.NextDouble());
            for (var i = 0; i < draws.Length; i++)
            {
                draws[i] = draws[i] < double.CreateTruncating(chances[i]) ? 1 : 0;
            }

            return Typed(call, draws, call.Value(0).Shape);
        });
    }

    /// <summary>Whether an operator gives other numbers in each run, so that it is never a constant.</summary>
    internal static bool IsRandom(string name) => name is "RandomNormal" or "RandomUniform" or "RandomNormalLike" or "RandomUniformLike" or "Bernoulli";

    private static OnnxValue<T> Normal<T>(NodeCall<T> call, Shape shape)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (mean, scale) = (call.Attributes.Float("mean", 0), call.Attributes.Float("scale", 1));
        return Typed(call, Draw(call, shape, random => mean + (scale * random.NextNormal())), shape);
    }

    private static OnnxValue<T> Uniform<T>(NodeCall<T> call, Shape shape)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (low, high) = (call.Attributes.Float("low", 0), call.Attributes.Float("high", 1));
        return Typed(call, Draw(call, shape, random => low + ((high - low) * random.NextDouble())), shape);
    }

    private static Shape Given<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T> => call.Shape(call.Attributes.Ints("shape") ?? throw new InvalidDataException("the attribute 'shape' is missing"));

    private static double[] Draw<T>(NodeCall<T> call, Shape shape, Func<RandomSource, double> draw)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        RandomSource random;
        lock (call.Node)
        {
            if (call.Node.Prepared is not RandomSource source)
            {
                source = call.Attributes.Has("seed") ? new(BitConverter.DoubleToUInt64Bits(call.Attributes.Float("seed", 0))) : new();
                call.Node.Prepared = source;
            }

            // A source of its own for each run: sessions on several threads share the node.
            random = source.Split(source.NextUInt64());
        }

        var values = new double[shape.ElementCount];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = draw(random);
        }

        return values;
    }

    // The type of the attribute dtype, else that of the input.
    private static OnnxValue<T> Typed<T>(NodeCall<T> call, double[] values, Shape shape)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var type = call.Attributes.Has("dtype") ? (OnnxElementType)call.Attributes.Int("dtype", 1) : call.InputCount > 0 ? call.Value(0).ElementType : OnnxElementType.Float;
        return IntegerTypes.IsFloating(type)
            ? Tensor<T>.From(Array.ConvertAll(values, T.CreateTruncating), shape)
            : ArithmeticOperators.Cast<T>(Tensor<T>.From(Array.ConvertAll(values, T.CreateTruncating), shape), type);
    }
}
