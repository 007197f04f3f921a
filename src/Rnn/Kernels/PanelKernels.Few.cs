using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <content>Few rows, where reading the weights takes the time: several panels at once, every weight once.</content>
internal sealed unsafe partial class PanelKernels<TSimd, TVector, T>
    where TSimd : struct, ITileRegisters<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Panels that the widest of these kernels takes at once.</summary>
    private const int MostPanels = 4;

    /// <summary>Up to how many rows this way is the faster one.</summary>
    private static int MostWideRows => Simd.HasManyRegisters ? 6 : 3;

    /// <summary>
    /// Panels at once. Two streams of memory are read fastest; a single row of narrow vectors takes four, or it would wait for its sums.
    /// </summary>
    private static int PanelsAtOnce(int rows) => rows == 1 && TSimd.Count * sizeof(T) <= 32 ? 4 : 2;

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private void MultiplyWide(in PackedProduct product, Rows<T> a, int rows, Rows<T> c)
    {
        var panels = product.EndPanel - product.FirstPanel;
        var most = PanelsAtOnce(rows);

        // A lone panel of a lone row would be the slowest: it makes three of two.
        var groups = rows == 1 && most == 2 ? Math.Max(1, panels / 2) : (panels + most - 1) / most;
        var (size, larger) = Math.DivRem(panels, groups);
        var panel = product.FirstPanel;
        var call = new TileCall { A = (byte*)a.Start, ARow = a.Stride * sizeof(T), Count = product.Inner };
        for (var group = 0; group < groups; group++)
        {
            var count = group < larger ? size + 1 : size;
            var column = panel * Width;
            call.B = product.Packed + ((nint)panel * product.Inner * Width);
            SetTarget(ref call, in product, c, column, true);
            if (product.Outputs - column >= count * Width)
            {
                RunWide(rows, count, in call);
            }
            else
            {
                RunPartialWide(rows, count, product.Outputs - column, in call);
            }

            panel += count;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    [SkipLocalsInit]
    private static void RunPartialWide(int rows, int panels, int columns, in TileCall call)
    {
        const int MostVectors = 24;
        var tile = stackalloc T[(MostVectors * TSimd.Count) + Line];
        tile = Align(tile);
        var strides = stackalloc nint[MostRows];
        FillStrides(strides, rows, panels * Width);
        for (var r = 0; r < rows; r++)
        {
            CopyRow(call.Start + call.StartRows[r], tile + strides[r], columns);
        }

        var beside = call with { Start = tile, StartRows = strides, C = tile, CRows = strides };
        RunWide(rows, panels, in beside);
        for (var r = 0; r < rows; r++)
        {
            CopyRow(tile + strides[r], call.C + call.CRows[r], columns);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void RunWide(int rows, int panels, in TileCall call)
    {
        switch ((rows * 8) + panels)
        {
            case (1 * 8) + 1: Wide<N1, N1>(in call); break;
            case (1 * 8) + 2: Wide<N1, N2>(in call); break;
            case (1 * 8) + 3: Wide<N1, N3>(in call); break;
            case (1 * 8) + 4: Wide<N1, N4>(in call); break;
            case (2 * 8) + 1: Wide<N2, N1>(in call); break;
            case (2 * 8) + 2: Wide<N2, N2>(in call); break;
            case (3 * 8) + 1: Wide<N3, N1>(in call); break;
            case (3 * 8) + 2: Wide<N3, N2>(in call); break;
            case (4 * 8) + 1: Wide<N4, N1>(in call); break;
            case (4 * 8) + 2: Wide<N4, N2>(in call); break;
            case (5 * 8) + 1: Wide<N5, N1>(in call); break;
            case (5 * 8) + 2: Wide<N5, N2>(in call); break;
            case (6 * 8) + 1: Wide<N6, N1>(in call); break;
            case (6 * 8) + 2: Wide<N6, N2>(in call); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Wide<TRows, TPanels>(in TileCall call)
        where TRows : struct, ICount
        where TPanels : struct, ICount =>
        Wide<TRows, TPanels>(call.A, call.ARow, call.B, call.Count * Width, call.Count, call.Start, call.StartRows, call.C, call.CRows);
}
