using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Rnn.Kernels;

/// <summary>The panels that packed matrices lie in: two vectors of columns, [panel][k][two vectors], padded with zeros.</summary>
internal static unsafe class PanelLayout<TSimd, TVector, T>
    where TSimd : struct, ITileRegisters<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Columns of one panel.</summary>
    internal static int Width => 2 * TSimd.Count;

    /// <summary>The panels that hold some columns.</summary>
    internal static int PanelCount(int columns) => (columns + Width - 1) / Width;

    /// <summary>Less than two vectors, without a call: vectors that overlap, and only what is too short for one by elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void CopyShort(T* source, T* destination, int count)
    {
        if (count >= TSimd.Count)
        {
            var last = count - TSimd.Count;
            var end = TSimd.Load(source + last);
            TSimd.Store(TSimd.Load(source), destination);
            TSimd.Store(end, destination + last);
            return;
        }

        var quad = Vector128<T>.Count;
        while (count >= quad)
        {
            Vector128.Load(source).Store(destination);
            source += quad;
            destination += quad;
            count -= quad;
        }

        while (count > 0)
        {
            *destination++ = *source++;
            count--;
        }
    }
}
