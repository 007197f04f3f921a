using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Rnn.Kernels;

/// <summary>A vector of one lane: the plain arithmetic of the processor, for machines without vector units and for proofs.</summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
internal readonly unsafe struct Vec1<T> : IVector<Vec1<T>, T>, IRegisters<T, T>, ITileRegisters<T, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly T _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Vec1(T value) => _value = value;

    internal T Value => _value;

    /// <inheritdoc/>
    public static int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 1;
    }

    /// <inheritdoc/>
    public static Vec1<T> Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(T.Zero);
    }

    /// <inheritdoc/>
    public static Vec1<T> One
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(T.One);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> Broadcast(T value) => new(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> Constant(double value) => new(Number(value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> Load(T* source) => new(*source);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> LoadPartial(T* source, int count) => Zero;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* destination) => *destination = _value;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StorePartial(T* destination, int count)
    {
        // One lane has no part: count would have to lie strictly between 0 and 1.
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> MultiplyAdd(Vec1<T> a, Vec1<T> b, Vec1<T> c) => new(
        Fma.IsSupported || AdvSimd.IsSupported ? T.FusedMultiplyAdd(a._value, b._value, c._value) : (a._value * b._value) + c._value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> Min(Vec1<T> a, Vec1<T> b) => new(T.Min(a._value, b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> Max(Vec1<T> a, Vec1<T> b) => new(T.Max(a._value, b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> MinNative(Vec1<T> a, Vec1<T> b) => new(T.MinNative(a._value, b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> MaxNative(Vec1<T> a, Vec1<T> b) => new(T.MaxNative(a._value, b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> Abs(Vec1<T> a) => new(T.Abs(a._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> Sqrt(Vec1<T> a) => new(T.Sqrt(a._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> CopySign(Vec1<T> magnitude, Vec1<T> sign) => new(CopySign(magnitude._value, sign._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> Round(Vec1<T> a) => new(T.Round(a._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> PowerOfTwo(Vec1<T> wholeNumber) => new(PowerOfTwo(wholeNumber._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> Scale(Vec1<T> a, Vec1<T> n) => VectorMath.ScaleInTwo<Vec1<T>, T>(a, n);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> ScaleDown(Vec1<T> a, Vec1<T> n) => new(ScaleDown(a._value, n._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> SplitExponent(Vec1<T> a, out Vec1<T> exponent)
    {
        if (sizeof(T) == sizeof(float))
        {
            var bits = Unsafe.BitCast<T, int>(a._value);
            var biased = (bits + (0x3F800000 - 0x3F3504F3)) >>> 23;
            exponent = new(Number(biased - 127));
            return new(Unsafe.BitCast<int, T>(bits - (biased << 23) + 0x3F800000));
        }

        var bitsDouble = Unsafe.BitCast<T, long>(a._value);
        var biasedDouble = (bitsDouble + (0x3FF0000000000000 - 0x3FE6A09E667F3BCD)) >>> 52;
        exponent = new(Number(biasedDouble - 1023));
        return new(Unsafe.BitCast<long, T>(bitsDouble - (biasedDouble << 52) + 0x3FF0000000000000));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> LessThan(Vec1<T> a, Vec1<T> b) => Mask(a._value < b._value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> LessThanOrEqual(Vec1<T> a, Vec1<T> b) => Mask(a._value <= b._value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> EqualTo(Vec1<T> a, Vec1<T> b) => Mask(a._value == b._value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> Select(Vec1<T> mask, Vec1<T> whenTrue, Vec1<T> whenFalse)
    {
        var set = sizeof(T) == sizeof(float)
            ? Unsafe.BitCast<T, int>(mask._value) != 0
            : Unsafe.BitCast<T, long>(mask._value) != 0;
        return set ? whenTrue : whenFalse;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> FlushToZero(Vec1<T> a) => new(T.Abs(a._value) < Tiny<T>.Threshold ? T.Zero : a._value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> FirstLanes(int count) => Mask(count > 0);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Vec1<T> a) => a._value;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Sums(Vec1<T> a, Vec1<T> b, Vec1<T> c, Vec1<T> d, T* sums)
    {
        sums[0] = a._value;
        sums[1] = b._value;
        sums[2] = c._value;
        sums[3] = d._value;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T LargestLane(Vec1<T> a) => a._value;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> Exp(Vec1<T> x) => VectorMath.Exp<Vec1<T>, T>(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> Sigmoid(Vec1<T> x) => new(RegisterMath.Sigmoid<Vec1<T>, T, T>(x._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> Tanh(Vec1<T> x) => new(RegisterMath.Tanh<Vec1<T>, T, T>(x._value));

    /// <summary>The sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> operator +(Vec1<T> left, Vec1<T> right) => new(left._value + right._value);

    /// <summary>The difference.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> operator -(Vec1<T> left, Vec1<T> right) => new(left._value - right._value);

    /// <summary>The product.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> operator *(Vec1<T> left, Vec1<T> right) => new(left._value * right._value);

    /// <summary>The quotient.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> operator /(Vec1<T> left, Vec1<T> right) => new(left._value / right._value);

    /// <summary>The negation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> operator -(Vec1<T> value) => new(-value._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static T ITileRegisters<T, T>.Load(T* source) => *source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void ITileRegisters<T, T>.Store(T value, T* destination) => *destination = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static T ITileRegisters<T, T>.Broadcast(T* source) => *source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T MultiplyAdd(T a, T b, T c) => Fma.IsSupported || AdvSimd.IsSupported ? T.FusedMultiplyAdd(a, b, c) : (a * b) + c;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Add(T a, T b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static T IRegisters<T, T>.Constant(double value) => Number(value);

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
            ? a * PowerOfTwo(n + Number(64.0)) * Number(5.421010862427522e-20)
            : a * PowerOfTwo(n + Number(512.0)) * Number(7.458340731200207e-155);

    // As T.CreateTruncating, which spends a dozen of the local variables that a method may have on every constant.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Number(double value) => typeof(T) == typeof(float) ? (T)(object)(float)value : (T)(object)value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vec1<T> Mask(bool set) => sizeof(T) == sizeof(float)
        ? new(Unsafe.BitCast<int, T>(set ? -1 : 0))
        : new(Unsafe.BitCast<long, T>(set ? -1L : 0L));
}
