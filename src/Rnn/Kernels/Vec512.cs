using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Rnn.Kernels;

/// <summary>A vector of 512 bits: <see cref="IVector{TSelf, T}"/> over <see cref="Vector512{T}"/>.</summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
internal readonly unsafe struct Vec512<T> : IVector<Vec512<T>, T>, IRegisters<Vector512<T>, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Vector512<T> _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Vec512(Vector512<T> value) => _value = value;

    internal Vector512<T> Value => _value;

    /// <inheritdoc/>
    public static int Count => Vector512<T>.Count;

    /// <inheritdoc/>
    public static Vec512<T> Zero => new(Vector512<T>.Zero);

    /// <inheritdoc/>
    public static Vec512<T> One => new(Vector512<T>.One);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> Broadcast(T value) => new(Vector512.Create(value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> Constant(double value) => new(typeof(T) == typeof(float)
        ? Vector512.Create((float)value).As<float, T>()
        : Vector512.Create(value).As<double, T>());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> Load(T* source) => new(Vector512.Load(source));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> LoadPartial(T* source, int count)
    {
        if (Avx512F.IsSupported)
        {
            return new(typeof(T) == typeof(float)
                ? Avx512F.MaskLoad((float*)source, MaskSingle(count), Vector512<float>.Zero).As<float, T>()
                : Avx512F.MaskLoad((double*)source, MaskDouble(count), Vector512<double>.Zero).As<double, T>());
        }

        var buffer = Vector512<T>.Zero;
        Unsafe.CopyBlockUnaligned(&buffer, source, (uint)(count * sizeof(T)));
        return new(buffer);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(T* destination) => _value.Store(destination);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StorePartial(T* destination, int count)
    {
        if (Avx512F.IsSupported)
        {
            if (typeof(T) == typeof(float))
            {
                Avx512F.MaskStore((float*)destination, MaskSingle(count), _value.AsSingle());
            }
            else
            {
                Avx512F.MaskStore((double*)destination, MaskDouble(count), _value.AsDouble());
            }

            return;
        }

        var buffer = _value;
        Unsafe.CopyBlockUnaligned(destination, &buffer, (uint)(count * sizeof(T)));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> MultiplyAdd(Vec512<T> a, Vec512<T> b, Vec512<T> c) => new(!(Fma.IsSupported || AdvSimd.IsSupported)
        ? (a._value * b._value) + c._value
        : typeof(T) == typeof(float)
        ? Vector512.FusedMultiplyAdd(a._value.AsSingle(), b._value.AsSingle(), c._value.AsSingle()).As<float, T>()
        : Vector512.FusedMultiplyAdd(a._value.AsDouble(), b._value.AsDouble(), c._value.AsDouble()).As<double, T>());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> Min(Vec512<T> a, Vec512<T> b) => new(Vector512.Min(a._value, b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> Max(Vec512<T> a, Vec512<T> b) => new(Vector512.Max(a._value, b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> MinNative(Vec512<T> a, Vec512<T> b) => new(Vector512.MinNative(a._value, b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> MaxNative(Vec512<T> a, Vec512<T> b) => new(Vector512.MaxNative(a._value, b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> Abs(Vec512<T> a) => new(Vector512.Abs(a._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> Sqrt(Vec512<T> a) => new(Vector512.Sqrt(a._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> CopySign(Vec512<T> magnitude, Vec512<T> sign) => new(CopySign(magnitude._value, sign._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> Round(Vec512<T> a) => new(typeof(T) == typeof(float)
        ? Vector512.Round(a._value.AsSingle()).As<float, T>()
        : Vector512.Round(a._value.AsDouble()).As<double, T>());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> PowerOfTwo(Vec512<T> wholeNumber) => new(PowerOfTwo(wholeNumber._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> Scale(Vec512<T> a, Vec512<T> n)
    {
        if (Avx512F.IsSupported)
        {
            return new(typeof(T) == typeof(float)
                ? Avx512F.Scale(a._value.AsSingle(), n._value.AsSingle()).As<float, T>()
                : Avx512F.Scale(a._value.AsDouble(), n._value.AsDouble()).As<double, T>());
        }

        return VectorMath.ScaleInTwo<Vec512<T>, T>(a, n);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> ScaleDown(Vec512<T> a, Vec512<T> n) => new(ScaleDown(a._value, n._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> SplitExponent(Vec512<T> a, out Vec512<T> exponent)
    {
        // The bits of √½ moved up to those of 1 make the exponent field turn over at √½; under the bits of 2^23 (2^52) it is a number.
        if (typeof(T) == typeof(float))
        {
            var bits = a._value.AsInt32();
            var one = Vector512.Create(0x3F800000);
            var biased = Vector512.ShiftRightLogical(bits + Vector512.Create(0x3F800000 - 0x3F3504F3), 23);
            exponent = new(((biased | Vector512.Create(0x4B000000)).AsSingle() - Vector512.Create(8388608f + 127f)).As<float, T>());
            return new((bits - Vector512.ShiftLeft(biased, 23) + one).As<int, T>());
        }

        var bitsDouble = a._value.AsInt64();
        var oneDouble = Vector512.Create(0x3FF0000000000000);
        var biasedDouble = Vector512.ShiftRightLogical(bitsDouble + Vector512.Create(0x3FF0000000000000 - 0x3FE6A09E667F3BCD), 52);
        exponent = new(((biasedDouble | Vector512.Create(0x4330000000000000)).AsDouble() - Vector512.Create(4503599627370496.0 + 1023.0)).As<double, T>());
        return new((bitsDouble - Vector512.ShiftLeft(biasedDouble, 52) + oneDouble).As<long, T>());
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> LessThan(Vec512<T> a, Vec512<T> b) => new(Vector512.LessThan(a._value, b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> LessThanOrEqual(Vec512<T> a, Vec512<T> b) => new(Vector512.LessThanOrEqual(a._value, b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> EqualTo(Vec512<T> a, Vec512<T> b) => new(Vector512.Equals(a._value, b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> Select(Vec512<T> mask, Vec512<T> whenTrue, Vec512<T> whenFalse) =>
        new(Vector512.ConditionalSelect(mask._value, whenTrue._value, whenFalse._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> FlushToZero(Vec512<T> a) => new(typeof(T) == typeof(float)
        ? KeepLarge(a._value.AsInt32(), Vector512.Abs(a._value).AsInt32(), Constant(Tiny<T>.Limit)._value.AsInt32()).As<int, T>()
        : KeepLarge(a._value.AsInt64(), Vector512.Abs(a._value).AsInt64(), Constant(Tiny<T>.Limit)._value.AsInt64()).As<long, T>());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> FirstLanes(int count) => new(typeof(T) == typeof(float)
        ? MaskSingle(count).As<float, T>()
        : MaskDouble(count).As<double, T>());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Vec512<T> a) => Vec256<T>.Sum(new(a._value.GetLower() + a._value.GetUpper()));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Sums(Vec512<T> a, Vec512<T> b, Vec512<T> c, Vec512<T> d, T* sums)
    {
        if (Avx512F.IsSupported)
        {
            if (typeof(T) == typeof(float))
            {
                // Within each 128 bits: pairs of two vectors beside each other, then the sums of all four.
                var ab = Avx512F.UnpackLow(a._value.AsSingle(), b._value.AsSingle()) + Avx512F.UnpackHigh(a._value.AsSingle(), b._value.AsSingle());
                var cd = Avx512F.UnpackLow(c._value.AsSingle(), d._value.AsSingle()) + Avx512F.UnpackHigh(c._value.AsSingle(), d._value.AsSingle());
                var all = Avx512F.UnpackLow(ab.AsDouble(), cd.AsDouble()).AsSingle() + Avx512F.UnpackHigh(ab.AsDouble(), cd.AsDouble()).AsSingle();
                AddParts(all.As<float, T>()).Store(sums);
            }
            else
            {
                var ab = Avx512F.UnpackLow(a._value.AsDouble(), b._value.AsDouble()) + Avx512F.UnpackHigh(a._value.AsDouble(), b._value.AsDouble());
                var cd = Avx512F.UnpackLow(c._value.AsDouble(), d._value.AsDouble()) + Avx512F.UnpackHigh(c._value.AsDouble(), d._value.AsDouble());
                AddParts(ab.As<double, T>()).Store(sums);
                AddParts(cd.As<double, T>()).Store(sums + 2);
            }

            return;
        }

        Vec256<T>.Sums(
            new(a._value.GetLower() + a._value.GetUpper()), new(b._value.GetLower() + b._value.GetUpper()),
            new(c._value.GetLower() + c._value.GetUpper()), new(d._value.GetLower() + d._value.GetUpper()), sums);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T LargestLane(Vec512<T> a) => Vec256<T>.LargestLane(new(Vec256<T>.MaxNative(a._value.GetLower(), a._value.GetUpper())));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> Exp(Vec512<T> x) => VectorMath.Exp<Vec512<T>, T>(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> Sigmoid(Vec512<T> x) => new(RegisterMath.Sigmoid<Vec512<T>, Vector512<T>, T>(x._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> Tanh(Vec512<T> x) => new(RegisterMath.Tanh<Vec512<T>, Vector512<T>, T>(x._value));

    /// <summary>The lane-wise sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> operator +(Vec512<T> left, Vec512<T> right) => new(left._value + right._value);

    /// <summary>The lane-wise difference.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> operator -(Vec512<T> left, Vec512<T> right) => new(left._value - right._value);

    /// <summary>The lane-wise product.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> operator *(Vec512<T> left, Vec512<T> right) => new(left._value * right._value);

    /// <summary>The lane-wise quotient.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> operator /(Vec512<T> left, Vec512<T> right) => new(left._value / right._value);

    /// <summary>The lane-wise negation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec512<T> operator -(Vec512<T> value) => new(-value._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> MultiplyAdd(Vector512<T> a, Vector512<T> b, Vector512<T> c) => !(Fma.IsSupported || AdvSimd.IsSupported)
        ? (a * b) + c
        : typeof(T) == typeof(float)
        ? Vector512.FusedMultiplyAdd(a.AsSingle(), b.AsSingle(), c.AsSingle()).As<float, T>()
        : Vector512.FusedMultiplyAdd(a.AsDouble(), b.AsDouble(), c.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<T> Add(Vector512<T> a, Vector512<T> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector512<T> IRegisters<Vector512<T>, T>.Constant(double value)
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
        // Adding 1.5·2^23 (1.5·2^52) leaves the whole number in the low bits of the mantissa; shifted left it is the exponent.
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

        // A detour over 2^64 (2^512) keeps the first product exact; the second rounds once, also where the result is denormal.
        if (typeof(T) == typeof(float))
        {
            return a * PowerOfTwo((n.AsSingle() + Vector512.Create(64f)).As<float, T>()) * Vector512.Create(5.421010862427522e-20f).As<float, T>();
        }

        return a * PowerOfTwo((n.AsDouble() + Vector512.Create(512.0)).As<double, T>()) * Vector512.Create(7.458340731200207e-155).As<double, T>();
    }

    // As integers magnitudes are in the same order, NaN above all, so that a mask register alone says what stays: two instructions.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<TBits> KeepLarge<TBits>(Vector512<TBits> value, Vector512<TBits> magnitude, Vector512<TBits> limit) =>
        Vector512.ConditionalSelect(Vector512.GreaterThanOrEqual(magnitude, limit), value, Vector512<TBits>.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> MaskSingle(int count) =>
        Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> MaskDouble(int count) =>
        Vector512.LessThan(Vector512<long>.Indices, Vector512.Create((long)count)).AsDouble();

    // The sum of all four quarters.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<T> AddParts(Vector512<T> v)
    {
        var half = v.GetLower() + v.GetUpper();
        return half.GetLower() + half.GetUpper();
    }
}
