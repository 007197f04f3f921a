using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Onnx.Export;

/// <summary>A matrix of weights on its way into the file: blocks of rows taken, put in another order, negated, transposed.</summary>
internal sealed class Matrix
{
    private readonly double[] _values;

    private Matrix(double[] values, int rows, int columns) => (_values, Rows, Columns) = (values, rows, columns);

    internal int Rows { get; }

    internal int Columns { get; }

    /// <summary>The rows of a tensor [rows, columns], or of a vector as one column.</summary>
    internal static Matrix Of<T>(Tensor<T> tensor)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        new(Array.ConvertAll(tensor.ToArray(), double.CreateTruncating), tensor.Shape[0], tensor.Length / Math.Max(1, tensor.Shape[0]));

    internal static Matrix Filled(int rows, int columns, double value)
    {
        var values = new double[rows * columns];
        Array.Fill(values, value);
        return new(values, rows, columns);
    }

    /// <summary>Matrices one upon another.</summary>
    internal static Matrix Stack(params ReadOnlySpan<Matrix> parts)
    {
        var values = new List<double>();
        foreach (var part in parts)
        {
            values.AddRange(part._values);
        }

        return new([.. values], values.Count / Math.Max(1, parts[0].Columns), parts[0].Columns);
    }

    internal Matrix Slice(int firstRow, int rows) => new(_values[(firstRow * Columns)..((firstRow + rows) * Columns)], rows, Columns);

    internal Matrix Negated() => new(Array.ConvertAll(_values, value => -value), Rows, Columns);

    internal Matrix SliceColumns(int first, int columns)
    {
        var values = new double[Rows * columns];
        for (var row = 0; row < Rows; row++)
        {
            _values.AsSpan((row * Columns) + first, columns).CopyTo(values.AsSpan(row * columns));
        }

        return new(values, Rows, columns);
    }

    internal Matrix Transposed()
    {
        var values = new double[_values.Length];
        for (var row = 0; row < Rows; row++)
        {
            for (var column = 0; column < Columns; column++)
            {
                values[(column * Rows) + row] = _values[(row * Columns) + column];
            }
        }

        return new(values, Columns, Rows);
    }

    /// <summary>Matrices of full width of block-diagonal ones that are stored without their zeros.</summary>
    /// <param name="width">The full width; this matrix is a head's.</param>
    /// <param name="height">The rows of each block-diagonal matrix, as many for each head; the matrices stand one upon another.</param>
    internal Matrix FromBlocks(int width, int height)
    {
        if (width == Columns)
        {
            return this;
        }

        var rowsOfHead = height / (width / Columns);
        var values = new double[Rows * width];
        for (var row = 0; row < Rows; row++)
        {
            var head = row % height / rowsOfHead;
            _values.AsSpan(row * Columns, Columns).CopyTo(values.AsSpan((row * width) + (head * Columns)));
        }

        return new(values, Rows, width);
    }

    /// <summary>Writes the matrix with a shape of its own, as a rule [rows, columns].</summary>
    internal OnnxGraphValue Write(OnnxGraph graph, string name, params ReadOnlySpan<long> shape) =>
        graph.Values<double>(_values, shape.IsEmpty ? [Rows, Columns] : shape.ToArray(), name);
}
