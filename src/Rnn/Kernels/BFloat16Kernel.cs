using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <summary>
/// The kernel of few rows over panels of bfloat16: one row by up to 6 panels, 2 rows by up to 2, or up to 6 rows by one. A lane of 32 bits holds two columns a vector apart,
/// so that a shift and a mask make two vectors of single precision. The sums are those of <see cref="FewRowsKernel{TSimd, TVector, T}"/>, in the same order.
/// </summary>
internal static unsafe partial class BFloat16Kernel<TSimd, TCompact, TInteger, TVector>
    where TSimd : struct, ITileRegisters<TVector, float>
    where TCompact : struct, ICompactRegisters<TInteger, TVector>
    where TInteger : struct
    where TVector : struct
{
    /// <summary>The most panels of one call with so many rows.</summary>
    internal static int MostPanels(int rows) => rows == 1 ? 6 : rows == 2 ? 2 : 1;

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal static void Run(int rows, int panels, in CompressedCall call)
    {
        switch ((rows * 8) + panels)
        {
            case (1 * 8) + 1: RunRow<N1>(in call); break;
            case (1 * 8) + 2: RunRow<N2>(in call); break;
            case (1 * 8) + 3: RunRow<N3>(in call); break;
            case (1 * 8) + 4: RunRow<N4>(in call); break;
            case (1 * 8) + 5: RunRow<N5>(in call); break;
            case (1 * 8) + 6: RunRow<N6>(in call); break;
            case (2 * 8) + 1: RunRows<N2, N1>(in call); break;
            case (2 * 8) + 2: RunRows<N2, N2>(in call); break;
            case (3 * 8) + 1: RunRows<N3, N1>(in call); break;
            case (4 * 8) + 1: RunRows<N4, N1>(in call); break;
            case (5 * 8) + 1: RunRows<N5, N1>(in call); break;
            case (6 * 8) + 1: RunRows<N6, N1>(in call); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void RunRows<TRows, TPanels>(in CompressedCall call)
        where TRows : struct, ICount
        where TPanels : struct, ICount
    {
        TVector c00, c01, c02 = default, c03 = default;
        TVector c10, c11, c12 = default, c13 = default;
        TVector c20 = default, c21 = default;
        TVector c30 = default, c31 = default;
        TVector c40 = default, c41 = default;
        TVector c50 = default, c51 = default;

        {
            var from = call.Start + call.StartRows[0];
            c00 = TSimd.Load(from);
            c01 = TSimd.Load(from + TSimd.Count);
            if (TPanels.Value > 1)
            {
                c02 = TSimd.Load(from + (2 * TSimd.Count));
                c03 = TSimd.Load(from + (3 * TSimd.Count));
            }
        }

        {
            var from = call.Start + call.StartRows[1];
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
            var from = call.Start + call.StartRows[2];
            c20 = TSimd.Load(from);
            c21 = TSimd.Load(from + TSimd.Count);
        }

        if (TRows.Value > 3)
        {
            var from = call.Start + call.StartRows[3];
            c30 = TSimd.Load(from);
            c31 = TSimd.Load(from + TSimd.Count);
        }

        if (TRows.Value > 4)
        {
            var from = call.Start + call.StartRows[4];
            c40 = TSimd.Load(from);
            c41 = TSimd.Load(from + TSimd.Count);
        }

        if (TRows.Value > 5)
        {
            var from = call.Start + call.StartRows[5];
            c50 = TSimd.Load(from);
            c51 = TSimd.Load(from + TSimd.Count);
        }

        var a = call.A;
        var aRow = call.ARow;
        var b = call.B;
        var panel = call.BPanel;
        var count = call.Count;
        var a3 = a + (3 * aRow);
        do
        {
            if (TRows.Value > 2)
            {
                // One panel: each row's number is needed once, and there is no register to keep it in.
                var both = TCompact.Load(b);
                var lower = TCompact.LowerHalf(both);
                var upper = TCompact.UpperHalf(both);
                {
                    var x = TSimd.Broadcast((float*)a);
                    c00 = TSimd.MultiplyAdd(x, lower, c00);
                    c01 = TSimd.MultiplyAdd(x, upper, c01);
                }

                {
                    var x = TSimd.Broadcast((float*)(a + aRow));
                    c10 = TSimd.MultiplyAdd(x, lower, c10);
                    c11 = TSimd.MultiplyAdd(x, upper, c11);
                }

                {
                    var x = TSimd.Broadcast((float*)(a + (2 * aRow)));
                    c20 = TSimd.MultiplyAdd(x, lower, c20);
                    c21 = TSimd.MultiplyAdd(x, upper, c21);
                }

                if (TRows.Value > 3)
                {
                    var x = TSimd.Broadcast((float*)a3);
                    c30 = TSimd.MultiplyAdd(x, lower, c30);
                    c31 = TSimd.MultiplyAdd(x, upper, c31);
                }

                if (TRows.Value > 4)
                {
                    var x = TSimd.Broadcast((float*)(a3 + aRow));
                    c40 = TSimd.MultiplyAdd(x, lower, c40);
                    c41 = TSimd.MultiplyAdd(x, upper, c41);
                }

                if (TRows.Value > 5)
                {
                    var x = TSimd.Broadcast((float*)(a3 + (2 * aRow)));
                    c50 = TSimd.MultiplyAdd(x, lower, c50);
                    c51 = TSimd.MultiplyAdd(x, upper, c51);
                }
            }
            else
            {
                var x0 = TSimd.Broadcast((float*)a);
                var x1 = TSimd.Broadcast((float*)(a + aRow));
                {
                    var both = TCompact.Load(b);
                    var lower = TCompact.LowerHalf(both);
                    var upper = TCompact.UpperHalf(both);
                    c00 = TSimd.MultiplyAdd(x0, lower, c00);
                    c01 = TSimd.MultiplyAdd(x0, upper, c01);
                    c10 = TSimd.MultiplyAdd(x1, lower, c10);
                    c11 = TSimd.MultiplyAdd(x1, upper, c11);
                }

                if (TPanels.Value > 1)
                {
                    var both = TCompact.Load(b + panel);
                    var lower = TCompact.LowerHalf(both);
                    var upper = TCompact.UpperHalf(both);
                    c02 = TSimd.MultiplyAdd(x0, lower, c02);
                    c03 = TSimd.MultiplyAdd(x0, upper, c03);
                    c12 = TSimd.MultiplyAdd(x1, lower, c12);
                    c13 = TSimd.MultiplyAdd(x1, upper, c13);
                }
            }

            a += sizeof(float);
            a3 += sizeof(float);
            b += TSimd.Count * sizeof(int);
        }
        while (--count != 0);

        {
            var to = call.C + call.CRows[0];
            TSimd.Store(c00, to);
            TSimd.Store(c01, to + TSimd.Count);
            if (TPanels.Value > 1)
            {
                TSimd.Store(c02, to + (2 * TSimd.Count));
                TSimd.Store(c03, to + (3 * TSimd.Count));
            }
        }

        {
            var to = call.C + call.CRows[1];
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
            var to = call.C + call.CRows[2];
            TSimd.Store(c20, to);
            TSimd.Store(c21, to + TSimd.Count);
        }

        if (TRows.Value > 3)
        {
            var to = call.C + call.CRows[3];
            TSimd.Store(c30, to);
            TSimd.Store(c31, to + TSimd.Count);
        }

        if (TRows.Value > 4)
        {
            var to = call.C + call.CRows[4];
            TSimd.Store(c40, to);
            TSimd.Store(c41, to + TSimd.Count);
        }

        if (TRows.Value > 5)
        {
            var to = call.C + call.CRows[5];
            TSimd.Store(c50, to);
            TSimd.Store(c51, to + TSimd.Count);
        }
    }
}
