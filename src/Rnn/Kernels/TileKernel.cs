using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <summary>The micro-kernel of many rows: a tile of up to 12 rows by one panel whose sums stay in registers.</summary>
internal static unsafe partial class TileKernel<TSimd, TVector, T>
    where TSimd : struct, ITileRegisters<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Steps of k in one turn of the loop where distances are constants: what is not a product, addresses, count and prefetch, is then done once for all of them.</summary>
    private const int Turn = 4;

    /// <summary>
    /// Computes tiles one after the other. Every accumulator is a local of its own: the JIT keeps locals in
    /// registers, never arrays, and leaves out what lies beyond <typeparamref name="TRows"/> and <typeparamref name="TVectors"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Run<TRows, TVectors, TForm>(TileCall<T>* call)
        where TRows : struct, ICount
        where TVectors : struct, ICount
        where TForm : struct, ITileForm
    {
        var a0 = call->A;
        var aRow = call->ARow;
        var aStep = TForm.IsPacked ? TRows.Value * sizeof(T) : TForm.IsInPlace ? sizeof(T) : call->AStep;
        var bStep = TForm.IsPacked || TForm.IsInPlace ? 2 * TSimd.Count : call->BStep;
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
        Begin<TVectors>(start + startRows[0], out c00, out c01);

        if (TRows.Value > 1)
        {
            Begin<TVectors>(start + startRows[1], out c10, out c11);
        }

        if (TRows.Value > 2)
        {
            Begin<TVectors>(start + startRows[2], out c20, out c21);
        }

        if (TRows.Value > 3)
        {
            Begin<TVectors>(start + startRows[3], out c30, out c31);
        }

        if (TRows.Value > 4)
        {
            Begin<TVectors>(start + startRows[4], out c40, out c41);
        }

        if (TRows.Value > 5)
        {
            Begin<TVectors>(start + startRows[5], out c50, out c51);
        }

        if (TRows.Value > 6)
        {
            Begin<TVectors>(start + startRows[6], out c60, out c61);
        }

        if (TRows.Value > 7)
        {
            Begin<TVectors>(start + startRows[7], out c70, out c71);
        }

        if (TRows.Value > 8)
        {
            Begin<TVectors>(start + startRows[8], out c80, out c81);
        }

        if (TRows.Value > 9)
        {
            Begin<TVectors>(start + startRows[9], out c90, out c91);
        }

        if (TRows.Value > 10)
        {
            Begin<TVectors>(start + startRows[10], out c100, out c101);
        }

        if (TRows.Value > 11)
        {
            Begin<TVectors>(start + startRows[11], out c110, out c111);
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
        if (TForm.IsPacked || TForm.IsInPlace)
        {
            for (; count >= Turn; count -= Turn)
            {
                Step<TRows, TVectors, TForm>(0, a, a3, a6, a9, aRow, b,
                    ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51,
                    ref c60, ref c61, ref c70, ref c71, ref c80, ref c81, ref c90, ref c91, ref c100, ref c101, ref c110, ref c111);
                Step<TRows, TVectors, TForm>(1, a, a3, a6, a9, aRow, b,
                    ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51,
                    ref c60, ref c61, ref c70, ref c71, ref c80, ref c81, ref c90, ref c91, ref c100, ref c101, ref c110, ref c111);
                Step<TRows, TVectors, TForm>(2, a, a3, a6, a9, aRow, b,
                    ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51,
                    ref c60, ref c61, ref c70, ref c71, ref c80, ref c81, ref c90, ref c91, ref c100, ref c101, ref c110, ref c111);
                Step<TRows, TVectors, TForm>(3, a, a3, a6, a9, aRow, b,
                    ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51,
                    ref c60, ref c61, ref c70, ref c71, ref c80, ref c81, ref c90, ref c91, ref c100, ref c101, ref c110, ref c111);
                b += Turn * bStep;
                a += Turn * aStep;
                a3 += Turn * aStep;
                a6 += Turn * aStep;
                a9 += Turn * aStep;
                Prefetch.ToSecond(prefetch);
                if (2 * TSimd.Count * sizeof(T) >= Prefetch.Line)
                {
                    Prefetch.ToSecond(prefetch + (2 * prefetchStep));
                }

                if (2 * TSimd.Count * sizeof(T) > Prefetch.Line)
                {
                    Prefetch.ToSecond(prefetch + prefetchStep);
                    Prefetch.ToSecond(prefetch + (3 * prefetchStep));
                }

                prefetch += Turn * prefetchStep;
            }
        }

        for (; count != 0; count--)
        {
            Step<TRows, TVectors, TForm>(0, a, a3, a6, a9, aRow, b,
                ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51,
                ref c60, ref c61, ref c70, ref c71, ref c80, ref c81, ref c90, ref c91, ref c100, ref c101, ref c110, ref c111);
            Prefetch.ToSecond(prefetch);
            prefetch += prefetchStep;
            b += bStep;
            a += aStep;
            a3 += aStep;
            a6 += aStep;
            a9 += aStep;
        }

        End<TVectors>(c + cRows[0], c00, c01);

        if (TRows.Value > 1)
        {
            End<TVectors>(c + cRows[1], c10, c11);
        }

        if (TRows.Value > 2)
        {
            End<TVectors>(c + cRows[2], c20, c21);
        }

        if (TRows.Value > 3)
        {
            End<TVectors>(c + cRows[3], c30, c31);
        }

        if (TRows.Value > 4)
        {
            End<TVectors>(c + cRows[4], c40, c41);
        }

        if (TRows.Value > 5)
        {
            End<TVectors>(c + cRows[5], c50, c51);
        }

        if (TRows.Value > 6)
        {
            End<TVectors>(c + cRows[6], c60, c61);
        }

        if (TRows.Value > 7)
        {
            End<TVectors>(c + cRows[7], c70, c71);
        }

        if (TRows.Value > 8)
        {
            End<TVectors>(c + cRows[8], c80, c81);
        }

        if (TRows.Value > 9)
        {
            End<TVectors>(c + cRows[9], c90, c91);
        }

        if (TRows.Value > 10)
        {
            End<TVectors>(c + cRows[10], c100, c101);
        }

        if (TRows.Value > 11)
        {
            End<TVectors>(c + cRows[11], c110, c111);
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

    /// <summary>The products of one k with all rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step<TRows, TVectors, TForm>(
        int k, byte* a, byte* a3, byte* a6, byte* a9, nint aRow, T* b,
        ref TVector c00, ref TVector c01, ref TVector c10, ref TVector c11, ref TVector c20, ref TVector c21,
        ref TVector c30, ref TVector c31, ref TVector c40, ref TVector c41, ref TVector c50, ref TVector c51,
        ref TVector c60, ref TVector c61, ref TVector c70, ref TVector c71, ref TVector c80, ref TVector c81,
        ref TVector c90, ref TVector c91, ref TVector c100, ref TVector c101, ref TVector c110, ref TVector c111)
        where TRows : struct, ICount
        where TVectors : struct, ICount
        where TForm : struct, ITileForm
    {
        var b0 = TSimd.Load(b + (k * 2 * TSimd.Count));
        var b1 = TVectors.Value > 1 ? TSimd.Load(b + (k * 2 * TSimd.Count) + TSimd.Count) : default;
        Add<TVectors>(TForm.IsPacked ? a + (((k * TRows.Value) + 0) * sizeof(T)) : a + (k * sizeof(T)), b0, b1, ref c00, ref c01);

        if (TRows.Value > 1)
        {
            Add<TVectors>(TForm.IsPacked ? a + (((k * TRows.Value) + 1) * sizeof(T)) : a + aRow + (k * sizeof(T)), b0, b1, ref c10, ref c11);
        }

        if (TRows.Value > 2)
        {
            Add<TVectors>(TForm.IsPacked ? a + (((k * TRows.Value) + 2) * sizeof(T)) : a + (2 * aRow) + (k * sizeof(T)), b0, b1, ref c20, ref c21);
        }

        if (TRows.Value > 3)
        {
            Add<TVectors>(TForm.IsPacked ? a + (((k * TRows.Value) + 3) * sizeof(T)) : a3 + (k * sizeof(T)), b0, b1, ref c30, ref c31);
        }

        if (TRows.Value > 4)
        {
            Add<TVectors>(TForm.IsPacked ? a + (((k * TRows.Value) + 4) * sizeof(T)) : a3 + aRow + (k * sizeof(T)), b0, b1, ref c40, ref c41);
        }

        if (TRows.Value > 5)
        {
            Add<TVectors>(TForm.IsPacked ? a + (((k * TRows.Value) + 5) * sizeof(T)) : a3 + (2 * aRow) + (k * sizeof(T)), b0, b1, ref c50, ref c51);
        }

        if (TRows.Value > 6)
        {
            Add<TVectors>(TForm.IsPacked ? a + (((k * TRows.Value) + 6) * sizeof(T)) : a6 + (k * sizeof(T)), b0, b1, ref c60, ref c61);
        }

        if (TRows.Value > 7)
        {
            Add<TVectors>(TForm.IsPacked ? a + (((k * TRows.Value) + 7) * sizeof(T)) : a6 + aRow + (k * sizeof(T)), b0, b1, ref c70, ref c71);
        }

        if (TRows.Value > 8)
        {
            Add<TVectors>(TForm.IsPacked ? a + (((k * TRows.Value) + 8) * sizeof(T)) : a6 + (2 * aRow) + (k * sizeof(T)), b0, b1, ref c80, ref c81);
        }

        if (TRows.Value > 9)
        {
            Add<TVectors>(TForm.IsPacked ? a + (((k * TRows.Value) + 9) * sizeof(T)) : a9 + (k * sizeof(T)), b0, b1, ref c90, ref c91);
        }

        if (TRows.Value > 10)
        {
            Add<TVectors>(TForm.IsPacked ? a + (((k * TRows.Value) + 10) * sizeof(T)) : a9 + aRow + (k * sizeof(T)), b0, b1, ref c100, ref c101);
        }

        if (TRows.Value > 11)
        {
            Add<TVectors>(TForm.IsPacked ? a + (((k * TRows.Value) + 11) * sizeof(T)) : a9 + (2 * aRow) + (k * sizeof(T)), b0, b1, ref c110, ref c111);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TVectors>(byte* a, TVector b0, TVector b1, ref TVector c0, ref TVector c1)
        where TVectors : struct, ICount
    {
        var x = TSimd.Broadcast((T*)a);
        c0 = TSimd.MultiplyAdd(x, b0, c0);
        if (TVectors.Value > 1)
        {
            c1 = TSimd.MultiplyAdd(x, b1, c1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Begin<TVectors>(T* from, out TVector c0, out TVector c1)
        where TVectors : struct, ICount
    {
        c0 = TSimd.Load(from);
        c1 = TVectors.Value > 1 ? TSimd.Load(from + TSimd.Count) : default;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void End<TVectors>(T* to, TVector c0, TVector c1)
        where TVectors : struct, ICount
    {
        TSimd.Store(c0, to);
        if (TVectors.Value > 1)
        {
            TSimd.Store(c1, to + TSimd.Count);
        }
    }
}
