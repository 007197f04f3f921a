using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Tensors;

/// <summary>
/// Conversions of elements for inner loops. The generic ones of the runtime do the same but are slow until they have been called often.
/// </summary>
internal static class Element
{
    /// <summary>The nearest element to a number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T From<T>(double value)
        where T : unmanaged, IFloatingPointIeee754<T> => typeof(T) == typeof(float)
        ? Unsafe.BitCast<float, T>((float)value)
        : typeof(T) == typeof(double) ? Unsafe.BitCast<double, T>(value) : T.CreateTruncating(value);

    /// <summary>The element as a number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static double ToDouble<T>(T value)
        where T : unmanaged, IFloatingPointIeee754<T> => typeof(T) == typeof(float)
        ? Unsafe.BitCast<T, float>(value)
        : typeof(T) == typeof(double) ? Unsafe.BitCast<T, double>(value) : double.CreateTruncating(value);
}
