using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <content>One row by up to six panels.</content>
internal static unsafe partial class BFloat16Kernel<TSimd, TCompact, TInteger, TVector>
    where TSimd : struct, ITileRegisters<TVector, float>
    where TCompact : struct, ICompactRegisters<TInteger, TVector>
    where TInteger : struct
    where TVector : struct
{
    // Two k at a time. Processors have fewer units for shifts than for masks, so that the lower half of every second k is masked in a vector that begins 16 bits earlier.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void RunRow<TPanels>(in CompressedCall call)
        where TPanels : struct, ICount
    {
        TVector c00 = default, c01 = default, c02 = default, c03 = default, c04 = default, c05 = default, c06 = default, c07 = default, c08 = default, c09 = default, c0a = default, c0b = default;
        var from = call.Start + call.StartRows[0];
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

        if (TPanels.Value > 4)
        {
            c08 = TSimd.Load(from + (8 * TSimd.Count));
            c09 = TSimd.Load(from + (9 * TSimd.Count));
        }

        if (TPanels.Value > 5)
        {
            c0a = TSimd.Load(from + (10 * TSimd.Count));
            c0b = TSimd.Load(from + (11 * TSimd.Count));
        }

        var a = call.A;
        var b0 = call.B;
        var b1 = b0 + call.BPanel;
        var b2 = b1 + call.BPanel;
        var b3 = b2 + call.BPanel;
        var b4 = b3 + call.BPanel;
        var b5 = b4 + call.BPanel;
        var count = call.Count;
        var next = TSimd.Count * sizeof(int);
        do
        {
            {
                var x = TSimd.Broadcast((float*)a);
                {
                    var both = TCompact.Load(b0);
                    var lower = TCompact.LowerHalf(both);
                    var upper = TCompact.UpperHalf(both);
                    c00 = TSimd.MultiplyAdd(x, lower, c00);
                    c01 = TSimd.MultiplyAdd(x, upper, c01);
                }

                if (TPanels.Value > 1)
                {
                    var both = TCompact.Load(b1);
                    var lower = TCompact.LowerHalf(both);
                    var upper = TCompact.UpperHalf(both);
                    c02 = TSimd.MultiplyAdd(x, lower, c02);
                    c03 = TSimd.MultiplyAdd(x, upper, c03);
                }

                if (TPanels.Value > 2)
                {
                    var both = TCompact.Load(b2);
                    var lower = TCompact.LowerHalf(both);
                    var upper = TCompact.UpperHalf(both);
                    c04 = TSimd.MultiplyAdd(x, lower, c04);
                    c05 = TSimd.MultiplyAdd(x, upper, c05);
                }

                if (TPanels.Value > 3)
                {
                    var both = TCompact.Load(b3);
                    var lower = TCompact.LowerHalf(both);
                    var upper = TCompact.UpperHalf(both);
                    c06 = TSimd.MultiplyAdd(x, lower, c06);
                    c07 = TSimd.MultiplyAdd(x, upper, c07);
                }

                if (TPanels.Value > 4)
                {
                    var both = TCompact.Load(b4);
                    var lower = TCompact.LowerHalf(both);
                    var upper = TCompact.UpperHalf(both);
                    c08 = TSimd.MultiplyAdd(x, lower, c08);
                    c09 = TSimd.MultiplyAdd(x, upper, c09);
                }

                if (TPanels.Value > 5)
                {
                    var both = TCompact.Load(b5);
                    var lower = TCompact.LowerHalf(both);
                    var upper = TCompact.UpperHalf(both);
                    c0a = TSimd.MultiplyAdd(x, lower, c0a);
                    c0b = TSimd.MultiplyAdd(x, upper, c0b);
                }
            }

            if (--count == 0)
            {
                break;
            }

            {
                var x = TSimd.Broadcast((float*)(a + sizeof(float)));
                {
                    var lower = TCompact.LowerHalfAt(b0 + next);
                    var upper = TCompact.UpperHalf(TCompact.Load(b0 + next));
                    c00 = TSimd.MultiplyAdd(x, lower, c00);
                    c01 = TSimd.MultiplyAdd(x, upper, c01);
                }

                if (TPanels.Value > 1)
                {
                    var lower = TCompact.LowerHalfAt(b1 + next);
                    var upper = TCompact.UpperHalf(TCompact.Load(b1 + next));
                    c02 = TSimd.MultiplyAdd(x, lower, c02);
                    c03 = TSimd.MultiplyAdd(x, upper, c03);
                }

                if (TPanels.Value > 2)
                {
                    var lower = TCompact.LowerHalfAt(b2 + next);
                    var upper = TCompact.UpperHalf(TCompact.Load(b2 + next));
                    c04 = TSimd.MultiplyAdd(x, lower, c04);
                    c05 = TSimd.MultiplyAdd(x, upper, c05);
                }

                if (TPanels.Value > 3)
                {
                    var lower = TCompact.LowerHalfAt(b3 + next);
                    var upper = TCompact.UpperHalf(TCompact.Load(b3 + next));
                    c06 = TSimd.MultiplyAdd(x, lower, c06);
                    c07 = TSimd.MultiplyAdd(x, upper, c07);
                }

                if (TPanels.Value > 4)
                {
                    var lower = TCompact.LowerHalfAt(b4 + next);
                    var upper = TCompact.UpperHalf(TCompact.Load(b4 + next));
                    c08 = TSimd.MultiplyAdd(x, lower, c08);
                    c09 = TSimd.MultiplyAdd(x, upper, c09);
                }

                if (TPanels.Value > 5)
                {
                    var lower = TCompact.LowerHalfAt(b5 + next);
                    var upper = TCompact.UpperHalf(TCompact.Load(b5 + next));
                    c0a = TSimd.MultiplyAdd(x, lower, c0a);
                    c0b = TSimd.MultiplyAdd(x, upper, c0b);
                }
            }

            a += 2 * sizeof(float);
            b0 += 2 * next;
            b1 += 2 * next;
            b2 += 2 * next;
            b3 += 2 * next;
            b4 += 2 * next;
            b5 += 2 * next;
        }
        while (--count != 0);

        var to = call.C + call.CRows[0];
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

        if (TPanels.Value > 4)
        {
            TSimd.Store(c08, to + (8 * TSimd.Count));
            TSimd.Store(c09, to + (9 * TSimd.Count));
        }

        if (TPanels.Value > 5)
        {
            TSimd.Store(c0a, to + (10 * TSimd.Count));
            TSimd.Store(c0b, to + (11 * TSimd.Count));
        }
    }
}
