using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Rnn.Kernels;

/// <summary>128 bits of either element type, for tiles.</summary>
/// <remarks>
/// Arm multiplies a vector by one lane of another: there a broadcast is a plain load into the first lane. To spread the number would be a vector
/// operation more for every two that compute.
/// </remarks>
internal readonly unsafe struct Registers128 : ITileRegisters<Vector128<float>, float>, ITileRegisters<Vector128<double>, double>
{
    static int ITileRegisters<Vector128<float>, float>.Count => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Load(float* source) => Vector128.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<float> value, float* destination) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Broadcast(float* source) =>
        AdvSimd.Arm64.IsSupported ? Vector128.CreateScalarUnsafe(*source) : Vector128.Create(*source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> MultiplyAdd(Vector128<float> a, Vector128<float> b, Vector128<float> c) =>
        AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c, b, a, 0)
        : Fma.IsSupported ? Vector128.FusedMultiplyAdd(a, b, c)
        : (a * b) + c;

    static int ITileRegisters<Vector128<double>, double>.Count => 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<double> Load(double* source) => Vector128.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<double> value, double* destination) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<double> Broadcast(double* source) =>
        AdvSimd.Arm64.IsSupported ? Vector128.CreateScalarUnsafe(*source) : Vector128.Create(*source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<double> MultiplyAdd(Vector128<double> a, Vector128<double> b, Vector128<double> c) =>
        AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c, b, a, 0)
        : Fma.IsSupported ? Vector128.FusedMultiplyAdd(a, b, c)
        : (a * b) + c;
}
