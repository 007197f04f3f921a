using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <summary>One lane of whole numbers, for products with compressed weights.</summary>
internal readonly unsafe struct Compact1 : ICompactRegisters<int, float>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Load(void* source) => *(int*)source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Broadcast(void* source) => *(int*)source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float LowerHalf(int value) => BitConverter.Int32BitsToSingle(value << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float LowerHalfAt(void* source) => LowerHalf(Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float UpperHalf(int value) => BitConverter.Int32BitsToSingle(value & unchecked((int)0xFFFF0000));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int UpperBytes(int value) => unchecked((ushort)((short)value >> 8) | ((value >> 24) << 16));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int AddProducts(int a, int b, int sum) => unchecked(sum + ((short)a * (short)b) + ((a >> 16) * (b >> 16)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Separate(int both, int upper, int bias) => unchecked(both - (upper << 8) - bias);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float AddScaled(int sum, float rowScale, float columnScales, float start) => Simd.MultiplyAdd(sum, rowScale * columnScales, start);
}
