using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <summary>
/// The micro-kernel of few rows, where reading the weights takes the time: one row by up to 4 panels, or up to 6 rows by 2, every weight read once.
/// </summary>
internal static unsafe class FewRowsKernel<TSimd, TVector, T>
    where TSimd : struct, ITileRegisters<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Panels that the widest of these kernels takes at once.</summary>
    internal const int MostPanels = 4;

    /// <summary>Up to how many rows this kernel is faster than tiles.</summary>
    internal static int MostRows => Simd.HasManyRegisters ? 6 : 3;

    private static int Width => PanelLayout<TSimd, TVector, T>.Width;

    /// <summary>
    /// Panels at once. Two streams of memory are read fastest; a single row of narrow vectors takes four, or it would wait for its sums.
    /// </summary>
    internal static int PanelsAtOnce(int rows) => rows == 1 && TSimd.Count * sizeof(T) <= 32 ? 4 : 2;

    /// <summary>Runs calls one after the other.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Run(FewRowsCall<T>* calls, int count)
    {
        for (var end = calls + count; calls < end; calls++)
        {
            if (calls->Target != null)
            {
                RunBeside(calls);
            }
            else if (calls->Columns >= calls->Panels * Width)
            {
                RunWhole(calls);
            }
            else
            {
                RunPartial(calls);
            }
        }
    }

    /// <summary>A prepared call that computes beside its target.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void RunBeside(FewRowsCall<T>* call)
    {
        for (var r = 0; call->StartsFromTarget && r < call->Rows; r++)
        {
            CopyRow(call->Target + (r * call->TargetStride), call->C + call->CRows[r], call->Columns);
        }

        RunWhole(call);
        for (var r = 0; r < call->Rows; r++)
        {
            CopyRow(call->C + call->CRows[r], call->Target + (r * call->TargetStride), call->Columns);
        }
    }

    /// <summary>A call whose columns do not fill its panels: computed beside C and copied, so that nothing right of C is touched.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    [SkipLocalsInit]
    private static void RunPartial(FewRowsCall<T>* call)
    {
        const int MostVectors = 24;
        var tile = stackalloc T[(MostVectors * TSimd.Count) + CacheLine<T>.Length];
        tile = CacheLine<T>.Align(tile);
        var strides = stackalloc nint[TileShape.MostRows];
        var rows = call->Rows;
        TileShape.FillStrides(strides, rows, call->Panels * Width);
        for (var r = 0; r < rows; r++)
        {
            CopyRow(call->Start + call->StartRows[r], tile + strides[r], call->Columns);
        }

        var beside = *call;
        beside.Start = tile;
        beside.StartRows = strides;
        beside.C = tile;
        beside.CRows = strides;
        RunWhole(&beside);
        for (var r = 0; r < rows; r++)
        {
            CopyRow(tile + strides[r], call->C + call->CRows[r], call->Columns);
        }
    }

    // A few vectors: a call to copy memory takes longer.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyRow(T* source, T* destination, int count)
    {
        for (; count >= 2 * TSimd.Count; count -= TSimd.Count)
        {
            TSimd.Store(TSimd.Load(source), destination);
            source += TSimd.Count;
            destination += TSimd.Count;
        }

        PanelLayout<TSimd, TVector, T>.CopyShort(source, destination, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void RunWhole(FewRowsCall<T>* call)
    {
        switch ((call->Rows * 8) + call->Panels)
        {
            case (1 * 8) + 1: Run<N1, N1>(call); break;
            case (1 * 8) + 2: Run<N1, N2>(call); break;
            case (1 * 8) + 3: Run<N1, N3>(call); break;
            case (1 * 8) + 4: Run<N1, N4>(call); break;
            case (2 * 8) + 1: Run<N2, N1>(call); break;
            case (2 * 8) + 2: Run<N2, N2>(call); break;
            case (3 * 8) + 1: Run<N3, N1>(call); break;
            case (3 * 8) + 2: Run<N3, N2>(call); break;
            case (4 * 8) + 1: Run<N4, N1>(call); break;
            case (4 * 8) + 2: Run<N4, N2>(call); break;
            case (5 * 8) + 1: Run<N5, N1>(call); break;
            case (5 * 8) + 2: Run<N5, N2>(call); break;
            case (6 * 8) + 1: Run<N6, N1>(call); break;
            case (6 * 8) + 2: Run<N6, N2>(call); break;
        }
    }

    /// <summary>
    /// A few rows through several panels at once: with one panel the processor would wait for each multiply-add to end before the next k.
    /// The same sums in the same order as the tile of many rows.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Run<TRows, TPanels>(FewRowsCall<T>* call)
        where TRows : struct, ICount
        where TPanels : struct, ICount
    {
        TVector c00 = default, c01 = default, c02 = default, c03 = default;
        TVector c04 = default, c05 = default, c06 = default, c07 = default;
        TVector c10 = default, c11 = default, c12 = default, c13 = default;
        TVector c20 = default, c21 = default, c22 = default, c23 = default;
        TVector c30 = default, c31 = default, c32 = default, c33 = default;
        TVector c40 = default, c41 = default, c42 = default, c43 = default;
        TVector c50 = default, c51 = default, c52 = default, c53 = default;

        var start = call->Start;
        var startRows = call->StartRows;
        {
            var from = start + startRows[0];
            c00 = TSimd.Load(from);
            c01 = TSimd.Load(from + TSimd.Count);
            if (TPanels.Value > 1)
            {
                c02 = TSimd.Load(from + (2 * TSimd.Count));
                c03 = TSimd.Load(from + (3 * TSimd.Count));
            }
            if (TPanels.Value > 2)
            {
                c04 = TSimd.Load(from + (4 * TSimd.Count));
                c05 = TSimd.Load(from + (5 * TSimd.Count));
            }
            if (TPanels.Value > 3)
            {
                c06 = TSimd.Load(from + (6 * TSimd.Count));
                c07 = TSimd.Load(from + (7 * TSimd.Count));
            }
        }

        if (TRows.Value > 1)
        {
            var from = start + startRows[1];
            c10 = TSimd.Load(from);
            c11 = TSimd.Load(from + TSimd.Count);
            if (TPanels.Value > 1)
            {
                c12 = TSimd.Load(from + (2 * TSimd.Count));
                c13 = TSimd.Load(from + (3 * TSimd.Count));
            }
        }

        if (TRows.Value > 2)
        {
            var from = start + startRows[2];
            c20 = TSimd.Load(from);
            c21 = TSimd.Load(from + TSimd.Count);
            if (TPanels.Value > 1)
            {
                c22 = TSimd.Load(from + (2 * TSimd.Count));
                c23 = TSimd.Load(from + (3 * TSimd.Count));
            }
        }

        if (TRows.Value > 3)
        {
            var from = start + startRows[3];
            c30 = TSimd.Load(from);
            c31 = TSimd.Load(from + TSimd.Count);
            if (TPanels.Value > 1)
            {
                c32 = TSimd.Load(from + (2 * TSimd.Count));
                c33 = TSimd.Load(from + (3 * TSimd.Count));
            }
        }

        if (TRows.Value > 4)
        {
            var from = start + startRows[4];
            c40 = TSimd.Load(from);
            c41 = TSimd.Load(from + TSimd.Count);
            if (TPanels.Value > 1)
            {
                c42 = TSimd.Load(from + (2 * TSimd.Count));
                c43 = TSimd.Load(from + (3 * TSimd.Count));
            }
        }

        if (TRows.Value > 5)
        {
            var from = start + startRows[5];
            c50 = TSimd.Load(from);
            c51 = TSimd.Load(from + TSimd.Count);
            if (TPanels.Value > 1)
            {
                c52 = TSimd.Load(from + (2 * TSimd.Count));
                c53 = TSimd.Load(from + (3 * TSimd.Count));
            }
        }

        var a = call->A;
        var aRow = call->ARow;
        var b0 = (byte*)call->B;
        var count = call->Count;
        var count2 = call->Count2;
    Sum:
        var a3 = a + (3 * aRow);
        var panel = count * (2 * TSimd.Count * sizeof(T));
        var b3 = b0 + (3 * panel);
        do
        {
            var x0 = TSimd.Broadcast((T*)a);
            var x1 = TRows.Value > 1 ? TSimd.Broadcast((T*)(a + aRow)) : default;
            var x2 = TRows.Value > 2 ? TSimd.Broadcast((T*)(a + (2 * aRow))) : default;
            var x3 = TRows.Value > 3 ? TSimd.Broadcast((T*)a3) : default;
            var x4 = TRows.Value > 4 ? TSimd.Broadcast((T*)(a3 + aRow)) : default;
            var x5 = TRows.Value > 5 ? TSimd.Broadcast((T*)(a3 + (2 * aRow))) : default;

            {
                var y0 = TSimd.Load((T*)b0);
                c00 = TSimd.MultiplyAdd(x0, y0, c00);
                c10 = TRows.Value > 1 ? TSimd.MultiplyAdd(x1, y0, c10) : default;
                c20 = TRows.Value > 2 ? TSimd.MultiplyAdd(x2, y0, c20) : default;
                c30 = TRows.Value > 3 ? TSimd.MultiplyAdd(x3, y0, c30) : default;
                c40 = TRows.Value > 4 ? TSimd.MultiplyAdd(x4, y0, c40) : default;
                c50 = TRows.Value > 5 ? TSimd.MultiplyAdd(x5, y0, c50) : default;
                var y1 = TSimd.Load((T*)b0 + TSimd.Count);
                c01 = TSimd.MultiplyAdd(x0, y1, c01);
                c11 = TRows.Value > 1 ? TSimd.MultiplyAdd(x1, y1, c11) : default;
                c21 = TRows.Value > 2 ? TSimd.MultiplyAdd(x2, y1, c21) : default;
                c31 = TRows.Value > 3 ? TSimd.MultiplyAdd(x3, y1, c31) : default;
                c41 = TRows.Value > 4 ? TSimd.MultiplyAdd(x4, y1, c41) : default;
                c51 = TRows.Value > 5 ? TSimd.MultiplyAdd(x5, y1, c51) : default;
            }

            if (TPanels.Value > 1)
            {
                var y0 = TSimd.Load((T*)(b0 + panel));
                c02 = TSimd.MultiplyAdd(x0, y0, c02);
                c12 = TRows.Value > 1 ? TSimd.MultiplyAdd(x1, y0, c12) : default;
                c22 = TRows.Value > 2 ? TSimd.MultiplyAdd(x2, y0, c22) : default;
                c32 = TRows.Value > 3 ? TSimd.MultiplyAdd(x3, y0, c32) : default;
                c42 = TRows.Value > 4 ? TSimd.MultiplyAdd(x4, y0, c42) : default;
                c52 = TRows.Value > 5 ? TSimd.MultiplyAdd(x5, y0, c52) : default;
                var y1 = TSimd.Load((T*)(b0 + panel) + TSimd.Count);
                c03 = TSimd.MultiplyAdd(x0, y1, c03);
                c13 = TRows.Value > 1 ? TSimd.MultiplyAdd(x1, y1, c13) : default;
                c23 = TRows.Value > 2 ? TSimd.MultiplyAdd(x2, y1, c23) : default;
                c33 = TRows.Value > 3 ? TSimd.MultiplyAdd(x3, y1, c33) : default;
                c43 = TRows.Value > 4 ? TSimd.MultiplyAdd(x4, y1, c43) : default;
                c53 = TRows.Value > 5 ? TSimd.MultiplyAdd(x5, y1, c53) : default;
            }

            if (TPanels.Value > 2)
            {
                var y0 = TSimd.Load((T*)(b0 + (2 * panel)));
                c04 = TSimd.MultiplyAdd(x0, y0, c04);
                var y1 = TSimd.Load((T*)(b0 + (2 * panel)) + TSimd.Count);
                c05 = TSimd.MultiplyAdd(x0, y1, c05);
            }

            if (TPanels.Value > 3)
            {
                var y0 = TSimd.Load((T*)b3);
                c06 = TSimd.MultiplyAdd(x0, y0, c06);
                var y1 = TSimd.Load((T*)b3 + TSimd.Count);
                c07 = TSimd.MultiplyAdd(x0, y1, c07);
            }

            a += sizeof(T);
            a3 += sizeof(T);
            b0 += 2 * TSimd.Count * sizeof(T);
            b3 += 2 * TSimd.Count * sizeof(T);
        }
        while (--count != 0);

        // The second product goes on from these sums while they are in registers.
        if (count2 != 0)
        {
            a = call->A2;
            aRow = call->ARow2;
            b0 = (byte*)call->B2;
            count = count2;
            count2 = 0;
            goto Sum;
        }

        var c = call->C;
        var cRows = call->CRows;
        {
            var to = c + cRows[0];
            TSimd.Store(c00, to);
            TSimd.Store(c01, to + TSimd.Count);
            if (TPanels.Value > 1)
            {
                TSimd.Store(c02, to + (2 * TSimd.Count));
                TSimd.Store(c03, to + (3 * TSimd.Count));
            }
            if (TPanels.Value > 2)
            {
                TSimd.Store(c04, to + (4 * TSimd.Count));
                TSimd.Store(c05, to + (5 * TSimd.Count));
            }
            if (TPanels.Value > 3)
            {
                TSimd.Store(c06, to + (6 * TSimd.Count));
                TSimd.Store(c07, to + (7 * TSimd.Count));
            }
        }

        if (TRows.Value > 1)
        {
            var to = c + cRows[1];
            TSimd.Store(c10, to);
            TSimd.Store(c11, to + TSimd.Count);
            if (TPanels.Value > 1)
            {
                TSimd.Store(c12, to + (2 * TSimd.Count));
                TSimd.Store(c13, to + (3 * TSimd.Count));
            }
        }

        if (TRows.Value > 2)
        {
            var to = c + cRows[2];
            TSimd.Store(c20, to);
            TSimd.Store(c21, to + TSimd.Count);
            if (TPanels.Value > 1)
            {
                TSimd.Store(c22, to + (2 * TSimd.Count));
                TSimd.Store(c23, to + (3 * TSimd.Count));
            }
        }

        if (TRows.Value > 3)
        {
            var to = c + cRows[3];
            TSimd.Store(c30, to);
            TSimd.Store(c31, to + TSimd.Count);
            if (TPanels.Value > 1)
            {
                TSimd.Store(c32, to + (2 * TSimd.Count));
                TSimd.Store(c33, to + (3 * TSimd.Count));
            }
        }

        if (TRows.Value > 4)
        {
            var to = c + cRows[4];
            TSimd.Store(c40, to);
            TSimd.Store(c41, to + TSimd.Count);
            if (TPanels.Value > 1)
            {
                TSimd.Store(c42, to + (2 * TSimd.Count));
                TSimd.Store(c43, to + (3 * TSimd.Count));
            }
        }

        if (TRows.Value > 5)
        {
            var to = c + cRows[5];
            TSimd.Store(c50, to);
            TSimd.Store(c51, to + TSimd.Count);
            if (TPanels.Value > 1)
            {
                TSimd.Store(c52, to + (2 * TSimd.Count));
                TSimd.Store(c53, to + (3 * TSimd.Count));
            }
        }
    }
}
