using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Rnn.Kernels;

/// <summary>
/// The one place where the vector width is chosen: the widest that the processor accelerates, or what the environment variable
/// <c>RNN_SIMD</c> forces (<c>scalar</c>, <c>128</c>, <c>256</c> or <c>512</c>).
/// </summary>
public static class Simd
{
    /// <summary>The environment variable that forces a width.</summary>
    public const string EnvironmentVariable = "RNN_SIMD";

    private static readonly Lazy<int> Chosen = new(() => Choose(Environment.GetEnvironmentVariable(EnvironmentVariable)));

    /// <summary>The bits of one vector in use: 512, 256, 128, or 0 for one lane (scalar).</summary>
    /// <exception cref="PlatformNotSupportedException"><c>RNN_SIMD</c> names a width that this processor does not accelerate, or none at all.</exception>
    public static int VectorBits => Chosen.Value;

    /// <summary>The widths that this processor accelerates, widest first; the last is always 0 (scalar).</summary>
    public static IReadOnlyList<int> SupportedVectorBits { get; } = Supported();

    /// <summary>Whether the processor offers 32 vector registers (AVX-512 and Arm) and not only 16 (AVX2); kernels choose their tile by it.</summary>
    internal static bool HasManyRegisters => Vector512.IsHardwareAccelerated || AdvSimd.IsSupported;

    // The vectors' own MultiplyAdd asks the processor by name instead: the JIT folds such a question where it reads it, but a property of ours only once it
    // is inlined, and by then both branches have cost their local variables.

    /// <summary>
    /// Whether the processor multiplies and adds with one rounding. Where it does not, a fused multiply-add would be a software call for each number, a
    /// hundred times slower: there the library multiplies, rounds, and adds, so that results have other last digits, and training takes some three times as long.
    /// </summary>
    public static bool HasFusedMultiplyAdd
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Fma.IsSupported || AdvSimd.IsSupported;
    }

    /// <summary><c>a·b + c</c> of single numbers, with the rounding that vectors have (<see cref="HasFusedMultiplyAdd"/>).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T MultiplyAdd<T>(T a, T b, T c)
        where T : unmanaged, IFloatingPointIeee754<T> => HasFusedMultiplyAdd ? T.FusedMultiplyAdd(a, b, c) : (a * b) + c;

    /// <summary>Reads a choice as <c>RNN_SIMD</c> gives it.</summary>
    internal static int Choose(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return SupportedVectorBits[0];
        }

        var bits = text.Trim().ToLowerInvariant() switch
        {
            "scalar" => 0,
            "128" => 128,
            "256" => 256,
            "512" => 512,
            _ => -1,
        };
        if (bits < 0 || !SupportedVectorBits.Contains(bits))
        {
            var supported = string.Join(", ", SupportedVectorBits.Select(b => b == 0 ? "scalar" : $"{b}"));
            throw new PlatformNotSupportedException(
                $"{EnvironmentVariable}: '{text}' is {(bits < 0 ? "not a vector width" : "not accelerated by this processor")}; choose one of {supported}, or unset the variable for the widest.");
        }

        return bits;
    }

    /// <summary>Runs a function over the vector type of the width in use.</summary>
    internal static TResult Run<T, TFunction, TResult>(TFunction function)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TFunction : IVectorFunction<T, TResult> => Run<T, TFunction, TResult>(function, VectorBits);

    /// <summary>Runs a function over the vector type of a given width.</summary>
    /// <remarks>The conditions are constants to the compiler: a program compiled ahead of time holds no code of widths that its processors lack.</remarks>
    internal static TResult Run<T, TFunction, TResult>(TFunction function, int vectorBits)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TFunction : IVectorFunction<T, TResult> => vectorBits switch
        {
            512 when Vector512.IsHardwareAccelerated => function.Invoke<Vec512<T>>(),
            256 when Vector256.IsHardwareAccelerated => function.Invoke<Vec256<T>>(),
            128 when Vector128.IsHardwareAccelerated => function.Invoke<Vec128<T>>(),
            0 => function.Invoke<Vec1<T>>(),
            _ => throw new ArgumentOutOfRangeException(nameof(vectorBits), vectorBits, "expected 0 (scalar), 128, 256 or 512, as far as this processor accelerates them."),
        };

    private static int[] Supported()
    {
        var widths = new List<int>();
        if (Vector512.IsHardwareAccelerated)
        {
            widths.Add(512);
        }

        if (Vector256.IsHardwareAccelerated)
        {
            widths.Add(256);
        }

        if (Vector128.IsHardwareAccelerated)
        {
            widths.Add(128);
        }

        widths.Add(0);
        return [.. widths];
    }
}

/// <summary>Computes or makes something with the vector type that <see cref="Simd"/> chooses.</summary>
internal interface IVectorFunction<T, out TResult>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    TResult Invoke<TVector>()
        where TVector : struct, IVector<TVector, T>;
}
