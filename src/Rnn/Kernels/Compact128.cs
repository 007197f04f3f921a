using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Rnn.Kernels;

/// <summary>128 bits of whole numbers, for products with compressed weights.</summary>
internal readonly unsafe struct Compact128 : ICompactRegisters<Vector128<int>, Vector128<float>>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Load(void* source) => Vector128.Load((int*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Broadcast(void* source) => Vector128.Create(*(int*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LowerHalf(Vector128<int> value) => (value << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LowerHalfAt(void* source) => LowerHalf(Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> UpperHalf(Vector128<int> value) => (value & Vector128.Create(unchecked((int)0xFFFF0000))).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> UpperBytes(Vector128<int> value) => (value.AsInt16() >> 8).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> AddProducts(Vector128<int> a, Vector128<int> b, Vector128<int> sum)
    {
        if (Sse2.IsSupported)
        {
            return sum + Sse2.MultiplyAddAdjacent(a.AsInt16(), b.AsInt16());
        }

        if (AdvSimd.Arm64.IsSupported)
        {
            var lower = AdvSimd.MultiplyWideningLower(a.AsInt16().GetLower(), b.AsInt16().GetLower());
            return sum + AdvSimd.Arm64.AddPairwise(lower, AdvSimd.MultiplyWideningUpper(a.AsInt16(), b.AsInt16()));
        }

        // The lower and the upper 16 bits of each lane, each with its sign.
        return sum + (((a << 16) >> 16) * ((b << 16) >> 16)) + ((a >> 16) * (b >> 16));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Separate(Vector128<int> both, Vector128<int> upper, Vector128<int> bias) => both - (upper << 8) - bias;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> AddScaled(Vector128<int> sum, float rowScale, Vector128<float> columnScales, Vector128<float> start) => Fma.IsSupported || AdvSimd.IsSupported
        ? Vector128.FusedMultiplyAdd(Vector128.ConvertToSingle(sum), columnScales * rowScale, start)
        : (Vector128.ConvertToSingle(sum) * (columnScales * rowScale)) + start;
}
