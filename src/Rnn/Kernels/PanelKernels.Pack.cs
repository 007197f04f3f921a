using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <content>Packing.</content>
internal sealed unsafe partial class PanelKernels<TSimd, TVector, T>
    where TSimd : struct, IRegisters<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <inheritdoc/>
    public override void Pack(T* source, nint sourceStride, bool transposed, int inner, int outputs, T* packed, int firstPanel, int endPanel)
    {
        packed = Align(packed);
        var panels = PanelCount(outputs);
        var blockLength = BlockLength(inner);
        for (var k = 0; k < inner; k += blockLength)
        {
            var length = Math.Min(blockLength, inner - k);
            for (var panel = firstPanel; panel < endPanel; panel++)
            {
                var column = panel * Width;
                var columns = Math.Min(Width, outputs - column);
                var to = packed + ((nint)k * panels * Width) + ((nint)panel * length * Width);
                if (transposed)
                {
                    PackRows(new Rows<T>(source + (k * sourceStride) + column, sourceStride), length, columns, to);
                }
                else
                {
                    PackColumns(source + (column * sourceStride) + k, sourceStride, length, columns, to);
                }
            }
        }
    }

    /// <summary>One panel from a source whose rows are k.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackRows(Rows<T> source, int length, int columns, T* to)
    {
        if (columns == Width)
        {
            var k = 0;
            do
            {
                var from = source[k];
                TSimd.Store(TSimd.Load(from), to);
                TSimd.Store(TSimd.Load(from + TSimd.Count), to + TSimd.Count);
                to += Width;
            }
            while (++k != length);
            return;
        }

        for (var k = 0; k < length; k++)
        {
            CopyRow(source[k], to + (k * Width), columns);
            new Span<T>(to + (k * Width) + columns, Width - columns).Clear();
        }
    }

    /// <summary>One panel from a source whose rows are outputs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackColumns(T* source, nint stride, int length, int columns, T* to)
    {
        for (var k = 0; k < length; k++)
        {
            for (var j = 0; j < columns; j++)
            {
                to[j] = source[(j * stride) + k];
            }

            for (var j = columns; j < Width; j++)
            {
                to[j] = T.Zero;
            }

            to += Width;
        }
    }
}
