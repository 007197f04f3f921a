using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <summary>
/// Numbers too small to matter: below <see cref="Limit"/> what is stored and used again becomes zero (<see cref="IVector{TSelf, T}.FlushToZero"/>).
/// .NET cannot set the processor's flush-to-zero mode, and arithmetic with denormal numbers takes up to 200 times as long.
/// </summary>
internal static unsafe class Tiny<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>2⁻¹⁰⁰ for float and 2⁻⁹⁶⁰ for double: far enough above the denormal range that products with ordinary weights stay out of it too.</summary>
    internal static double Limit
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => sizeof(T) == sizeof(float) ? 7.888609052210118e-31 : 1.0261342003245941e-289;
    }

    /// <summary><see cref="Limit"/> as an element.</summary>
    internal static T Threshold
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => typeof(T) == typeof(float) ? (T)(object)(float)Limit : (T)(object)Limit;
    }

    /// <summary>Whether any of these numbers is too small to matter and yet not zero.</summary>
    // Four sums that do not wait for each other, and the rest elsewhere: a loop that calls anything keeps its vectors in memory.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal static bool IsAny(T* values, nint count)
    {
        if (!Vector.IsHardwareAccelerated)
        {
            return IsAnyOfFew(values, values + count);
        }

        var threshold = new Vector<T>(Threshold);
        var found0 = Vector<T>.Zero;
        var found1 = found0;
        var found2 = found0;
        var found3 = found0;
        var end = values + (count & -(4 * Vector<T>.Count));
        var at = values;
        while (at < end)
        {
            found0 = Found(found0, at, threshold);
            found1 = Found(found1, at + Vector<T>.Count, threshold);
            found2 = Found(found2, at + (2 * Vector<T>.Count), threshold);
            found3 = Found(found3, at + (3 * Vector<T>.Count), threshold);
            at += 4 * Vector<T>.Count;
        }

        var found = Vector.BitwiseOr(Vector.BitwiseOr(found0, found1), Vector.BitwiseOr(found2, found3));
        return Vector.GreaterThanAny(found, Vector<T>.Zero) || IsAnyOfFew(at, values + count);
    }

    /// <summary>Copies, with zeros for what is too small; in place where both are the same.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal static void CopyFlushed(T* from, T* to, nint count)
    {
        var end = from + count;
        if (Vector.IsHardwareAccelerated)
        {
            var threshold = new Vector<T>(Threshold);
            for (var whole = from + (count & -Vector<T>.Count); from < whole; from += Vector<T>.Count)
            {
                var x = Vector.Load(from);
                Vector.Store(Vector.AndNot(x, Vector.LessThan(Vector.Abs(x), threshold)), to);
                to += Vector<T>.Count;
            }
        }

        for (; from < end; from++)
        {
            var x = *from;
            *to++ = T.Abs(x) < Threshold ? T.Zero : x;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<T> Found(Vector<T> found, T* at, Vector<T> threshold)
    {
        var x = Vector.Abs(Vector.Load(at));
        return Vector.BitwiseOr(found, Vector.BitwiseAnd(x, Vector.LessThan(x, threshold)));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static bool IsAnyOfFew(T* at, T* end)
    {
        var any = false;
        for (; at < end; at++)
        {
            any |= *at != T.Zero && T.Abs(*at) < Threshold;
        }

        return any;
    }
}
