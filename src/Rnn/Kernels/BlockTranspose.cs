using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Rnn.Kernels;

/// <summary>Transposition by blocks of eight rows, or four, and one cache line.</summary>
internal static unsafe class BlockTranspose
{
    /// <summary>destination[c · destinationStride + r] = source[r · sourceStride + c].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Run<T>(T* source, nint sourceStride, int rows, int columns, T* destination, nint destinationStride)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // The columns of one cache line at a time: rows a power of two apart share few places in the cache and would push each other out.
        var line = 64 / sizeof(T);
        var step = Vector128<T>.Count;
        for (var first = 0; first < columns; first += line)
        {
            var width = Math.Min(line, columns - first);
            var r = 0;
            if (Vector256.IsHardwareAccelerated && Avx.IsSupported && width % step == 0)
            {
                for (; r + 8 <= rows; r += 8)
                {
                    var from = source + (r * sourceStride) + first;
                    var to = destination + (first * destinationStride) + r;
                    for (var c = 0; c < width; c += step)
                    {
                        if (typeof(T) == typeof(float))
                        {
                            EightByFour((float*)from, sourceStride, (float*)to, destinationStride);
                        }
                        else
                        {
                            FourByTwoWide((double*)from, sourceStride, (double*)to, destinationStride);
                            FourByTwoWide((double*)from + (4 * sourceStride), sourceStride, (double*)to + 4, destinationStride);
                        }

                        from += step;
                        to += step * destinationStride;
                    }
                }
            }

            for (; r + 4 <= rows; r += 4)
            {
                var from = source + (r * sourceStride) + first;
                var to = destination + (first * destinationStride) + r;
                var c = 0;
                for (; Vector128.IsHardwareAccelerated && c + step <= width; c += step)
                {
                    if (typeof(T) == typeof(float))
                    {
                        FourByFour((float*)from, sourceStride, (float*)to, destinationStride);
                    }
                    else
                    {
                        FourByTwo((double*)from, sourceStride, (double*)to, destinationStride);
                    }

                    from += step;
                    to += step * destinationStride;
                }

                for (; c < width; c++)
                {
                    to[0] = from[0];
                    to[1] = from[sourceStride];
                    to[2] = from[2 * sourceStride];
                    to[3] = from[3 * sourceStride];
                    from++;
                    to += destinationStride;
                }
            }

            for (; r < rows; r++)
            {
                var from = source + (r * sourceStride) + first;
                var to = destination + (first * destinationStride) + r;
                for (var c = 0; c < width; c++)
                {
                    *to = from[c];
                    to += destinationStride;
                }
            }
        }
    }

    // As four by four, in both halves of the vectors: rows four apart meet as they are loaded, which costs no shuffle.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void EightByFour(float* from, nint stride, float* to, nint toStride)
    {
        var lower = from + (4 * stride);
        var r0 = Vector256.Create(Vector128.Load(from), Vector128.Load(lower));
        var r1 = Vector256.Create(Vector128.Load(from + stride), Vector128.Load(lower + stride));
        var r2 = Vector256.Create(Vector128.Load(from + (2 * stride)), Vector128.Load(lower + (2 * stride)));
        var r3 = Vector256.Create(Vector128.Load(from + (3 * stride)), Vector128.Load(lower + (3 * stride)));
        var a0 = Avx.UnpackLow(r0, r2);
        var a1 = Avx.UnpackHigh(r0, r2);
        var b0 = Avx.UnpackLow(r1, r3);
        var b1 = Avx.UnpackHigh(r1, r3);
        Avx.UnpackLow(a0, b0).Store(to);
        Avx.UnpackHigh(a0, b0).Store(to + toStride);
        Avx.UnpackLow(a1, b1).Store(to + (2 * toStride));
        Avx.UnpackHigh(a1, b1).Store(to + (3 * toStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourByTwoWide(double* from, nint stride, double* to, nint toStride)
    {
        var r0 = Vector256.Create(Vector128.Load(from), Vector128.Load(from + (2 * stride)));
        var r1 = Vector256.Create(Vector128.Load(from + stride), Vector128.Load(from + (3 * stride)));
        Avx.UnpackLow(r0, r1).Store(to);
        Avx.UnpackHigh(r0, r1).Store(to + toStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourByFour(float* from, nint stride, float* to, nint toStride)
    {
        var r0 = Vector128.Load(from);
        var r1 = Vector128.Load(from + stride);
        var r2 = Vector128.Load(from + (2 * stride));
        var r3 = Vector128.Load(from + (3 * stride));
        var a0 = ZipLow(r0, r2);
        var a1 = ZipHigh(r0, r2);
        var b0 = ZipLow(r1, r3);
        var b1 = ZipHigh(r1, r3);
        ZipLow(a0, b0).Store(to);
        ZipHigh(a0, b0).Store(to + toStride);
        ZipLow(a1, b1).Store(to + (2 * toStride));
        ZipHigh(a1, b1).Store(to + (3 * toStride));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourByTwo(double* from, nint stride, double* to, nint toStride)
    {
        var r0 = Vector128.Load(from);
        var r1 = Vector128.Load(from + stride);
        var r2 = Vector128.Load(from + (2 * stride));
        var r3 = Vector128.Load(from + (3 * stride));
        ZipLow(r0, r1).Store(to);
        ZipLow(r2, r3).Store(to + 2);
        ZipHigh(r0, r1).Store(to + toStride);
        ZipHigh(r2, r3).Store(to + toStride + 2);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> ZipLow(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackLow(a, b)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b)
        : Vector128.Create(a[0], b[0], a[1], b[1]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> ZipHigh(Vector128<float> a, Vector128<float> b) =>
        Sse.IsSupported ? Sse.UnpackHigh(a, b)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b)
        : Vector128.Create(a[2], b[2], a[3], b[3]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<double> ZipLow(Vector128<double> a, Vector128<double> b) =>
        Sse2.IsSupported ? Sse2.UnpackLow(a, b)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b)
        : Vector128.Create(a[0], b[0]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<double> ZipHigh(Vector128<double> a, Vector128<double> b) =>
        Sse2.IsSupported ? Sse2.UnpackHigh(a, b)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b)
        : Vector128.Create(a[1], b[1]);
}
