namespace Rnn.Kernels;

/// <summary>Packing of compressed weights: panels of two vectors of columns as <see cref="PanelLayout{TSimd, TVector, T}"/> has them, with two columns a vector apart in each lane of 32 bits.</summary>
/// <remarks>
/// bfloat16: [panel][k][lane], the nearer column in the lower 16 bits. 8 bits: the scale of each column, from the next cache line on [panel][k / 2][lane], in each 16 bits of a lane one k: the
/// nearer column + 128 in the lower byte, the farther in the upper. What a panel lacks is zero.
/// </remarks>
internal static unsafe class CompressedPacking
{
    /// <summary>Elements of single precision that the packed form takes.</summary>
    internal static nint Length(PackedFormat format, int inner, int outputs, int width) =>
        Scales(format, outputs, width) + (Panel(format, inner, width) * PanelCount(outputs, width)) + CacheLine<float>.Length;

    /// <summary>Elements of single precision that the scales take.</summary>
    internal static nint Scales(PackedFormat format, int outputs, int width) =>
        format == PackedFormat.Int8 ? CacheLine<float>.RoundUp((nint)PanelCount(outputs, width) * width) : 0;

    /// <summary>Elements of single precision that a panel takes.</summary>
    internal static nint Panel(PackedFormat format, int inner, int width) => (format == PackedFormat.Int8 ? (inner + 1) / 2 : (nint)inner) * (width / 2);

    /// <summary>Packs some panels of a matrix whose rows are the outputs.</summary>
    internal static void Pack(PackedFormat format, float* source, nint stride, int inner, int outputs, float* packed, int firstPanel, int endPanel, int width)
    {
        packed = CacheLine<float>.Align(packed);
        var panels = packed + Scales(format, outputs, width);
        for (var panel = firstPanel; panel < endPanel; panel++)
        {
            var column = panel * width;
            var to = panels + (panel * Panel(format, inner, width));
            var from = source + (column * stride);
            var columns = Math.Min(width, outputs - column);
            new Span<float>(to, checked((int)Panel(format, inner, width))).Clear();
            if (format == PackedFormat.BFloat16)
            {
                PackBFloat16(from, stride, inner, columns, (ushort*)to, width);
            }
            else
            {
                PackInt8(from, stride, inner, columns, packed + column, (byte*)to, width);
            }
        }
    }

    private static int PanelCount(int outputs, int width) => (outputs + width - 1) / width;

    private static void PackBFloat16(float* source, nint stride, int inner, int columns, ushort* to, int width)
    {
        var lanes = width / 2;
        for (var column = 0; column < columns; column++)
        {
            var row = source + (column * stride);
            var place = to + (column < lanes ? 2 * column : (2 * (column - lanes)) + 1);
            for (var k = 0; k < inner; k++)
            {
                place[(nint)k * width] = WeightRounding.ToBFloat16(row[k]);
            }
        }
    }

    private static void PackInt8(float* source, nint stride, int inner, int columns, float* scales, byte* to, int width)
    {
        var lanes = width / 2;
        for (var column = 0; column < width; column++)
        {
            var isNear = column < lanes;
            var row = source + (column * stride);
            var scale = column < columns ? WeightRounding.Scale(new(row, inner)) : 0;
            scales[column] = scale;
            var place = to + (isNear ? 4 * column : (4 * (column - lanes)) + 1);
            for (var k = 0; k < (inner + 1) / 2 * 2; k++)
            {
                var value = column < columns && k < inner ? WeightRounding.ToInt8(row[k], scale) : 0;
                place[((nint)(k / 2) * 2 * width) + (2 * (k % 2))] = (byte)(isNear ? value + 128 : value);
            }
        }
    }
}
