using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Rnn.Kernels;

/// <summary>A vector of one lane: the plain arithmetic of the processor, for machines without vector units and for proofs.</summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
internal readonly unsafe struct Vec1<T> : IVector<Vec1<T>, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly T _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Vec1(T value) => _value = value;

    internal T Value => _value;

    /// <inheritdoc/>
    public static int Count => 1;

    /// <inheritdoc/>
    public static Vec1<T> Zero => new(T.Zero);

    /// <inheritdoc/>
    public static Vec1<T> One => new(T.One);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> Broadcast(T value) => new(value);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> Constant(double value) => new(T.CreateTruncating(value));

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
    public static Vec1<T> CopySign(Vec1<T> magnitude, Vec1<T> sign) => new(Registers1<T>.CopySign(magnitude._value, sign._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> Round(Vec1<T> a) => new(T.Round(a._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> PowerOfTwo(Vec1<T> wholeNumber) => new(Registers1<T>.PowerOfTwo(wholeNumber._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> Scale(Vec1<T> a, Vec1<T> n) => VectorMath.ScaleInTwo<Vec1<T>, T>(a, n);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> ScaleDown(Vec1<T> a, Vec1<T> n) => new(Registers1<T>.ScaleDown(a._value, n._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> SplitExponent(Vec1<T> a, out Vec1<T> exponent)
    {
        if (sizeof(T) == sizeof(float))
        {
            var bits = Unsafe.BitCast<T, int>(a._value);
            var biased = (bits + (0x3F800000 - 0x3F3504F3)) >>> 23;
            exponent = new(T.CreateTruncating(biased - 127));
            return new(Unsafe.BitCast<int, T>(bits - (biased << 23) + 0x3F800000));
        }

        var bitsDouble = Unsafe.BitCast<T, long>(a._value);
        var biasedDouble = (bitsDouble + (0x3FF0000000000000 - 0x3FE6A09E667F3BCD)) >>> 52;
        exponent = new(T.CreateTruncating(biasedDouble - 1023));
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
    public static Vec1<T> Sigmoid(Vec1<T> x) => new(RegisterMath.Sigmoid<Registers1<T>, T, T>(x._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec1<T> Tanh(Vec1<T> x) => new(RegisterMath.Tanh<Registers1<T>, T, T>(x._value));

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
    private static Vec1<T> Mask(bool set) => sizeof(T) == sizeof(float)
        ? new(Unsafe.BitCast<int, T>(set ? -1 : 0))
        : new(Unsafe.BitCast<long, T>(set ? -1L : 0L));
}
