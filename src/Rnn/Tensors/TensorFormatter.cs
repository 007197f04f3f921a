using System.Globalization;
using System.Numerics;
using System.Text;

namespace Rnn.Tensors;

/// <summary>Writes tensors for people to read.</summary>
internal static class TensorFormatter
{
    // A dimension longer than this is shown by its first and last few elements, once the tensor is long.
    private const int Whole = 1000;
    private const int Edge = 3;

    /// <summary>Shape, element type and values.</summary>
    internal static string Format<T>(Tensor<T> tensor)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var text = new StringBuilder();
        text.Append("Tensor<").Append(typeof(T) == typeof(float) ? "float" : typeof(T) == typeof(double) ? "double" : typeof(T).Name).Append("> ").Append(tensor.Shape);
        if (tensor.Length == 0)
        {
            return text.Append(" (empty)").ToString();
        }

        var elide = tensor.Length > Whole;
        var shown = new List<T>();
        Visit(tensor, 0, 0, elide, shown.Add);
        var style = Style.For(shown);
        if (tensor.Rank == 0)
        {
            return text.Append(' ').Append(style.Format(shown[0])).ToString();
        }

        text.AppendLine();
        var width = shown.Max(value => style.Format(value).Length);
        Write(tensor, 0, 0, elide, text, value => style.Format(value).PadLeft(width));
        return text.ToString();
    }

    private static void Visit<T>(Tensor<T> tensor, int dimension, int offset, bool elide, Action<T> show)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (dimension == tensor.Rank)
        {
            show(tensor.AsReadOnlySpan()[offset]);
            return;
        }

        var size = tensor.Shape[dimension];
        for (var i = 0; i < size; i++)
        {
            if (elide && size > 2 * Edge && i == Edge)
            {
                i = size - Edge;
            }

            Visit(tensor, dimension + 1, (offset * size) + i, elide, show);
        }
    }

    private static void Write<T>(Tensor<T> tensor, int dimension, int offset, bool elide, StringBuilder text, Func<T, string> format)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var innermost = dimension == tensor.Rank - 1;
        var size = tensor.Shape[dimension];
        text.Append('[');
        for (var i = 0; i < size; i++)
        {
            if (i > 0)
            {
                text.Append(',').Append(innermost ? " " : Environment.NewLine).Append(' ', innermost ? 0 : dimension + 1);
            }

            if (elide && size > 2 * Edge && i == Edge)
            {
                text.Append('…').Append(',').Append(innermost ? " " : Environment.NewLine).Append(' ', innermost ? 0 : dimension + 1);
                i = size - Edge;
            }

            if (innermost)
            {
                text.Append(format(tensor.AsReadOnlySpan()[(offset * size) + i]));
            }
            else
            {
                Write(tensor, dimension + 1, (offset * size) + i, elide, text, format);
            }
        }

        text.Append(']');
    }

    /// <summary>One way to write all values of a tensor: whole numbers, four decimals, or powers of ten where the range is wide.</summary>
    private sealed record Style(string Pattern)
    {
        internal static Style For<T>(IEnumerable<T> values)
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            var finite = values.Where(T.IsFinite).Select(value => Math.Abs(double.CreateTruncating(value))).ToArray();
            if (finite.All(value => value < 1e6 && value == Math.Round(value)))
            {
                return new("0");
            }

            var largest = finite.Max();
            var smallest = finite.Where(value => value > 0).Min();
            return new(largest >= 1e6 || largest < 1e-3 || largest / smallest > 1e8 ? "0.0000e+00" : "0.0000");
        }

        internal string Format<T>(T value)
            where T : unmanaged, IFloatingPointIeee754<T> => T.IsFinite(value)
            ? value.ToString(Pattern, CultureInfo.InvariantCulture)
            : T.IsNaN(value) ? "NaN" : T.IsPositive(value) ? "∞" : "-∞";
    }
}
