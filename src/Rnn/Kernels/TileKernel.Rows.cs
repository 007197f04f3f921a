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

    /// <summary>Tiles of some rows by one panel, which may have fewer columns than its vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Run(int rows, int columns, TileCall<T>* call)
    {
        if (columns == Width)
        {
            RunFull(rows, call);
        }
        else if (columns == TSimd.Count)
        {
            RunHalf(rows, call);
        }
        else
        {
            RunPartial(rows, columns, call);
        }
    }

    /// <summary>Tiles whose columns do not fill their vectors: computed beside C and copied, so that nothing right of C is touched.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    [SkipLocalsInit]
    private static void RunPartial(int rows, int columns, TileCall<T>* call)
    {
        var tile = stackalloc T[(TileShape.MostRows * Width) + CacheLine<T>.Length];
        tile = CacheLine<T>.Align(tile);
        var strides = stackalloc nint[TileShape.MostRows];
        TileShape.FillStrides(strides, rows, Width);
        var beside = *call;
        beside.Start = tile;
        beside.StartRows = strides;
        beside.C = tile;
        beside.CRows = strides;
        beside.Next = tile;
        beside.Tiles = 1;
        var start = call->Start;
        var startRows = call->StartRows;
        var c = call->C;
        var cRows = call->CRows;
        for (var i = 0; i < call->Tiles; i++)
        {
            for (var r = 0; r < rows; r++)
            {
                PanelLayout<TSimd, TVector, T>.CopyShort(start + startRows[r], tile + (r * Width), columns);
            }

            if (columns > TSimd.Count)
            {
                RunFull(rows, &beside);
            }
            else
            {
                RunHalf(rows, &beside);
            }

            for (var r = 0; r < rows; r++)
            {
                PanelLayout<TSimd, TVector, T>.CopyShort(tile + (r * Width), c + cRows[r], columns);
            }

            beside.A += call->ATile;
            start += call->StartTile;
            startRows += call->StartRowsTile;
            c += call->CTile;
            cRows += call->CRowsTile;
        }
    }

    private static void RunFull(int rows, TileCall<T>* call)
    {
        if (call->BStep != Width)
        {
            RunFull<StridedTile>(rows, call);
        }
        else if (call->AStep == sizeof(T))
        {
            RunFull<InPlaceTile>(rows, call);
        }
        else if (call->ARow == sizeof(T) && call->AStep == rows * sizeof(T))
        {
            RunFull<PackedTile>(rows, call);
        }
        else
        {
            RunFull<StridedTile>(rows, call);
        }
    }

    private static void RunHalf(int rows, TileCall<T>* call)
    {
        if (call->BStep != Width)
        {
            RunHalf<StridedTile>(rows, call);
        }
        else if (call->AStep == sizeof(T))
        {
            RunHalf<InPlaceTile>(rows, call);
        }
        else if (call->ARow == sizeof(T) && call->AStep == rows * sizeof(T))
        {
            RunHalf<PackedTile>(rows, call);
        }
        else
        {
            RunHalf<StridedTile>(rows, call);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void RunFull<TForm>(int rows, TileCall<T>* call)
        where TForm : struct, ITileForm
    {
        switch (rows)
        {
            case 1: Run<N1, N2, TForm>(call); break;
            case 2: Run<N2, N2, TForm>(call); break;
            case 3: Run<N3, N2, TForm>(call); break;
            case 4: Run<N4, N2, TForm>(call); break;
            case 5: Run<N5, N2, TForm>(call); break;
            case 6: Run<N6, N2, TForm>(call); break;
            case 7: Run<N7, N2, TForm>(call); break;
            case 8: Run<N8, N2, TForm>(call); break;
            case 9: Run<N9, N2, TForm>(call); break;
            case 10: Run<N10, N2, TForm>(call); break;
            case 11: Run<N11, N2, TForm>(call); break;
            case 12: Run<N12, N2, TForm>(call); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void RunHalf<TForm>(int rows, TileCall<T>* call)
        where TForm : struct, ITileForm
    {
        switch (rows)
        {
            case 1: Run<N1, N1, TForm>(call); break;
            case 2: Run<N2, N1, TForm>(call); break;
            case 3: Run<N3, N1, TForm>(call); break;
            case 4: Run<N4, N1, TForm>(call); break;
            case 5: Run<N5, N1, TForm>(call); break;
            case 6: Run<N6, N1, TForm>(call); break;
            case 7: Run<N7, N1, TForm>(call); break;
            case 8: Run<N8, N1, TForm>(call); break;
            case 9: Run<N9, N1, TForm>(call); break;
            case 10: Run<N10, N1, TForm>(call); break;
            case 11: Run<N11, N1, TForm>(call); break;
            case 12: Run<N12, N1, TForm>(call); break;
        }
    }
}
