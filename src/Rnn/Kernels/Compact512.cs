using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Rnn.Kernels;

/// <summary>512 bits of whole numbers, for products with compressed weights.</summary>
internal readonly unsafe struct Compact512 : ICompactRegisters<Vector512<int>, Vector512<float>>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Load(void* source) => Vector512.Load((int*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Broadcast(void* source) => Vector512.Create(*(int*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LowerHalf(Vector512<int> value) => (value << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LowerHalfAt(void* source) => LowerHalf(Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> UpperHalf(Vector512<int> value) => (value & Vector512.Create(unchecked((int)0xFFFF0000))).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> UpperBytes(Vector512<int> value) => (value.AsInt16() >> 8).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> AddProducts(Vector512<int> a, Vector512<int> b, Vector512<int> sum)
    {
        if (Avx512BW.IsSupported)
        {
            return sum + Avx512BW.MultiplyAddAdjacent(a.AsInt16(), b.AsInt16());
        }

        // The lower and the upper 16 bits of each lane, each with its sign.
        return sum + (((a << 16) >> 16) * ((b << 16) >> 16)) + ((a >> 16) * (b >> 16));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Separate(Vector512<int> both, Vector512<int> upper, Vector512<int> bias) => both - (upper << 8) - bias;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> AddScaled(Vector512<int> sum, float rowScale, Vector512<float> columnScales, Vector512<float> start) => Fma.IsSupported || AdvSimd.IsSupported
        ? Vector512.FusedMultiplyAdd(Vector512.ConvertToSingle(sum), columnScales * rowScale, start)
        : (Vector512.ConvertToSingle(sum) * (columnScales * rowScale)) + start;
}
