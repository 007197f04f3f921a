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

        var shown = new List<double>();
        Collect(tensor, 0, 0, shown);
        var pattern = Pattern(shown);
        var words = new Queue<string>();
        var width = 0;
        foreach (var value in shown)
        {
            var word = double.IsNaN(value) ? "NaN" : double.IsInfinity(value) ? value > 0 ? "∞" : "-∞" : value.ToString(pattern, CultureInfo.InvariantCulture);
            words.Enqueue(word);
            width = Math.Max(width, word.Length);
        }

        if (tensor.Rank == 0)
        {
            return text.Append(' ').Append(words.Dequeue()).ToString();
        }

        text.AppendLine();
        Write(tensor.Shape, 0, tensor.Length > Whole, text, words, width);
        return text.ToString();
    }

    // The values that are shown, in their order.
    private static void Collect<T>(Tensor<T> tensor, int dimension, int offset, List<double> shown)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (dimension == tensor.Rank)
        {
            shown.Add(Element.ToDouble(tensor.AsReadOnlySpan()[offset]));
            return;
        }

        var size = tensor.Shape[dimension];
        for (var i = 0; i < size; i++)
        {
            if (i == Edge && IsCut(tensor.Length > Whole, size))
            {
                i = size - Edge;
            }

            Collect(tensor, dimension + 1, (offset * size) + i, shown);
        }
    }

    private static void Write(Shape shape, int dimension, bool isLong, StringBuilder text, Queue<string> words, int width)
    {
        var innermost = dimension == shape.Rank - 1;
        var size = shape[dimension];
        text.Append('[');
        for (var i = 0; i < size; i++)
        {
            if (i > 0)
            {
                Separate();
            }

            if (i == Edge && IsCut(isLong, size))
            {
                text.Append('…');
                Separate();
                i = size - Edge;
            }

            if (innermost)
            {
                text.Append(words.Dequeue().PadLeft(width));
            }
            else
            {
                Write(shape, dimension + 1, isLong, text, words, width);
            }
        }

        text.Append(']');
        void Separate() => text.Append(',').Append(innermost ? " " : Environment.NewLine).Append(' ', innermost ? 0 : dimension + 1);
    }

    private static bool IsCut(bool isLong, int size) => isLong && size > 2 * Edge;

    // One way to write all values: whole numbers, four decimals, or powers of ten where the range is wide.
    private static string Pattern(List<double> values)
    {
        var (isWhole, largest, smallest) = (true, 0.0, double.PositiveInfinity);
        foreach (var value in values)
        {
            var size = Math.Abs(value);
            if (double.IsFinite(size))
            {
                isWhole &= size < 1e6 && size == Math.Round(size);
                largest = Math.Max(largest, size);
                smallest = size > 0 ? Math.Min(smallest, size) : smallest;
            }
        }

        return isWhole ? "0" : largest >= 1e6 || largest < 1e-3 || largest / smallest > 1e8 ? "0.0000e+00" : "0.0000";
    }
}
