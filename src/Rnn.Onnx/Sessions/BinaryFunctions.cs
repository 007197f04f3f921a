using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Onnx.Sessions;

/// <summary>a + b.</summary>
internal readonly struct AddFunction<T> : IBinaryFunction<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static string Name => "Add";

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Value<V>(V a, V b)
        where V : struct, IVector<V, T> => a + b;

    public static V LeftDerivative<V>(V a, V b, V y)
        where V : struct, IVector<V, T> => V.One;

    public static V RightDerivative<V>(V a, V b, V y)
        where V : struct, IVector<V, T> => V.One;
}

/// <summary>a − b.</summary>
internal readonly struct SubtractFunction<T> : IBinaryFunction<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static string Name => "Sub";

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Value<V>(V a, V b)
        where V : struct, IVector<V, T> => a - b;

    public static V LeftDerivative<V>(V a, V b, V y)
        where V : struct, IVector<V, T> => V.One;

    public static V RightDerivative<V>(V a, V b, V y)
        where V : struct, IVector<V, T> => V.Zero - V.One;
}

/// <summary>a·b.</summary>
internal readonly struct MultiplyFunction<T> : IBinaryFunction<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static string Name => "Mul";

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Value<V>(V a, V b)
        where V : struct, IVector<V, T> => a * b;

    public static V LeftDerivative<V>(V a, V b, V y)
        where V : struct, IVector<V, T> => b;

    public static V RightDerivative<V>(V a, V b, V y)
        where V : struct, IVector<V, T> => a;
}

/// <summary>a/b.</summary>
internal readonly struct DivideFunction<T> : IBinaryFunction<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static string Name => "Div";

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Value<V>(V a, V b)
        where V : struct, IVector<V, T> => a / b;

    public static V LeftDerivative<V>(V a, V b, V y)
        where V : struct, IVector<V, T> => V.One / b;

    public static V RightDerivative<V>(V a, V b, V y)
        where V : struct, IVector<V, T> => V.Zero - (y / b);
}
