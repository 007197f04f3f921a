using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Rnn.Kernels;

/// <content>The operations that the elementary functions need.</content>
internal unsafe partial interface IRegisters<TRegister, T>
{
    static abstract TRegister Constant(double value);

    static abstract TRegister Subtract(TRegister a, TRegister b);

    static abstract TRegister Multiply(TRegister a, TRegister b);

    static abstract TRegister Divide(TRegister a, TRegister b);

    static abstract TRegister MinNative(TRegister a, TRegister b);

    static abstract TRegister MaxNative(TRegister a, TRegister b);

    static abstract TRegister Abs(TRegister a);

    static abstract TRegister CopySign(TRegister magnitude, TRegister sign);

    static abstract TRegister PowerOfTwo(TRegister wholeNumber);

    static abstract TRegister ScaleDown(TRegister a, TRegister n);
}

internal readonly unsafe partial struct Registers1<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Constant(double value) => T.CreateTruncating(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Subtract(T a, T b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Multiply(T a, T b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Divide(T a, T b) => a / b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T MinNative(T a, T b) => Vec1<T>.MinNative(new(a), new(b)).Value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T MaxNative(T a, T b) => Vec1<T>.MaxNative(new(a), new(b)).Value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Abs(T a) => T.Abs(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T CopySign(T magnitude, T sign) => T.CopySign(magnitude, sign);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T PowerOfTwo(T wholeNumber) => Vec1<T>.PowerOfTwo(new(wholeNumber)).Value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T ScaleDown(T a, T n) => Vec1<T>.ScaleDown(new(a), new(n)).Value;
}

internal readonly unsafe partial struct Registers128<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Constant(double value)
    {
        if (typeof(T) == typeof(float))
        {
            return Vector128.Create((float)value).As<float, T>();
        }

        return Vector128.Create(value).As<double, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Subtract(Vector128<T> a, Vector128<T> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Multiply(Vector128<T> a, Vector128<T> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Divide(Vector128<T> a, Vector128<T> b) => a / b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> MinNative(Vector128<T> a, Vector128<T> b) => Vector128.MinNative(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> MaxNative(Vector128<T> a, Vector128<T> b) => Vector128.MaxNative(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Abs(Vector128<T> a) => Vector128.Abs(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> CopySign(Vector128<T> magnitude, Vector128<T> sign) =>
        Vector128.ConditionalSelect(Vector128.Create(-T.Zero), sign, magnitude);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> PowerOfTwo(Vector128<T> wholeNumber)
    {
        // As the vector of this width has it, without its wrapping.
        if (typeof(T) == typeof(float))
        {
            return Vector128.ShiftLeft((wholeNumber.AsSingle() + Vector128.Create(12582912f + 127f)).AsInt32(), 23).As<int, T>();
        }

        return Vector128.ShiftLeft((wholeNumber.AsDouble() + Vector128.Create(6755399441055744.0 + 1023.0)).AsInt64(), 52).As<long, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> ScaleDown(Vector128<T> a, Vector128<T> n)
    {
        if (Avx512F.VL.IsSupported)
        {
            if (typeof(T) == typeof(float))
            {
                return Avx512F.VL.Scale(a.AsSingle(), n.AsSingle()).As<float, T>();
            }

            return Avx512F.VL.Scale(a.AsDouble(), n.AsDouble()).As<double, T>();
        }

        // A detour over 2^64 (2^512) keeps the first product exact; the second rounds once, also where the result is denormal.
        if (typeof(T) == typeof(float))
        {
            return a * PowerOfTwo((n.AsSingle() + Vector128.Create(64f)).As<float, T>()) * Vector128.Create(5.421010862427522e-20f).As<float, T>();
        }

        return a * PowerOfTwo((n.AsDouble() + Vector128.Create(512.0)).As<double, T>()) * Vector128.Create(7.458340731200207e-155).As<double, T>();
    }
}

internal readonly unsafe partial struct Registers256<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Constant(double value)
    {
        if (typeof(T) == typeof(float))
        {
            return Vector256.Create((float)value).As<float, T>();
        }

        return Vector256.Create(value).As<double, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Subtract(Vector256<T> a, Vector256<T> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Multiply(Vector256<T> a, Vector256<T> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Divide(Vector256<T> a, Vector256<T> b) => a / b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> MinNative(Vector256<T> a, Vector256<T> b) => Vector256.MinNative(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> MaxNative(Vector256<T> a, Vector256<T> b) => Vector256.MaxNative(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Abs(Vector256<T> a) => Vector256.Abs(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> CopySign(Vector256<T> magnitude, Vector256<T> sign) =>
        Vector256.ConditionalSelect(Vector256.Create(-T.Zero), sign, magnitude);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> PowerOfTwo(Vector256<T> wholeNumber)
    {
        // As the vector of this width has it, without its wrapping.
        if (typeof(T) == typeof(float))
        {
            return Vector256.ShiftLeft((wholeNumber.AsSingle() + Vector256.Create(12582912f + 127f)).AsInt32(), 23).As<int, T>();
        }

        return Vector256.ShiftLeft((wholeNumber.AsDouble() + Vector256.Create(6755399441055744.0 + 1023.0)).AsInt64(), 52).As<long, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> ScaleDown(Vector256<T> a, Vector256<T> n)
    {
        if (Avx512F.VL.IsSupported)
        {
            if (typeof(T) == typeof(float))
            {
                return Avx512F.VL.Scale(a.AsSingle(), n.AsSingle()).As<float, T>();
            }

            return Avx512F.VL.Scale(a.AsDouble(), n.AsDouble()).As<double, T>();
        }

        // A detour over 2^64 (2^512) keeps the first product exact; the second rounds once, also where the result is denormal.
        if (typeof(T) == typeof(float))
        {
            return a * PowerOfTwo((n.AsSingle() + Vector256.Create(64f)).As<float, T>()) * Vector256.Create(5.421010862427522e-20f).As<float, T>();
        }

        return a * PowerOfTwo((n.AsDouble() + Vector256.Create(512.0)).As<double, T>()) * Vector256.Create(7.458340731200207e-155).As<double, T>();
    }
}

internal readonly unsafe partial struct Registers512<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Constant(double value)
    {
        if (typeof(T) == typeof(float))
        {
            return Vector512.Create((float)value).As<float, T>();
        }

        return Vector512.Create(value).As<double, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Subtract(Vector512<T> a, Vector512<T> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Multiply(Vector512<T> a, Vector512<T> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Divide(Vector512<T> a, Vector512<T> b) => a / b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> MinNative(Vector512<T> a, Vector512<T> b) => Vector512.MinNative(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> MaxNative(Vector512<T> a, Vector512<T> b) => Vector512.MaxNative(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Abs(Vector512<T> a) => Vector512.Abs(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> CopySign(Vector512<T> magnitude, Vector512<T> sign) =>
        Vector512.ConditionalSelect(Vector512.Create(-T.Zero), sign, magnitude);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> PowerOfTwo(Vector512<T> wholeNumber)
    {
        // As the vector of this width has it, without its wrapping.
        if (typeof(T) == typeof(float))
        {
            return Vector512.ShiftLeft((wholeNumber.AsSingle() + Vector512.Create(12582912f + 127f)).AsInt32(), 23).As<int, T>();
        }

        return Vector512.ShiftLeft((wholeNumber.AsDouble() + Vector512.Create(6755399441055744.0 + 1023.0)).AsInt64(), 52).As<long, T>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> ScaleDown(Vector512<T> a, Vector512<T> n)
    {
        if (Avx512F.IsSupported)
        {
            if (typeof(T) == typeof(float))
            {
                return Avx512F.Scale(a.AsSingle(), n.AsSingle()).As<float, T>();
            }

            return Avx512F.Scale(a.AsDouble(), n.AsDouble()).As<double, T>();
        }

        // As the vector of this width has it, without its wrapping.
        if (typeof(T) == typeof(float))
        {
            return a * PowerOfTwo((n.AsSingle() + Vector512.Create(64f)).As<float, T>()) * Vector512.Create(5.421010862427522e-20f).As<float, T>();
        }

        return a * PowerOfTwo((n.AsDouble() + Vector512.Create(512.0)).As<double, T>()) * Vector512.Create(7.458340731200207e-155).As<double, T>();
    }
}
