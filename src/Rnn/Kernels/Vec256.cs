using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Rnn.Kernels;

/// <summary>A vector of 256 bits: <see cref="IVector{TSelf, T}"/> over <see cref="Vector256{T}"/>.</summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
internal readonly unsafe struct Vec256<T> : IVector<Vec256<T>, T>, IRegisters<Vector256<T>, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Vector256<T> _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Vec256(Vector256<T> value) => _value = value;

    internal Vector256<T> Value => _value;

    /// <inheritdoc/>
    public static int Count => Vector256<T>.Count;

    /// <inheritdoc/>
    public static Vec256<T> Zero => new(Vector256<T>.Zero);

    /// <inheritdoc/>
    public static Vec256<T> One => new(Vector256<T>.One);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> Broadcast(T value) => new(Vector256.Create(value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> Constant(double value) => new(typeof(T) == typeof(float)
        ? Vector256.Create((float)value).As<float, T>()
        : Vector256.Create(value).As<double, T>());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> Load(T* source) => new(Vector256.Load(source));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> LoadPartial(T* source, int count)
    {
        if (Avx.IsSupported)
        {
            return new(typeof(T) == typeof(float)
                ? Avx.MaskLoad((float*)source, MaskSingle(count)).As<float, T>()
                : Avx.MaskLoad((double*)source, MaskDouble(count)).As<double, T>());
        }

        var buffer = Vector256<T>.Zero;
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
        if (Avx.IsSupported)
        {
            if (typeof(T) == typeof(float))
            {
                Avx.MaskStore((float*)destination, MaskSingle(count), _value.AsSingle());
            }
            else
            {
                Avx.MaskStore((double*)destination, MaskDouble(count), _value.AsDouble());
            }

            return;
        }

        var buffer = _value;
        Unsafe.CopyBlockUnaligned(destination, &buffer, (uint)(count * sizeof(T)));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> MultiplyAdd(Vec256<T> a, Vec256<T> b, Vec256<T> c) => new(!(Fma.IsSupported || AdvSimd.IsSupported)
        ? (a._value * b._value) + c._value
        : typeof(T) == typeof(float)
        ? Vector256.FusedMultiplyAdd(a._value.AsSingle(), b._value.AsSingle(), c._value.AsSingle()).As<float, T>()
        : Vector256.FusedMultiplyAdd(a._value.AsDouble(), b._value.AsDouble(), c._value.AsDouble()).As<double, T>());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> Min(Vec256<T> a, Vec256<T> b) => new(Vector256.Min(a._value, b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> Max(Vec256<T> a, Vec256<T> b) => new(Vector256.Max(a._value, b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> MinNative(Vec256<T> a, Vec256<T> b) => new(Vector256.MinNative(a._value, b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> MaxNative(Vec256<T> a, Vec256<T> b) => new(Vector256.MaxNative(a._value, b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> Abs(Vec256<T> a) => new(Vector256.Abs(a._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> Sqrt(Vec256<T> a) => new(Vector256.Sqrt(a._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> CopySign(Vec256<T> magnitude, Vec256<T> sign) => new(CopySign(magnitude._value, sign._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> Round(Vec256<T> a) => new(typeof(T) == typeof(float)
        ? Vector256.Round(a._value.AsSingle()).As<float, T>()
        : Vector256.Round(a._value.AsDouble()).As<double, T>());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> PowerOfTwo(Vec256<T> wholeNumber) => new(PowerOfTwo(wholeNumber._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> Scale(Vec256<T> a, Vec256<T> n) => VectorMath.ScaleInTwo<Vec256<T>, T>(a, n);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> ScaleDown(Vec256<T> a, Vec256<T> n) => new(ScaleDown(a._value, n._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> SplitExponent(Vec256<T> a, out Vec256<T> exponent)
    {
        // The bits of √½ moved up to those of 1 make the exponent field turn over at √½; under the bits of 2^23 (2^52) it is a number.
        if (typeof(T) == typeof(float))
        {
            var bits = a._value.AsInt32();
            var one = Vector256.Create(0x3F800000);
            var biased = Vector256.ShiftRightLogical(bits + Vector256.Create(0x3F800000 - 0x3F3504F3), 23);
            exponent = new(((biased | Vector256.Create(0x4B000000)).AsSingle() - Vector256.Create(8388608f + 127f)).As<float, T>());
            return new((bits - Vector256.ShiftLeft(biased, 23) + one).As<int, T>());
        }

        var bitsDouble = a._value.AsInt64();
        var oneDouble = Vector256.Create(0x3FF0000000000000);
        var biasedDouble = Vector256.ShiftRightLogical(bitsDouble + Vector256.Create(0x3FF0000000000000 - 0x3FE6A09E667F3BCD), 52);
        exponent = new(((biasedDouble | Vector256.Create(0x4330000000000000)).AsDouble() - Vector256.Create(4503599627370496.0 + 1023.0)).As<double, T>());
        return new((bitsDouble - Vector256.ShiftLeft(biasedDouble, 52) + oneDouble).As<long, T>());
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> LessThan(Vec256<T> a, Vec256<T> b) => new(Vector256.LessThan(a._value, b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> LessThanOrEqual(Vec256<T> a, Vec256<T> b) => new(Vector256.LessThanOrEqual(a._value, b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> EqualTo(Vec256<T> a, Vec256<T> b) => new(Vector256.Equals(a._value, b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> Select(Vec256<T> mask, Vec256<T> whenTrue, Vec256<T> whenFalse) =>
        new(Vector256.ConditionalSelect(mask._value, whenTrue._value, whenFalse._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> FlushToZero(Vec256<T> a) =>
        new(Vector256.AndNot(a._value, Vector256.LessThan(Vector256.Abs(a._value), Constant(Tiny<T>.Limit)._value)));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> FirstLanes(int count) => new(typeof(T) == typeof(float)
        ? MaskSingle(count).As<float, T>()
        : MaskDouble(count).As<double, T>());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Vec256<T> a) => Vec128<T>.Sum(new(a._value.GetLower() + a._value.GetUpper()));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Sums(Vec256<T> a, Vec256<T> b, Vec256<T> c, Vec256<T> d, T* sums)
    {
        if (Avx.IsSupported)
        {
            if (typeof(T) == typeof(float))
            {
                // Within each 128 bits: pairs of two vectors beside each other, then the sums of all four.
                var ab = Avx.UnpackLow(a._value.AsSingle(), b._value.AsSingle()) + Avx.UnpackHigh(a._value.AsSingle(), b._value.AsSingle());
                var cd = Avx.UnpackLow(c._value.AsSingle(), d._value.AsSingle()) + Avx.UnpackHigh(c._value.AsSingle(), d._value.AsSingle());
                var all = Avx.UnpackLow(ab.AsDouble(), cd.AsDouble()).AsSingle() + Avx.UnpackHigh(ab.AsDouble(), cd.AsDouble()).AsSingle();
                AddParts(all.As<float, T>()).Store(sums);
            }
            else
            {
                var ab = Avx.UnpackLow(a._value.AsDouble(), b._value.AsDouble()) + Avx.UnpackHigh(a._value.AsDouble(), b._value.AsDouble());
                var cd = Avx.UnpackLow(c._value.AsDouble(), d._value.AsDouble()) + Avx.UnpackHigh(c._value.AsDouble(), d._value.AsDouble());
                AddParts(ab.As<double, T>()).Store(sums);
                AddParts(cd.As<double, T>()).Store(sums + 2);
            }

            return;
        }

        Vec128<T>.Sums(
            new(a._value.GetLower() + a._value.GetUpper()), new(b._value.GetLower() + b._value.GetUpper()),
            new(c._value.GetLower() + c._value.GetUpper()), new(d._value.GetLower() + d._value.GetUpper()), sums);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T LargestLane(Vec256<T> a) => Vec128<T>.LargestLane(new(Vec128<T>.MaxNative(a._value.GetLower(), a._value.GetUpper())));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> Exp(Vec256<T> x) => VectorMath.Exp<Vec256<T>, T>(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> Sigmoid(Vec256<T> x) => new(RegisterMath.Sigmoid<Vec256<T>, Vector256<T>, T>(x._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> Tanh(Vec256<T> x) => new(RegisterMath.Tanh<Vec256<T>, Vector256<T>, T>(x._value));

    /// <summary>The lane-wise sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> operator +(Vec256<T> left, Vec256<T> right) => new(left._value + right._value);

    /// <summary>The lane-wise difference.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> operator -(Vec256<T> left, Vec256<T> right) => new(left._value - right._value);

    /// <summary>The lane-wise product.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> operator *(Vec256<T> left, Vec256<T> right) => new(left._value * right._value);

    /// <summary>The lane-wise quotient.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> operator /(Vec256<T> left, Vec256<T> right) => new(left._value / right._value);

    /// <summary>The lane-wise negation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec256<T> operator -(Vec256<T> value) => new(-value._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> MultiplyAdd(Vector256<T> a, Vector256<T> b, Vector256<T> c) => !(Fma.IsSupported || AdvSimd.IsSupported)
        ? (a * b) + c
        : typeof(T) == typeof(float)
        ? Vector256.FusedMultiplyAdd(a.AsSingle(), b.AsSingle(), c.AsSingle()).As<float, T>()
        : Vector256.FusedMultiplyAdd(a.AsDouble(), b.AsDouble(), c.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Add(Vector256<T> a, Vector256<T> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<T> IRegisters<Vector256<T>, T>.Constant(double value)
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
        // Adding 1.5·2^23 (1.5·2^52) leaves the whole number in the low bits of the mantissa; shifted left it is the exponent.
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> MaskSingle(int count) =>
        Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> MaskDouble(int count) =>
        Vector256.LessThan(Vector256<long>.Indices, Vector256.Create((long)count)).AsDouble();

    // The sum of both halves.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<T> AddParts(Vector256<T> v) => v.GetLower() + v.GetUpper();
}
