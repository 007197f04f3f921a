using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Rnn.Kernels;

/// <summary>Packs the columns of a matrix as tiles of few of them, [tile][k][row of the tile]: the left factor of a product with Aᵀ.</summary>
internal static unsafe class TilePacking<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int Ahead = 16;

    /// <summary>Tiles that lie beside each other.</summary>
    /// <param name="source">Row k holds what the tiles have at k, one tile after the other.</param>
    /// <param name="inner">The rows of the source.</param>
    /// <param name="tiles">How many tiles.</param>
    /// <param name="rows">The rows of each tile, which are columns of the source.</param>
    /// <param name="to">Memory of inner · tiles · rows elements.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal static void Pack(Rows<T> source, int inner, int tiles, int rows, T* to)
    {
        var (bytes, next) = (rows * sizeof(T), (nint)inner * rows * sizeof(T));
        var width = tiles * bytes;
        for (var k = 0; k < inner; k++)
        {
            // The hardware prefetcher does not follow rows that lie a page apart.
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
            var place = (byte*)(to + ((nint)k * rows));
            for (var tile = 0; tile < tiles; tile++)
            {
                Copy(from, place, bytes);
                from += bytes;
                place += next;
            }
        }
    }

    /// <summary>A few elements without a call: whole vectors, the last of which overlaps what is there already.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy(byte* from, byte* to, int bytes)
    {
        if (bytes >= Vector128<byte>.Count)
        {
            var last = bytes - Vector128<byte>.Count;
            for (var at = 0; at < last; at += Vector128<byte>.Count)
            {
                Vector128.Load(from + at).Store(to + at);
            }

            Vector128.Load(from + last).Store(to + last);
        }
        else if (bytes >= sizeof(ulong))
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
