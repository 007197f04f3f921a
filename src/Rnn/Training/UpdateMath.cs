using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Training;

/// <summary>
/// What keeps update rules inside the range of the element type. .NET cannot make the processor take denormal numbers for zeros, and computes
/// with them up to a hundred times slower, so what decays is zero once it is too small to matter: here, in the rule, and so alike for all
/// vector widths and tails.
/// </summary>
internal static class UpdateMath<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Gradients below it count as zero where they are squared: their square would be denormal or zero.</summary>
    internal static double SmallestToSquare
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(T) == typeof(float) ? 1e-17 : 1e-145;
    }

    /// <summary>Optimisers that square gradients throw above it: a running mean that has become infinite stays so.</summary>
    internal static double LargestToSquare
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(T) == typeof(float) ? 1e17 : 1e145;
    }

    // Far enough above the denormal numbers that what is computed from it is none either.
    private static double SmallestMoment
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(T) == typeof(float) ? 1e-30 : 1e-290;
    }

    private static double SmallestNormal
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(T) == typeof(float) ? 1.17549435e-38 : 2.2250738585072014e-308;
    }

    /// <summary>A gradient, a mean of gradients or a momentum; zero where it is next to nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Moment<V>(V value)
        where V : struct, IVector<V, T> => ZeroBelow(value, SmallestMoment);

    /// <summary>A parameter; zero where the layers that read it would take it for zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Parameter<V>(V value)
        where V : struct, IVector<V, T> => V.FlushToZero(value);

    /// <summary>A mean of squares; zero where it is denormal.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Normal<V>(V value)
        where V : struct, IVector<V, T> => ZeroBelow(value, SmallestNormal);

    /// <summary>A gradient that is about to be squared.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V ToSquare<V>(V value)
        where V : struct, IVector<V, T> => ZeroBelow(value, SmallestToSquare);

    // NaN is not below and stays.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V ZeroBelow<V>(V value, double limit)
        where V : struct, IVector<V, T> => V.Select(V.LessThan(V.Abs(value), V.Constant(limit)), V.Zero, value);
}
