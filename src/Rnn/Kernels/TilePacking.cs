using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Rnn.Kernels;

/// <summary>Packs the columns of a matrix as tiles of few of them, [tile][k][row of the tile]: the left factor of a product with Aᵀ.</summary>
internal static unsafe class TilePacking<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // The hardware prefetcher does not follow rows that lie a page apart.
    private const int Ahead = 16;

    /// <summary>Elements from one packed tile to the next: an odd number of lines, so that tiles do not meet in the same sets of the first-level cache.</summary>
    internal static nint Distance(int inner, int rows) => CacheLine<T>.OddStride(inner * rows);

    /// <summary>Tiles that lie beside each other.</summary>
    /// <param name="source">Row k holds what the tiles have at k, one tile after the other.</param>
    /// <param name="inner">The rows of the source.</param>
    /// <param name="tiles">How many tiles.</param>
    /// <param name="rows">The rows of each tile, which are columns of the source.</param>
    /// <param name="to">Memory of <see cref="Distance"/> elements for each tile.</param>
    internal static void Pack(Rows<T> source, int inner, int tiles, int rows, T* to)
    {
        switch (tiles > 0 ? rows : 0)
        {
            case 1: Pack<N1>(source, inner, tiles, to); break;
            case 2: Pack<N2>(source, inner, tiles, to); break;
            case 3: Pack<N3>(source, inner, tiles, to); break;
            case 4: Pack<N4>(source, inner, tiles, to); break;
            case 5: Pack<N5>(source, inner, tiles, to); break;
            case 6: Pack<N6>(source, inner, tiles, to); break;
            case 7: Pack<N7>(source, inner, tiles, to); break;
            case 8: Pack<N8>(source, inner, tiles, to); break;
            case 9: Pack<N9>(source, inner, tiles, to); break;
            case 10: Pack<N10>(source, inner, tiles, to); break;
            case 11: Pack<N11>(source, inner, tiles, to); break;
            case 12: Pack<N12>(source, inner, tiles, to); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Pack<TRows>(Rows<T> source, int inner, int tiles, T* to)
        where TRows : struct, ICount
    {
        var bytes = TRows.Value * sizeof(T);
        var next = Distance(inner, TRows.Value) * sizeof(T);
        var width = tiles * bytes;
        for (var k = 0; k < inner; k++)
        {
            if (k + Ahead < inner)
            {
                var ahead = (byte*)source[k + Ahead];
                for (var at = 0; at < width; at += CacheLine<T>.Bytes)
                {
                    Prefetch.ToFirst(ahead + at);
                }

                Prefetch.ToFirst(ahead + width - 1);
            }

            var from = (byte*)source[k];
            var place = (byte*)(to + ((nint)k * TRows.Value));
            var left = tiles;
            do
            {
                Copy<TRows>(from, place);
                from += bytes;
                place += next;
            }
            while (--left != 0);
        }
    }

    // All sizes are constants to the JIT.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy<TRows>(byte* from, byte* to)
        where TRows : struct, ICount
    {
        var bytes = TRows.Value * sizeof(T);
        if (bytes < Vector128<byte>.Count)
        {
            CopyShort(from, to, bytes);
            return;
        }

        Vector128.Load(from).Store(to);
        if (bytes >= 32)
        {
            Vector128.Load(from + 16).Store(to + 16);
        }

        if (bytes >= 48)
        {
            Vector128.Load(from + 32).Store(to + 32);
        }

        if (bytes >= 64)
        {
            Vector128.Load(from + 48).Store(to + 48);
        }

        if (bytes >= 80)
        {
            Vector128.Load(from + 64).Store(to + 64);
        }

        if (bytes >= 96)
        {
            Vector128.Load(from + 80).Store(to + 80);
        }

        // The last vector overlaps what is there already.
        if (bytes % 16 != 0)
        {
            Vector128.Load(from + bytes - 16).Store(to + bytes - 16);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyShort(byte* from, byte* to, int bytes)
    {
        if (bytes >= sizeof(ulong))
        {
            Unsafe.WriteUnaligned(to, Unsafe.ReadUnaligned<ulong>(from));
            Unsafe.WriteUnaligned(to + bytes - sizeof(ulong), Unsafe.ReadUnaligned<ulong>(from + bytes - sizeof(ulong)));
        }
        else
        {
            Unsafe.WriteUnaligned(to, Unsafe.ReadUnaligned<float>(from));
        }
    }
}
