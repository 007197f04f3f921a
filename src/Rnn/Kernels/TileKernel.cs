using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <summary>The micro-kernel of many rows: a tile of up to 12 rows by one panel whose sums stay in registers.</summary>
internal static unsafe partial class TileKernel<TSimd, TVector, T>
    where TSimd : struct, ITileRegisters<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>
    /// Computes tiles one after the other. Every accumulator is a local of its own: the JIT keeps locals in
    /// registers, never arrays, and leaves out what lies beyond <typeparamref name="TRows"/> and <typeparamref name="TVectors"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Run<TRows, TVectors>(TileCall<T>* call)
        where TRows : struct, ICount
        where TVectors : struct, ICount
    {
        var a0 = call->A;
        var aRow = call->ARow;
        var aStep = call->AStep;
        var bStep = call->BStep;
        var prefetch = call->Prefetch;
        var prefetchStep = call->PrefetchStep;
        var start = call->Start;
        var startRows = call->StartRows;
        var c = call->C;
        var cRows = call->CRows;
        var tiles = call->Tiles;
    Tile:
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
        {
            var from = start + startRows[0];
            c00 = TSimd.Load(from);
            c01 = TVectors.Value > 1 ? TSimd.Load(from + TSimd.Count) : default;
        }

        if (TRows.Value > 1)
        {
            var from = start + startRows[1];
            c10 = TSimd.Load(from);
            c11 = TVectors.Value > 1 ? TSimd.Load(from + TSimd.Count) : default;
        }

        if (TRows.Value > 2)
        {
            var from = start + startRows[2];
            c20 = TSimd.Load(from);
            c21 = TVectors.Value > 1 ? TSimd.Load(from + TSimd.Count) : default;
        }

        if (TRows.Value > 3)
        {
            var from = start + startRows[3];
            c30 = TSimd.Load(from);
            c31 = TVectors.Value > 1 ? TSimd.Load(from + TSimd.Count) : default;
        }

        if (TRows.Value > 4)
        {
            var from = start + startRows[4];
            c40 = TSimd.Load(from);
            c41 = TVectors.Value > 1 ? TSimd.Load(from + TSimd.Count) : default;
        }

        if (TRows.Value > 5)
        {
            var from = start + startRows[5];
            c50 = TSimd.Load(from);
            c51 = TVectors.Value > 1 ? TSimd.Load(from + TSimd.Count) : default;
        }

        if (TRows.Value > 6)
        {
            var from = start + startRows[6];
            c60 = TSimd.Load(from);
            c61 = TVectors.Value > 1 ? TSimd.Load(from + TSimd.Count) : default;
        }

        if (TRows.Value > 7)
        {
            var from = start + startRows[7];
            c70 = TSimd.Load(from);
            c71 = TVectors.Value > 1 ? TSimd.Load(from + TSimd.Count) : default;
        }

        if (TRows.Value > 8)
        {
            var from = start + startRows[8];
            c80 = TSimd.Load(from);
            c81 = TVectors.Value > 1 ? TSimd.Load(from + TSimd.Count) : default;
        }

        if (TRows.Value > 9)
        {
            var from = start + startRows[9];
            c90 = TSimd.Load(from);
            c91 = TVectors.Value > 1 ? TSimd.Load(from + TSimd.Count) : default;
        }

        if (TRows.Value > 10)
        {
            var from = start + startRows[10];
            c100 = TSimd.Load(from);
            c101 = TVectors.Value > 1 ? TSimd.Load(from + TSimd.Count) : default;
        }

        if (TRows.Value > 11)
        {
            var from = start + startRows[11];
            c110 = TSimd.Load(from);
            c111 = TVectors.Value > 1 ? TSimd.Load(from + TSimd.Count) : default;
        }

        // What the next tile starts from.
        var next = tiles > 1 ? c + call->CTile : call->Next;
        var nextRows = tiles > 1 ? cRows + call->CRowsTile : cRows;
        for (var r = 0; r < TRows.Value; r++)
        {
            Prefetch.ToFirst(next + nextRows[r]);
            if (2 * TSimd.Count * sizeof(T) > Prefetch.Line)
            {
                Prefetch.ToFirst((byte*)(next + nextRows[r]) + Prefetch.Line);
            }
        }

        // Three rows share a base: the processor adds one or two strides while it loads.
        var a = a0;
        var b = call->B;
        var count = call->Count;
        var a3 = a + (3 * aRow);
        var a6 = a3 + (3 * aRow);
        var a9 = a6 + (3 * aRow);
        do
        {
            var b0 = TSimd.Load(b);
            var b1 = TVectors.Value > 1 ? TSimd.Load(b + TSimd.Count) : default;
            b += bStep;
            Prefetch.ToSecond(prefetch);
            prefetch += prefetchStep;

            {
                var x = TSimd.Broadcast((T*)a);
                c00 = TSimd.MultiplyAdd(x, b0, c00);
                c01 = TVectors.Value > 1 ? TSimd.MultiplyAdd(x, b1, c01) : default;
            }

            if (TRows.Value > 1)
            {
                var x = TSimd.Broadcast((T*)(a + aRow));
                c10 = TSimd.MultiplyAdd(x, b0, c10);
                c11 = TVectors.Value > 1 ? TSimd.MultiplyAdd(x, b1, c11) : default;
            }

            if (TRows.Value > 2)
            {
                var x = TSimd.Broadcast((T*)(a + (2 * aRow)));
                c20 = TSimd.MultiplyAdd(x, b0, c20);
                c21 = TVectors.Value > 1 ? TSimd.MultiplyAdd(x, b1, c21) : default;
            }

            if (TRows.Value > 3)
            {
                var x = TSimd.Broadcast((T*)a3);
                c30 = TSimd.MultiplyAdd(x, b0, c30);
                c31 = TVectors.Value > 1 ? TSimd.MultiplyAdd(x, b1, c31) : default;
            }

            if (TRows.Value > 4)
            {
                var x = TSimd.Broadcast((T*)(a3 + aRow));
                c40 = TSimd.MultiplyAdd(x, b0, c40);
                c41 = TVectors.Value > 1 ? TSimd.MultiplyAdd(x, b1, c41) : default;
            }

            if (TRows.Value > 5)
            {
                var x = TSimd.Broadcast((T*)(a3 + (2 * aRow)));
                c50 = TSimd.MultiplyAdd(x, b0, c50);
                c51 = TVectors.Value > 1 ? TSimd.MultiplyAdd(x, b1, c51) : default;
            }

            if (TRows.Value > 6)
            {
                var x = TSimd.Broadcast((T*)a6);
                c60 = TSimd.MultiplyAdd(x, b0, c60);
                c61 = TVectors.Value > 1 ? TSimd.MultiplyAdd(x, b1, c61) : default;
            }

            if (TRows.Value > 7)
            {
                var x = TSimd.Broadcast((T*)(a6 + aRow));
                c70 = TSimd.MultiplyAdd(x, b0, c70);
                c71 = TVectors.Value > 1 ? TSimd.MultiplyAdd(x, b1, c71) : default;
            }

            if (TRows.Value > 8)
            {
                var x = TSimd.Broadcast((T*)(a6 + (2 * aRow)));
                c80 = TSimd.MultiplyAdd(x, b0, c80);
                c81 = TVectors.Value > 1 ? TSimd.MultiplyAdd(x, b1, c81) : default;
            }

            if (TRows.Value > 9)
            {
                var x = TSimd.Broadcast((T*)a9);
                c90 = TSimd.MultiplyAdd(x, b0, c90);
                c91 = TVectors.Value > 1 ? TSimd.MultiplyAdd(x, b1, c91) : default;
            }

            if (TRows.Value > 10)
            {
                var x = TSimd.Broadcast((T*)(a9 + aRow));
                c100 = TSimd.MultiplyAdd(x, b0, c100);
                c101 = TVectors.Value > 1 ? TSimd.MultiplyAdd(x, b1, c101) : default;
            }

            if (TRows.Value > 11)
            {
                var x = TSimd.Broadcast((T*)(a9 + (2 * aRow)));
                c110 = TSimd.MultiplyAdd(x, b0, c110);
                c111 = TVectors.Value > 1 ? TSimd.MultiplyAdd(x, b1, c111) : default;
            }

            a += aStep;
            a3 += aStep;
            a6 += aStep;
            a9 += aStep;
        }
        while (--count != 0);

        {
            var to = c + cRows[0];
            TSimd.Store(c00, to);
            if (TVectors.Value > 1)
            {
                TSimd.Store(c01, to + TSimd.Count);
            }
        }

        if (TRows.Value > 1)
        {
            var to = c + cRows[1];
            TSimd.Store(c10, to);
            if (TVectors.Value > 1)
            {
                TSimd.Store(c11, to + TSimd.Count);
            }
        }

        if (TRows.Value > 2)
        {
            var to = c + cRows[2];
            TSimd.Store(c20, to);
            if (TVectors.Value > 1)
            {
                TSimd.Store(c21, to + TSimd.Count);
            }
        }

        if (TRows.Value > 3)
        {
            var to = c + cRows[3];
            TSimd.Store(c30, to);
            if (TVectors.Value > 1)
            {
                TSimd.Store(c31, to + TSimd.Count);
            }
        }

        if (TRows.Value > 4)
        {
            var to = c + cRows[4];
            TSimd.Store(c40, to);
            if (TVectors.Value > 1)
            {
                TSimd.Store(c41, to + TSimd.Count);
            }
        }

        if (TRows.Value > 5)
        {
            var to = c + cRows[5];
            TSimd.Store(c50, to);
            if (TVectors.Value > 1)
            {
                TSimd.Store(c51, to + TSimd.Count);
            }
        }

        if (TRows.Value > 6)
        {
            var to = c + cRows[6];
            TSimd.Store(c60, to);
            if (TVectors.Value > 1)
            {
                TSimd.Store(c61, to + TSimd.Count);
            }
        }

        if (TRows.Value > 7)
        {
            var to = c + cRows[7];
            TSimd.Store(c70, to);
            if (TVectors.Value > 1)
            {
                TSimd.Store(c71, to + TSimd.Count);
            }
        }

        if (TRows.Value > 8)
        {
            var to = c + cRows[8];
            TSimd.Store(c80, to);
            if (TVectors.Value > 1)
            {
                TSimd.Store(c81, to + TSimd.Count);
            }
        }

        if (TRows.Value > 9)
        {
            var to = c + cRows[9];
            TSimd.Store(c90, to);
            if (TVectors.Value > 1)
            {
                TSimd.Store(c91, to + TSimd.Count);
            }
        }

        if (TRows.Value > 10)
        {
            var to = c + cRows[10];
            TSimd.Store(c100, to);
            if (TVectors.Value > 1)
            {
                TSimd.Store(c101, to + TSimd.Count);
            }
        }

        if (TRows.Value > 11)
        {
            var to = c + cRows[11];
            TSimd.Store(c110, to);
            if (TVectors.Value > 1)
            {
                TSimd.Store(c111, to + TSimd.Count);
            }
        }

        if (--tiles != 0)
        {
            a0 += call->ATile;
            start += call->StartTile;
            startRows += call->StartRowsTile;
            c += call->CTile;
            cRows += call->CRowsTile;
            goto Tile;
        }
    }
}
