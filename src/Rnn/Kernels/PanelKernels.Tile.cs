using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <content>The micro-kernel of many rows: a tile of up to 14 rows by one panel whose sums stay in registers.</content>
internal sealed unsafe partial class PanelKernels<TVector, T>
    where TVector : struct, IVector<TVector, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>
    /// Adds <paramref name="count"/> steps of the sum to a tile. Every accumulator is a local of its own: the JIT keeps locals in
    /// registers, never arrays, and leaves out what lies beyond <typeparamref name="TRows"/> and <typeparamref name="TVectors"/>.
    /// </summary>
    /// <param name="a">A[row, k] at a + row · aRow + k · aStep, in bytes.</param>
    /// <param name="aRow">Bytes from row to row.</param>
    /// <param name="aStep">Bytes from one k to the next.</param>
    /// <param name="b">A panel: two vectors for each k.</param>
    /// <param name="count">How many k, at least 1.</param>
    /// <param name="start">What the sums start from.</param>
    /// <param name="startRows">The elements from <paramref name="start"/> to each row of it.</param>
    /// <param name="c">Where the sums go.</param>
    /// <param name="cRows">The elements from <paramref name="c"/> to each row of it.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Tile<TRows, TVectors>(
        byte* a, nint aRow, nint aStep, T* b, nint count, T* start, nint* startRows, T* c, nint* cRows)
        where TRows : struct, ICount
        where TVectors : struct, ICount
    {
        TVector c00 = default, c01 = default;
        TVector c10 = default, c11 = default;
        TVector c20 = default, c21 = default;
        TVector c30 = default, c31 = default;
        TVector c40 = default, c41 = default;
        TVector c50 = default, c51 = default;
        TVector c60 = default, c61 = default;
        TVector c70 = default, c71 = default;
        TVector c80 = default, c81 = default;
        TVector c90 = default, c91 = default;
        TVector c100 = default, c101 = default;
        TVector c110 = default, c111 = default;
        TVector c120 = default, c121 = default;
        TVector c130 = default, c131 = default;
        {
            var from = start + startRows[0];
            c00 = TVector.Load(from);
            c01 = TVectors.Value > 1 ? TVector.Load(from + TVector.Count) : default;
        }

        if (TRows.Value > 1)
        {
            var from = start + startRows[1];
            c10 = TVector.Load(from);
            c11 = TVectors.Value > 1 ? TVector.Load(from + TVector.Count) : default;
        }

        if (TRows.Value > 2)
        {
            var from = start + startRows[2];
            c20 = TVector.Load(from);
            c21 = TVectors.Value > 1 ? TVector.Load(from + TVector.Count) : default;
        }

        if (TRows.Value > 3)
        {
            var from = start + startRows[3];
            c30 = TVector.Load(from);
            c31 = TVectors.Value > 1 ? TVector.Load(from + TVector.Count) : default;
        }

        if (TRows.Value > 4)
        {
            var from = start + startRows[4];
            c40 = TVector.Load(from);
            c41 = TVectors.Value > 1 ? TVector.Load(from + TVector.Count) : default;
        }

        if (TRows.Value > 5)
        {
            var from = start + startRows[5];
            c50 = TVector.Load(from);
            c51 = TVectors.Value > 1 ? TVector.Load(from + TVector.Count) : default;
        }

        if (TRows.Value > 6)
        {
            var from = start + startRows[6];
            c60 = TVector.Load(from);
            c61 = TVectors.Value > 1 ? TVector.Load(from + TVector.Count) : default;
        }

        if (TRows.Value > 7)
        {
            var from = start + startRows[7];
            c70 = TVector.Load(from);
            c71 = TVectors.Value > 1 ? TVector.Load(from + TVector.Count) : default;
        }

        if (TRows.Value > 8)
        {
            var from = start + startRows[8];
            c80 = TVector.Load(from);
            c81 = TVectors.Value > 1 ? TVector.Load(from + TVector.Count) : default;
        }

        if (TRows.Value > 9)
        {
            var from = start + startRows[9];
            c90 = TVector.Load(from);
            c91 = TVectors.Value > 1 ? TVector.Load(from + TVector.Count) : default;
        }

        if (TRows.Value > 10)
        {
            var from = start + startRows[10];
            c100 = TVector.Load(from);
            c101 = TVectors.Value > 1 ? TVector.Load(from + TVector.Count) : default;
        }

        if (TRows.Value > 11)
        {
            var from = start + startRows[11];
            c110 = TVector.Load(from);
            c111 = TVectors.Value > 1 ? TVector.Load(from + TVector.Count) : default;
        }

        if (TRows.Value > 12)
        {
            var from = start + startRows[12];
            c120 = TVector.Load(from);
            c121 = TVectors.Value > 1 ? TVector.Load(from + TVector.Count) : default;
        }

        if (TRows.Value > 13)
        {
            var from = start + startRows[13];
            c130 = TVector.Load(from);
            c131 = TVectors.Value > 1 ? TVector.Load(from + TVector.Count) : default;
        }

        // Three rows share a base: the processor adds one or two strides while it loads.
        var a3 = a + (3 * aRow);
        var a6 = a3 + (3 * aRow);
        var a9 = a6 + (3 * aRow);
        var a12 = a9 + (3 * aRow);
        do
        {
            var b0 = TVector.Load(b);
            var b1 = TVectors.Value > 1 ? TVector.Load(b + TVector.Count) : default;
            b += 2 * TVector.Count;

            {
                var x = TVector.Broadcast(*(T*)a);
                c00 = TVector.MultiplyAdd(x, b0, c00);
                c01 = TVectors.Value > 1 ? TVector.MultiplyAdd(x, b1, c01) : default;
            }

            if (TRows.Value > 1)
            {
                var x = TVector.Broadcast(*(T*)(a + aRow));
                c10 = TVector.MultiplyAdd(x, b0, c10);
                c11 = TVectors.Value > 1 ? TVector.MultiplyAdd(x, b1, c11) : default;
            }

            if (TRows.Value > 2)
            {
                var x = TVector.Broadcast(*(T*)(a + (2 * aRow)));
                c20 = TVector.MultiplyAdd(x, b0, c20);
                c21 = TVectors.Value > 1 ? TVector.MultiplyAdd(x, b1, c21) : default;
            }

            if (TRows.Value > 3)
            {
                var x = TVector.Broadcast(*(T*)a3);
                c30 = TVector.MultiplyAdd(x, b0, c30);
                c31 = TVectors.Value > 1 ? TVector.MultiplyAdd(x, b1, c31) : default;
            }

            if (TRows.Value > 4)
            {
                var x = TVector.Broadcast(*(T*)(a3 + aRow));
                c40 = TVector.MultiplyAdd(x, b0, c40);
                c41 = TVectors.Value > 1 ? TVector.MultiplyAdd(x, b1, c41) : default;
            }

            if (TRows.Value > 5)
            {
                var x = TVector.Broadcast(*(T*)(a3 + (2 * aRow)));
                c50 = TVector.MultiplyAdd(x, b0, c50);
                c51 = TVectors.Value > 1 ? TVector.MultiplyAdd(x, b1, c51) : default;
            }

            if (TRows.Value > 6)
            {
                var x = TVector.Broadcast(*(T*)a6);
                c60 = TVector.MultiplyAdd(x, b0, c60);
                c61 = TVectors.Value > 1 ? TVector.MultiplyAdd(x, b1, c61) : default;
            }

            if (TRows.Value > 7)
            {
                var x = TVector.Broadcast(*(T*)(a6 + aRow));
                c70 = TVector.MultiplyAdd(x, b0, c70);
                c71 = TVectors.Value > 1 ? TVector.MultiplyAdd(x, b1, c71) : default;
            }

            if (TRows.Value > 8)
            {
                var x = TVector.Broadcast(*(T*)(a6 + (2 * aRow)));
                c80 = TVector.MultiplyAdd(x, b0, c80);
                c81 = TVectors.Value > 1 ? TVector.MultiplyAdd(x, b1, c81) : default;
            }

            if (TRows.Value > 9)
            {
                var x = TVector.Broadcast(*(T*)a9);
                c90 = TVector.MultiplyAdd(x, b0, c90);
                c91 = TVectors.Value > 1 ? TVector.MultiplyAdd(x, b1, c91) : default;
            }

            if (TRows.Value > 10)
            {
                var x = TVector.Broadcast(*(T*)(a9 + aRow));
                c100 = TVector.MultiplyAdd(x, b0, c100);
                c101 = TVectors.Value > 1 ? TVector.MultiplyAdd(x, b1, c101) : default;
            }

            if (TRows.Value > 11)
            {
                var x = TVector.Broadcast(*(T*)(a9 + (2 * aRow)));
                c110 = TVector.MultiplyAdd(x, b0, c110);
                c111 = TVectors.Value > 1 ? TVector.MultiplyAdd(x, b1, c111) : default;
            }

            if (TRows.Value > 12)
            {
                var x = TVector.Broadcast(*(T*)a12);
                c120 = TVector.MultiplyAdd(x, b0, c120);
                c121 = TVectors.Value > 1 ? TVector.MultiplyAdd(x, b1, c121) : default;
            }

            if (TRows.Value > 13)
            {
                var x = TVector.Broadcast(*(T*)(a12 + aRow));
                c130 = TVector.MultiplyAdd(x, b0, c130);
                c131 = TVectors.Value > 1 ? TVector.MultiplyAdd(x, b1, c131) : default;
            }

            a += aStep;
            a3 += aStep;
            a6 += aStep;
            a9 += aStep;
            a12 += aStep;
        }
        while (--count != 0);

        {
            var to = c + cRows[0];
            c00.Store(to);
            if (TVectors.Value > 1)
            {
                c01.Store(to + TVector.Count);
            }
        }

        if (TRows.Value > 1)
        {
            var to = c + cRows[1];
            c10.Store(to);
            if (TVectors.Value > 1)
            {
                c11.Store(to + TVector.Count);
            }
        }

        if (TRows.Value > 2)
        {
            var to = c + cRows[2];
            c20.Store(to);
            if (TVectors.Value > 1)
            {
                c21.Store(to + TVector.Count);
            }
        }

        if (TRows.Value > 3)
        {
            var to = c + cRows[3];
            c30.Store(to);
            if (TVectors.Value > 1)
            {
                c31.Store(to + TVector.Count);
            }
        }

        if (TRows.Value > 4)
        {
            var to = c + cRows[4];
            c40.Store(to);
            if (TVectors.Value > 1)
            {
                c41.Store(to + TVector.Count);
            }
        }

        if (TRows.Value > 5)
        {
            var to = c + cRows[5];
            c50.Store(to);
            if (TVectors.Value > 1)
            {
                c51.Store(to + TVector.Count);
            }
        }

        if (TRows.Value > 6)
        {
            var to = c + cRows[6];
            c60.Store(to);
            if (TVectors.Value > 1)
            {
                c61.Store(to + TVector.Count);
            }
        }

        if (TRows.Value > 7)
        {
            var to = c + cRows[7];
            c70.Store(to);
            if (TVectors.Value > 1)
            {
                c71.Store(to + TVector.Count);
            }
        }

        if (TRows.Value > 8)
        {
            var to = c + cRows[8];
            c80.Store(to);
            if (TVectors.Value > 1)
            {
                c81.Store(to + TVector.Count);
            }
        }

        if (TRows.Value > 9)
        {
            var to = c + cRows[9];
            c90.Store(to);
            if (TVectors.Value > 1)
            {
                c91.Store(to + TVector.Count);
            }
        }

        if (TRows.Value > 10)
        {
            var to = c + cRows[10];
            c100.Store(to);
            if (TVectors.Value > 1)
            {
                c101.Store(to + TVector.Count);
            }
        }

        if (TRows.Value > 11)
        {
            var to = c + cRows[11];
            c110.Store(to);
            if (TVectors.Value > 1)
            {
                c111.Store(to + TVector.Count);
            }
        }

        if (TRows.Value > 12)
        {
            var to = c + cRows[12];
            c120.Store(to);
            if (TVectors.Value > 1)
            {
                c121.Store(to + TVector.Count);
            }
        }

        if (TRows.Value > 13)
        {
            var to = c + cRows[13];
            c130.Store(to);
            if (TVectors.Value > 1)
            {
                c131.Store(to + TVector.Count);
            }
        }
    }
}
