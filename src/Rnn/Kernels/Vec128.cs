using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Rnn.Kernels;

/// <summary>A vector of 128 bits: <see cref="IVector{TSelf, T}"/> over <see cref="Vector128{T}"/>.</summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
internal readonly unsafe struct Vec128<T> : IVector<Vec128<T>, T>, IRegisters<Vector128<T>, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Vector128<T> _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Vec128(Vector128<T> value) => _value = value;

    internal Vector128<T> Value => _value;

    /// <inheritdoc/>
    public static int Count => Vector128<T>.Count;

    /// <inheritdoc/>
    public static Vec128<T> Zero => new(Vector128<T>.Zero);

    /// <inheritdoc/>
    public static Vec128<T> One => new(Vector128<T>.One);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> Broadcast(T value) => new(Vector128.Create(value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> Constant(double value) => new(typeof(T) == typeof(float)
        ? Vector128.Create((float)value).As<float, T>()
        : Vector128.Create(value).As<double, T>());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> Load(T* source) => new(Vector128.Load(source));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> LoadPartial(T* source, int count)
    {
        if (Avx.IsSupported)
        {
            return new(typeof(T) == typeof(float)
                ? Avx.MaskLoad((float*)source, MaskSingle(count)).As<float, T>()
                : Avx.MaskLoad((double*)source, MaskDouble(count)).As<double, T>());
        }

        // A part of two lanes is one; of four it is one, two or three. Without a call, which would cost all vectors that wait in registers.
        if (typeof(T) == typeof(double))
        {
            return new(Vector128.CreateScalar(*source));
        }

        if (count == 1)
        {
            return new(Vector128.CreateScalar(*source));
        }

        var pair = Vector128.CreateScalar(*(double*)source).As<double, T>();
        return new(count == 2 ? pair : pair.WithElement(2, source[2]));
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

        if (typeof(T) == typeof(double) || count == 1)
        {
            *destination = _value.ToScalar();
            return;
        }

        *(double*)destination = _value.AsDouble().ToScalar();
        if (count == 3)
        {
            destination[2] = _value.GetElement(2);
        }
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> MultiplyAdd(Vec128<T> a, Vec128<T> b, Vec128<T> c) => new(!(Fma.IsSupported || AdvSimd.IsSupported)
        ? (a._value * b._value) + c._value
        : typeof(T) == typeof(float)
        ? Vector128.FusedMultiplyAdd(a._value.AsSingle(), b._value.AsSingle(), c._value.AsSingle()).As<float, T>()
        : Vector128.FusedMultiplyAdd(a._value.AsDouble(), b._value.AsDouble(), c._value.AsDouble()).As<double, T>());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> Min(Vec128<T> a, Vec128<T> b) => new(Vector128.Min(a._value, b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> Max(Vec128<T> a, Vec128<T> b) => new(Vector128.Max(a._value, b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> MinNative(Vec128<T> a, Vec128<T> b) => new(Vector128.MinNative(a._value, b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> MaxNative(Vec128<T> a, Vec128<T> b) => new(Vector128.MaxNative(a._value, b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> Abs(Vec128<T> a) => new(Vector128.Abs(a._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> Sqrt(Vec128<T> a) => new(Vector128.Sqrt(a._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> CopySign(Vec128<T> magnitude, Vec128<T> sign) => new(CopySign(magnitude._value, sign._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> Round(Vec128<T> a) => new(typeof(T) == typeof(float)
        ? Vector128.Round(a._value.AsSingle()).As<float, T>()
        : Vector128.Round(a._value.AsDouble()).As<double, T>());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> PowerOfTwo(Vec128<T> wholeNumber) => new(PowerOfTwo(wholeNumber._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> Scale(Vec128<T> a, Vec128<T> n) => VectorMath.ScaleInTwo<Vec128<T>, T>(a, n);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> ScaleDown(Vec128<T> a, Vec128<T> n) => new(ScaleDown(a._value, n._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> SplitExponent(Vec128<T> a, out Vec128<T> exponent)
    {
        // The bits of √½ moved up to those of 1 make the exponent field turn over at √½; under the bits of 2^23 (2^52) it is a number.
        if (typeof(T) == typeof(float))
        {
            var bits = a._value.AsInt32();
            var one = Vector128.Create(0x3F800000);
            var biased = Vector128.ShiftRightLogical(bits + Vector128.Create(0x3F800000 - 0x3F3504F3), 23);
            exponent = new(((biased | Vector128.Create(0x4B000000)).AsSingle() - Vector128.Create(8388608f + 127f)).As<float, T>());
            return new((bits - Vector128.ShiftLeft(biased, 23) + one).As<int, T>());
        }

        var bitsDouble = a._value.AsInt64();
        var oneDouble = Vector128.Create(0x3FF0000000000000);
        var biasedDouble = Vector128.ShiftRightLogical(bitsDouble + Vector128.Create(0x3FF0000000000000 - 0x3FE6A09E667F3BCD), 52);
        exponent = new(((biasedDouble | Vector128.Create(0x4330000000000000)).AsDouble() - Vector128.Create(4503599627370496.0 + 1023.0)).As<double, T>());
        return new((bitsDouble - Vector128.ShiftLeft(biasedDouble, 52) + oneDouble).As<long, T>());
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> LessThan(Vec128<T> a, Vec128<T> b) => new(Vector128.LessThan(a._value, b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> LessThanOrEqual(Vec128<T> a, Vec128<T> b) => new(Vector128.LessThanOrEqual(a._value, b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> EqualTo(Vec128<T> a, Vec128<T> b) => new(Vector128.Equals(a._value, b._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> Select(Vec128<T> mask, Vec128<T> whenTrue, Vec128<T> whenFalse) =>
        new(Vector128.ConditionalSelect(mask._value, whenTrue._value, whenFalse._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> FlushToZero(Vec128<T> a) =>
        new(Vector128.AndNot(a._value, Vector128.LessThan(Vector128.Abs(a._value), Constant(Tiny<T>.Limit)._value)));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> FirstLanes(int count) => new(typeof(T) == typeof(float)
        ? MaskSingle(count).As<float, T>()
        : MaskDouble(count).As<double, T>());

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Vec128<T> a)
    {
        if (typeof(T) == typeof(float))
        {
            var pairs = a._value.AsSingle();
            return (T)(object)(pairs.GetElement(0) + pairs.GetElement(2) + (pairs.GetElement(1) + pairs.GetElement(3)));
        }

        var two = a._value.AsDouble();
        return (T)(object)(two.GetElement(0) + two.GetElement(1));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Sums(Vec128<T> a, Vec128<T> b, Vec128<T> c, Vec128<T> d, T* sums)
    {
        if (typeof(T) == typeof(float))
        {
            if (Sse.IsSupported)
            {
                // Pairs of two vectors beside each other, then the pairs of all four: the order of Sum.
                var (a4, b4, c4, d4) = (a._value.AsSingle(), b._value.AsSingle(), c._value.AsSingle(), d._value.AsSingle());
                var ab = Sse.UnpackLow(a4, b4) + Sse.UnpackHigh(a4, b4);
                var cd = Sse.UnpackLow(c4, d4) + Sse.UnpackHigh(c4, d4);
                (Sse.MoveLowToHigh(ab, cd) + Sse.MoveHighToLow(cd, ab)).Store((float*)sums);
                return;
            }
        }
        else if (Sse2.IsSupported)
        {
            var (a2, b2, c2, d2) = (a._value.AsDouble(), b._value.AsDouble(), c._value.AsDouble(), d._value.AsDouble());
            (Sse2.UnpackLow(a2, b2) + Sse2.UnpackHigh(a2, b2)).Store((double*)sums);
            (Sse2.UnpackLow(c2, d2) + Sse2.UnpackHigh(c2, d2)).Store((double*)sums + 2);
            return;
        }

        sums[0] = Sum(a);
        sums[1] = Sum(b);
        sums[2] = Sum(c);
        sums[3] = Sum(d);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T LargestLane(Vec128<T> a)
    {
        if (typeof(T) == typeof(float))
        {
            var pairs = Vector128.MaxNative(a._value, Vector128.Shuffle(a._value.AsSingle(), Vector128.Create(2, 3, 0, 1)).As<float, T>());
            return T.MaxNative(pairs.GetElement(0), pairs.GetElement(1));
        }

        return T.MaxNative(a._value.GetElement(0), a._value.GetElement(1));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> Exp(Vec128<T> x) => VectorMath.Exp<Vec128<T>, T>(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> Sigmoid(Vec128<T> x) => new(RegisterMath.Sigmoid<Vec128<T>, Vector128<T>, T>(x._value));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> Tanh(Vec128<T> x) => new(RegisterMath.Tanh<Vec128<T>, Vector128<T>, T>(x._value));

    /// <summary>The lane-wise sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> operator +(Vec128<T> left, Vec128<T> right) => new(left._value + right._value);

    /// <summary>The lane-wise difference.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> operator -(Vec128<T> left, Vec128<T> right) => new(left._value - right._value);

    /// <summary>The lane-wise product.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> operator *(Vec128<T> left, Vec128<T> right) => new(left._value * right._value);

    /// <summary>The lane-wise quotient.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> operator /(Vec128<T> left, Vec128<T> right) => new(left._value / right._value);

    /// <summary>The lane-wise negation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vec128<T> operator -(Vec128<T> value) => new(-value._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> MultiplyAdd(Vector128<T> a, Vector128<T> b, Vector128<T> c) => !(Fma.IsSupported || AdvSimd.IsSupported)
        ? (a * b) + c
        : typeof(T) == typeof(float)
        ? Vector128.FusedMultiplyAdd(a.AsSingle(), b.AsSingle(), c.AsSingle()).As<float, T>()
        : Vector128.FusedMultiplyAdd(a.AsDouble(), b.AsDouble(), c.AsDouble()).As<double, T>();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Add(Vector128<T> a, Vector128<T> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector128<T> IRegisters<Vector128<T>, T>.Constant(double value)
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
        // Adding 1.5·2^23 (1.5·2^52) leaves the whole number in the low bits of the mantissa; shifted left it is the exponent.
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> MaskSingle(int count) =>
        Vector128.LessThan(Vector128<int>.Indices, Vector128.Create(count)).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<double> MaskDouble(int count) =>
        Vector128.LessThan(Vector128<long>.Indices, Vector128.Create((long)count)).AsDouble();
}
