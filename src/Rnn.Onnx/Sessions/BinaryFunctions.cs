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

/// <summary>The smaller of two numbers; steps of sessions have no gradients.</summary>
internal readonly struct MinimumFunction<T> : IBinaryFunction<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static string Name => "Min";

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Value<V>(V a, V b)
        where V : struct, IVector<V, T> => V.Min(a, b);

    public static V LeftDerivative<V>(V a, V b, V y)
        where V : struct, IVector<V, T> => throw new NotSupportedException();

    public static V RightDerivative<V>(V a, V b, V y)
        where V : struct, IVector<V, T> => throw new NotSupportedException();
}

/// <summary>The larger of two numbers; steps of sessions have no gradients.</summary>
internal readonly struct MaximumFunction<T> : IBinaryFunction<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static string Name => "Max";

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Value<V>(V a, V b)
        where V : struct, IVector<V, T> => V.Max(a, b);

    public static V LeftDerivative<V>(V a, V b, V y)
        where V : struct, IVector<V, T> => throw new NotSupportedException();

    public static V RightDerivative<V>(V a, V b, V y)
        where V : struct, IVector<V, T> => throw new NotSupportedException();
}

/// <summary>a where it is positive, else a·b; steps of sessions have no gradients.</summary>
internal readonly struct SlopeFunction<T> : IBinaryFunction<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static string Name => "PRelu";

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Value<V>(V a, V b)
        where V : struct, IVector<V, T> => V.Select(V.LessThan(a, V.Zero), a * b, a);

    public static V LeftDerivative<V>(V a, V b, V y)
        where V : struct, IVector<V, T> => throw new NotSupportedException();

    public static V RightDerivative<V>(V a, V b, V y)
        where V : struct, IVector<V, T> => throw new NotSupportedException();
}
