using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <summary>
/// The kernel of weights of 8 bits: one row by up to 4 panels, 2 rows by up to 2, or up to 6 rows by one. Weights and rows are whole numbers, and their sums
/// are exact, so no order of summation and no vector width changes a bit; one multiply-add with both scales brings a sum to its element.
/// </summary>
/// <remarks>
/// A lane of 32 bits holds weights of two columns a vector apart, for two k: each 16 bits are 256 · u + l + 128, where u belongs to the farther column and l to the nearer. A
/// shift gives u. The sum of the products with the 16 bits as they are is 256 · Σ x u + Σ x l + 128 · Σ x; that it wraps around does no harm, since the end of it, Σ x l, is
/// known modulo 2³² and is less than 2³¹ for as many k as a call may have.
/// </remarks>
internal static unsafe class Int8Kernel<TSimd, TCompact, TInteger, TVector>
    where TSimd : struct, ITileRegisters<TVector, float>
    where TCompact : struct, ICompactRegisters<TInteger, TVector>
    where TInteger : struct
    where TVector : struct
{
    /// <summary>The most rows of one call.</summary>
    internal const int MostRows = 6;

    /// <summary>The most panels of one call with so many rows.</summary>
    internal static int MostPanels(int rows) => rows == 1 ? 4 : rows == 2 ? 2 : 1;

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal static void Run(int rows, int panels, in CompressedCall call)
    {
        switch ((rows * 8) + panels)
        {
            case (1 * 8) + 1: Run<N1, N1>(in call); break;
            case (1 * 8) + 2: Run<N1, N2>(in call); break;
            case (1 * 8) + 3: Run<N1, N3>(in call); break;
            case (1 * 8) + 4: Run<N1, N4>(in call); break;
            case (2 * 8) + 1: Run<N2, N1>(in call); break;
            case (2 * 8) + 2: Run<N2, N2>(in call); break;
            case (3 * 8) + 1: Run<N3, N1>(in call); break;
            case (4 * 8) + 1: Run<N4, N1>(in call); break;
            case (5 * 8) + 1: Run<N5, N1>(in call); break;
            case (6 * 8) + 1: Run<N6, N1>(in call); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Run<TRows, TPanels>(in CompressedCall call)
        where TRows : struct, ICount
        where TPanels : struct, ICount
    {
        TInteger s00 = default, u00 = default;
        TInteger s01 = default, u01 = default;
        TInteger s02 = default, u02 = default;
        TInteger s03 = default, u03 = default;
        TInteger s10 = default, u10 = default;
        TInteger s11 = default, u11 = default;
        TInteger s20 = default, u20 = default;
        TInteger s30 = default, u30 = default;
        TInteger s40 = default, u40 = default;
        TInteger s50 = default, u50 = default;
        var a = call.A;
        var aRow = call.ARow;
        var b = call.B;
        var panel = call.BPanel;
        var count = call.Count;
        var a3 = a + (3 * aRow);
        var b3 = b + (3 * panel);
        do
        {
            if (TRows.Value > 2)
            {
                // One panel: each row's numbers are needed once, and there is no register to keep them in.
                var both = TCompact.Load(b);
                var upper = TCompact.UpperBytes(both);

                {
                    var x = TCompact.Broadcast(a);
                    s00 = TCompact.AddProducts(both, x, s00);
                    u00 = TCompact.AddProducts(upper, x, u00);
                }

                {
                    var x = TCompact.Broadcast(a + aRow);
                    s10 = TCompact.AddProducts(both, x, s10);
                    u10 = TCompact.AddProducts(upper, x, u10);
                }

                {
                    var x = TCompact.Broadcast(a + (2 * aRow));
                    s20 = TCompact.AddProducts(both, x, s20);
                    u20 = TCompact.AddProducts(upper, x, u20);
                }

                if (TRows.Value > 3)
                {
                    var x = TCompact.Broadcast(a3);
                    s30 = TCompact.AddProducts(both, x, s30);
                    u30 = TCompact.AddProducts(upper, x, u30);
                }

                if (TRows.Value > 4)
                {
                    var x = TCompact.Broadcast(a3 + aRow);
                    s40 = TCompact.AddProducts(both, x, s40);
                    u40 = TCompact.AddProducts(upper, x, u40);
                }

                if (TRows.Value > 5)
                {
                    var x = TCompact.Broadcast(a3 + (2 * aRow));
                    s50 = TCompact.AddProducts(both, x, s50);
                    u50 = TCompact.AddProducts(upper, x, u50);
                }
            }
            else
            {
                var x0 = TCompact.Broadcast(a);
                var x1 = TRows.Value > 1 ? TCompact.Broadcast(a + aRow) : default;
                {
                    var both = TCompact.Load(b);
                    var upper = TCompact.UpperBytes(both);
                    s00 = TCompact.AddProducts(both, x0, s00);
                    u00 = TCompact.AddProducts(upper, x0, u00);
                    s10 = TRows.Value > 1 ? TCompact.AddProducts(both, x1, s10) : default;
                    u10 = TRows.Value > 1 ? TCompact.AddProducts(upper, x1, u10) : default;
                }

                if (TPanels.Value > 1)
                {
                    var both = TCompact.Load(b + panel);
                    var upper = TCompact.UpperBytes(both);
                    s01 = TCompact.AddProducts(both, x0, s01);
                    u01 = TCompact.AddProducts(upper, x0, u01);
                    s11 = TRows.Value > 1 ? TCompact.AddProducts(both, x1, s11) : default;
                    u11 = TRows.Value > 1 ? TCompact.AddProducts(upper, x1, u11) : default;
                }

                if (TPanels.Value > 2)
                {
                    var both = TCompact.Load(b + (2 * panel));
                    var upper = TCompact.UpperBytes(both);
                    s02 = TCompact.AddProducts(both, x0, s02);
                    u02 = TCompact.AddProducts(upper, x0, u02);
                }

                if (TPanels.Value > 3)
                {
                    var both = TCompact.Load(b3);
                    var upper = TCompact.UpperBytes(both);
                    s03 = TCompact.AddProducts(both, x0, s03);
                    u03 = TCompact.AddProducts(upper, x0, u03);
                }
            }

            a += sizeof(int);
            a3 += sizeof(int);
            b += TSimd.Count * sizeof(int);
            b3 += TSimd.Count * sizeof(int);
        }
        while (--count != 0);

        Finish(in call, 0, 0, s00, u00);

        if (TPanels.Value > 1)
        {
            Finish(in call, 0, 1, s01, u01);
        }

        if (TPanels.Value > 2)
        {
            Finish(in call, 0, 2, s02, u02);
        }

        if (TPanels.Value > 3)
        {
            Finish(in call, 0, 3, s03, u03);
        }

        if (TRows.Value > 1)
        {
            Finish(in call, 1, 0, s10, u10);

            if (TPanels.Value > 1)
            {
                Finish(in call, 1, 1, s11, u11);
            }
        }

        if (TRows.Value > 2)
        {
            Finish(in call, 2, 0, s20, u20);
        }

        if (TRows.Value > 3)
        {
            Finish(in call, 3, 0, s30, u30);
        }

        if (TRows.Value > 4)
        {
            Finish(in call, 4, 0, s40, u40);
        }

        if (TRows.Value > 5)
        {
            Finish(in call, 5, 0, s50, u50);
        }
    }

    /// <summary>C = start + sum · (row scale · column scale), of the two vectors of a panel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(in CompressedCall call, int row, int panel, TInteger sum, TInteger upper)
    {
        var column = panel * 2 * TSimd.Count;
        var from = call.Start + call.StartRows[row] + column;
        var to = call.C + call.CRows[row] + column;
        var scales = call.ColumnScales + column;
        var scale = call.RowScales[row];
        var lower = TCompact.Separate(sum, upper, TCompact.Broadcast(call.RowSums + (row * call.RowSumStep)));
        TSimd.Store(TCompact.AddScaled(lower, scale, TSimd.Load(scales), TSimd.Load(from)), to);
        TSimd.Store(TCompact.AddScaled(upper, scale, TSimd.Load(scales + TSimd.Count), TSimd.Load(from + TSimd.Count)), to + TSimd.Count);
    }
}
