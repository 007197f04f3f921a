using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <content>From the number of rows and columns to the micro-kernel of that number.</content>
internal static unsafe partial class TileKernel<TSimd, TVector, T>
    where TSimd : struct, ITileRegisters<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private static int Width => PanelLayout<TSimd, TVector, T>.Width;

    /// <summary>Some rows by one panel, which may have fewer columns than its vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Run(int rows, int columns, in TileCall<T> call)
    {
        if (columns == Width)
        {
            RunFull(rows, in call);
        }
        else if (columns == TSimd.Count)
        {
            RunHalf(rows, in call);
        }
        else
        {
            RunPartial(rows, columns, in call);
        }
    }

    /// <summary>A tile whose columns do not fill its vectors: computed beside C and copied, so that nothing right of C is touched.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    [SkipLocalsInit]
    private static void RunPartial(int rows, int columns, in TileCall<T> call)
    {
        var tile = stackalloc T[(TileShape.MostRows * Width) + CacheLine<T>.Length];
        tile = CacheLine<T>.Align(tile);
        var strides = stackalloc nint[TileShape.MostRows];
        TileShape.FillStrides(strides, rows, Width);
        for (var r = 0; r < rows; r++)
        {
            PanelLayout<TSimd, TVector, T>.CopyShort(call.Start + call.StartRows[r], tile + (r * Width), columns);
        }

        var beside = call with { Start = tile, StartRows = strides, C = tile, CRows = strides };
        if (columns > TSimd.Count)
        {
            RunFull(rows, in beside);
        }
        else
        {
            RunHalf(rows, in beside);
        }

        for (var r = 0; r < rows; r++)
        {
            PanelLayout<TSimd, TVector, T>.CopyShort(tile + (r * Width), call.C + call.CRows[r], columns);
        }
    }

    /// <summary>Prefetches the part of C that the next tile starts from.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void PrefetchTarget(int rows, T* c, nint* cRows)
    {
        for (var r = 0; r < rows; r++)
        {
            var row = (byte*)(c + cRows[r]);
            Prefetch.ToFirst(row);
            if (Width * sizeof(T) > Prefetch.Line)
            {
                Prefetch.ToFirst(row + Prefetch.Line);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void RunFull(int rows, in TileCall<T> call)
    {
        switch (rows)
        {
            case 1: Run<N1, N2>(in call); break;
            case 2: Run<N2, N2>(in call); break;
            case 3: Run<N3, N2>(in call); break;
            case 4: Run<N4, N2>(in call); break;
            case 5: Run<N5, N2>(in call); break;
            case 6: Run<N6, N2>(in call); break;
            case 7: Run<N7, N2>(in call); break;
            case 8: Run<N8, N2>(in call); break;
            case 9: Run<N9, N2>(in call); break;
            case 10: Run<N10, N2>(in call); break;
            case 11: Run<N11, N2>(in call); break;
            case 12: Run<N12, N2>(in call); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void RunHalf(int rows, in TileCall<T> call)
    {
        switch (rows)
        {
            case 1: Run<N1, N1>(in call); break;
            case 2: Run<N2, N1>(in call); break;
            case 3: Run<N3, N1>(in call); break;
            case 4: Run<N4, N1>(in call); break;
            case 5: Run<N5, N1>(in call); break;
            case 6: Run<N6, N1>(in call); break;
            case 7: Run<N7, N1>(in call); break;
            case 8: Run<N8, N1>(in call); break;
            case 9: Run<N9, N1>(in call); break;
            case 10: Run<N10, N1>(in call); break;
            case 11: Run<N11, N1>(in call); break;
            case 12: Run<N12, N1>(in call); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Run<TRows, TVectors>(in TileCall<T> call)
        where TRows : struct, ICount
        where TVectors : struct, ICount =>
        Run<TRows, TVectors>(
            call.A, call.ARow, call.AStep, call.B, call.BStep, call.Count, call.Prefetch, call.PrefetchStep, call.Start, call.StartRows, call.C, call.CRows);
}
