using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <content>Packing.</content>
internal sealed unsafe partial class PanelKernels<TSimd, TVector, T>
    where TSimd : struct, ITileRegisters<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <inheritdoc/>
    public override void Pack(T* source, nint sourceStride, bool transposed, int inner, int outputs, T* packed, int firstPanel, int endPanel)
    {
        if (inner <= 0 || firstPanel >= endPanel)
        {
            return;
        }

        packed = Align(packed) + ((nint)firstPanel * inner * Width);
        var column = firstPanel * Width;
        if (transposed)
        {
            PackPanels(new Rows<T>(source + column, sourceStride), inner, outputs - column, endPanel - firstPanel, packed);
            return;
        }

        for (var panel = firstPanel; panel < endPanel; panel++)
        {
            var columns = Math.Min(Width, outputs - column);
            BlockTranspose.Run(source + (column * sourceStride), sourceStride, columns, inner, packed, Width);
            if (columns < Width)
            {
                ClearColumns(packed, inner, columns);
            }

            packed += (nint)inner * Width;
            column += Width;
        }
    }

    private const int PanelsAtOncePacked = 4;

    /// <summary>Panels from a source whose rows are k: [panel][k][two vectors].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void PackPanels(Rows<T> source, int inner, int columns, int panels, T* to)
    {
        var full = Math.Min(panels, columns / Width);
        var panelLength = (nint)inner * Width;
        for (var panel = 0; panel < full; panel += PanelsAtOncePacked)
        {
            // Row after row as the source lies in memory, but few panels: they may lie a power of two apart.
            var panelsAtOnce = Math.Min(PanelsAtOncePacked, full - panel);
            for (var k = 0; k < inner; k++)
            {
                var from = source[k] + (panel * Width);
                var place = to + (panel * panelLength) + (k * Width);
                var left = panelsAtOnce;
                do
                {
                    TSimd.Store(TSimd.Load(from), place);
                    TSimd.Store(TSimd.Load(from + TSimd.Count), place + TSimd.Count);
                    from += Width;
                    place += panelLength;
                }
                while (--left != 0);
            }
        }

        if (full < panels)
        {
            PackPartialPanel(source.SkipColumns(full * Width), inner, columns - (full * Width), to + (full * panelLength));
        }
    }

    private static void PackPartialPanel(Rows<T> source, int inner, int columns, T* to)
    {
        for (var k = 0; k < inner; k++)
        {
            CopyRow(source[k], to + (k * Width), columns);
        }

        ClearColumns(to, inner, columns);
    }

    /// <summary>The padding of a panel that has fewer columns than its width.</summary>
    private static void ClearColumns(T* to, int inner, int columns)
    {
        for (var k = 0; k < inner; k++)
        {
            for (var j = columns; j < Width; j++)
            {
                to[j] = T.Zero;
            }

            to += Width;
        }
    }
}
