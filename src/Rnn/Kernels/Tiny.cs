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
    internal static T Threshold => T.CreateTruncating(Limit);

    /// <summary>Whether any of these numbers is too small to matter and yet not zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal static bool IsAny(T* values, nint count)
    {
        var threshold = new Vector<T>(Threshold);
        var found = Vector<T>.Zero;
        nint i = 0;
        for (; i + Vector<T>.Count <= count; i += Vector<T>.Count)
        {
            var x = Vector.Abs(Vector.Load(values + i));
            found = Vector.BitwiseOr(found, Vector.AndNot(x, Vector.GreaterThanOrEqual(x, threshold)));
        }

        var any = T.Zero;
        for (; i < count; i++)
        {
            any += T.Abs(values[i]) < Threshold ? T.Abs(values[i]) : T.Zero;
        }

        return any > T.Zero || Vector.GreaterThanAny(found, Vector<T>.Zero);
    }

    /// <summary>Copies, with zeros for what is too small; in place where both are the same.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal static void CopyFlushed(T* from, T* to, nint count)
    {
        var threshold = new Vector<T>(Threshold);
        nint i = 0;
        for (; i + Vector<T>.Count <= count; i += Vector<T>.Count)
        {
            var x = Vector.Load(from + i);
            Vector.Store(Vector.AndNot(x, Vector.LessThan(Vector.Abs(x), threshold)), to + i);
        }

        for (; i < count; i++)
        {
            to[i] = T.Abs(from[i]) < Threshold ? T.Zero : from[i];
        }
    }
}
