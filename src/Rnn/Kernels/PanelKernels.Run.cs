using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <content>From the number of rows to the micro-kernel of that number.</content>
internal sealed unsafe partial class PanelKernels<TSimd, TVector, T>
    where TSimd : struct, ITileRegisters<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void RunTile(int rows, int columns, in TileCall call)
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
    private static void RunPartial(int rows, int columns, in TileCall call)
    {
        var tile = stackalloc T[(MostRows * Width) + Line];
        tile = Align(tile);
        var strides = stackalloc nint[MostRows];
        FillStrides(strides, rows, Width);
        for (var r = 0; r < rows; r++)
        {
            CopyShort(call.Start + call.StartRows[r], tile + (r * Width), columns);
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
            CopyShort(tile + (r * Width), call.C + call.CRows[r], columns);
        }
    }

    /// <summary>Asks for the part of C that the next tile starts from.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AskForTarget(int rows, T* c, nint* cRows)
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
    private static void RunFull(int rows, in TileCall call)
    {
        switch (rows)
        {
            case 1: Tile<N1, N2>(in call); break;
            case 2: Tile<N2, N2>(in call); break;
            case 3: Tile<N3, N2>(in call); break;
            case 4: Tile<N4, N2>(in call); break;
            case 5: Tile<N5, N2>(in call); break;
            case 6: Tile<N6, N2>(in call); break;
            case 7: Tile<N7, N2>(in call); break;
            case 8: Tile<N8, N2>(in call); break;
            case 9: Tile<N9, N2>(in call); break;
            case 10: Tile<N10, N2>(in call); break;
            case 11: Tile<N11, N2>(in call); break;
            case 12: Tile<N12, N2>(in call); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void RunHalf(int rows, in TileCall call)
    {
        switch (rows)
        {
            case 1: Tile<N1, N1>(in call); break;
            case 2: Tile<N2, N1>(in call); break;
            case 3: Tile<N3, N1>(in call); break;
            case 4: Tile<N4, N1>(in call); break;
            case 5: Tile<N5, N1>(in call); break;
            case 6: Tile<N6, N1>(in call); break;
            case 7: Tile<N7, N1>(in call); break;
            case 8: Tile<N8, N1>(in call); break;
            case 9: Tile<N9, N1>(in call); break;
            case 10: Tile<N10, N1>(in call); break;
            case 11: Tile<N11, N1>(in call); break;
            case 12: Tile<N12, N1>(in call); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Tile<TRows, TVectors>(in TileCall call)
        where TRows : struct, ICount
        where TVectors : struct, ICount =>
        Tile<TRows, TVectors>(call.A, call.ARow, call.AStep, call.B, call.BStep, call.Count, call.Ahead, call.AheadStep, call.Start, call.StartRows, call.C, call.CRows);

    /// <summary>The arguments of a micro-kernel.</summary>
    private struct TileCall
    {
        public byte* A;
        public nint ARow;
        public nint AStep;
        public T* B;
        public nint BStep;
        public nint Count;
        public byte* Ahead;
        public nint AheadStep;
        public T* Start;
        public nint* StartRows;
        public T* C;
        public nint* CRows;
    }
}
