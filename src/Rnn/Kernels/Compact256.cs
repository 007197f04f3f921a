using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Rnn.Kernels;

/// <summary>256 bits of whole numbers, for products with compressed weights.</summary>
internal readonly unsafe struct Compact256 : ICompactRegisters<Vector256<int>, Vector256<float>>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Load(void* source) => Vector256.Load((int*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Broadcast(void* source) => Vector256.Create(*(int*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LowerHalf(Vector256<int> value) => (value << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LowerHalfAt(void* source) => UpperHalf(Load((byte*)source - sizeof(ushort)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> UpperHalf(Vector256<int> value) => (value & Vector256.Create(unchecked((int)0xFFFF0000))).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> UpperBytes(Vector256<int> value) => (value.AsInt16() >> 8).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddProducts(Vector256<int> a, Vector256<int> b, Vector256<int> sum)
    {
        if (Avx2.IsSupported)
        {
            return sum + Avx2.MultiplyAddAdjacent(a.AsInt16(), b.AsInt16());
        }

        // The lower and the upper 16 bits of each lane, each with its sign.
        return sum + (((a << 16) >> 16) * ((b << 16) >> 16)) + ((a >> 16) * (b >> 16));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Separate(Vector256<int> both, Vector256<int> upper, Vector256<int> bias) => both - (upper << 8) - bias;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> AddScaled(Vector256<int> sum, float rowScale, Vector256<float> columnScales, Vector256<float> start) => Fma.IsSupported || AdvSimd.IsSupported
        ? Vector256.FusedMultiplyAdd(Vector256.ConvertToSingle(sum), columnScales * rowScale, start)
        : (Vector256.ConvertToSingle(sum) * (columnScales * rowScale)) + start;
}
