using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>Every element to a power.</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="exponent">The exponent; negative elements need a whole one.</param>
    public static Tensor<T> Power<T>(this Tensor<T> input, double exponent)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        if (exponent == 2)
        {
            return input.Square();
        }

        var power = Element.From<T>(exponent);
        var output = Tensor<T>.Uninitialized(input.Shape);
        var x = input.AsReadOnlySpan();
        var y = output.AsSpan();
        for (var i = 0; i < x.Length; i++)
        {
            y[i] = T.Pow(x[i], power);
        }

        return Unary.Record(input, output, new PowerFunction<T>(power));
    }

    /// <summary>left to the power of right, element by element.</summary>
    /// <param name="left">The bases; negative ones need whole exponents.</param>
    /// <param name="right">The exponents; dimensions of one element repeat, as in NumPy.</param>
    /// <exception cref="ArgumentException">The shapes do not fit together.</exception>
    public static Tensor<T> Power<T>(this Tensor<T> left, Tensor<T> right)
        where T : unmanaged, IFloatingPointIeee754<T> => Binary.Apply<T, PowersFunction<T>>(left, right);

    // n·xⁿ⁻¹ as it stands: y / x is zero or infinite long before the derivative is.
    private static T PowerDerivative<T>(T x, T exponent)
        where T : unmanaged, IFloatingPointIeee754<T> => exponent == T.Zero ? T.Zero : exponent * T.Pow(x, exponent - T.One);

    private static ref T LaneOf<V, T>(ref V vector, int index)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T> => ref Unsafe.Add(ref Unsafe.As<V, T>(ref vector), index);

    private readonly struct PowerFunction<T>(T exponent) : IDerivative<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public V Derivative<V>(V x, V y)
            where V : struct, IVector<V, T>
        {
            for (var i = 0; i < V.Count; i++)
            {
                LaneOf<V, T>(ref x, i) = PowerDerivative(LaneOf<V, T>(ref x, i), exponent);
            }

            return x;
        }
    }

    private readonly struct PowersFunction<T> : IBinaryFunction<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public static string Name => "Power";

        public static V Value<V>(V a, V b)
            where V : struct, IVector<V, T>
        {
            // Lane by lane: powers are rare, and the runtime's are exact in all the corner cases.
            for (var i = 0; i < V.Count; i++)
            {
                LaneOf<V, T>(ref a, i) = T.Pow(LaneOf<V, T>(ref a, i), LaneOf<V, T>(ref b, i));
            }

            return a;
        }

        public static V LeftDerivative<V>(V a, V b, V y)
            where V : struct, IVector<V, T>
        {
            for (var i = 0; i < V.Count; i++)
            {
                LaneOf<V, T>(ref a, i) = PowerDerivative(LaneOf<V, T>(ref a, i), LaneOf<V, T>(ref b, i));
            }

            return a;
        }

        public static V RightDerivative<V>(V a, V b, V y)
            where V : struct, IVector<V, T>
        {
            // y·log a; where y is zero so is the derivative, and where a is, but for negative powers.
            for (var i = 0; i < V.Count; i++)
            {
                var (@base, value) = (LaneOf<V, T>(ref a, i), LaneOf<V, T>(ref y, i));
                var isZero = value == T.Zero || (@base == T.Zero && LaneOf<V, T>(ref b, i) >= T.Zero);
                LaneOf<V, T>(ref a, i) = isZero ? T.Zero : value * T.Log(@base);
            }

            return a;
        }
    }
}
