using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;
using Rnn.Tensors;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Rnn.Autograd;

public static partial class TensorOperations
{
    /// <summary>The natural logarithm of every element: −∞ at zero, NaN below.</summary>
    /// <param name="input">The tensor.</param>
    public static Tensor<T> Log<T>(this Tensor<T> input)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        var output = Tensor<T>.Uninitialized(input.Shape);
        TensorPrimitives.Log(input.AsReadOnlySpan(), output.AsSpan());
        return Unary.Record(input, output, default(LogFunction<T>));
    }

    private readonly struct LogFunction<T> : ISlope<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Slope<V>(V x, V y)
            where V : struct, IVector<V, T> => V.One / x;
    }
}
