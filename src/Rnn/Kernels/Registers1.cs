using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Rnn.Kernels;

/// <summary>One number.</summary>
internal readonly unsafe struct Registers1<T> : IRegisters<T, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int Count => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Load(T* source) => *source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(T value, T* destination) => *destination = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Broadcast(T* source) => *source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T MultiplyAdd(T a, T b, T c) => Fma.IsSupported || AdvSimd.IsSupported ? T.FusedMultiplyAdd(a, b, c) : (a * b) + c;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Add(T a, T b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Constant(double value) => T.CreateTruncating(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Subtract(T a, T b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Multiply(T a, T b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Divide(T a, T b) => a / b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T MinNative(T a, T b) => T.MinNative(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T MaxNative(T a, T b) => T.MaxNative(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Abs(T a) => T.Abs(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T CopySign(T magnitude, T sign) => T.CopySign(magnitude, sign);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T PowerOfTwo(T wholeNumber)
    {
        // The same bit trick as the wide vectors, so that lanes outside the range behave alike.
        if (typeof(T) == typeof(float))
        {
            var biased = (float)(object)wholeNumber + (12582912f + 127f);
            return (T)(object)BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(biased) << 23);
        }

        var biasedDouble = (double)(object)wholeNumber + (6755399441055744.0 + 1023.0);
        return (T)(object)BitConverter.Int64BitsToDouble(BitConverter.DoubleToInt64Bits(biasedDouble) << 52);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T ScaleDown(T a, T n) =>
        // A detour over 2^64 (2^512) keeps the first product exact; the second rounds once, also where the result is denormal.
        typeof(T) == typeof(float)
            ? a * PowerOfTwo(n + Constant(64.0)) * Constant(5.421010862427522e-20)
            : a * PowerOfTwo(n + Constant(512.0)) * Constant(7.458340731200207e-155);
}
