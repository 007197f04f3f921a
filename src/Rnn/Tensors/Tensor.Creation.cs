using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Rnn.Tensors;

public sealed partial class Tensor<T>
{
    /// <summary>A tensor of zeros: <c>Tensor&lt;float&gt;.Zeros(32, 40)</c>.</summary>
    /// <param name="shape">The dimensions; none for a scalar.</param>
    public static Tensor<T> Zeros(params Shape shape) => new(TensorScope.Allocate<T>(shape.ElementCount, zero: true), shape);

    /// <summary>A tensor of ones.</summary>
    /// <param name="shape">The dimensions; none for a scalar.</param>
    public static Tensor<T> Ones(params Shape shape) => Full(T.One, shape);

    /// <summary>A tensor with the same value everywhere.</summary>
    /// <param name="value">The value.</param>
    /// <param name="shape">The dimensions; none for a scalar.</param>
    public static Tensor<T> Full(T value, params Shape shape)
    {
        var tensor = Uninitialized(shape);
        tensor.AsSpan().Fill(value);
        return tensor;
    }

    /// <summary>A tensor of no dimensions with one element.</summary>
    /// <param name="value">The element.</param>
    public static Tensor<T> Scalar(T value) => Full(value);

    /// <summary>The identity matrix.</summary>
    /// <param name="size">The number of rows and columns.</param>
    public static Tensor<T> Identity(int size)
    {
        var tensor = Zeros(size, size);
        var span = tensor.AsSpan();
        for (var i = 0; i < size; i++)
        {
            span[(i * size) + i] = T.One;
        }

        return tensor;
    }

    /// <summary>The vector 0, 1, 2, …, <paramref name="count"/> − 1.</summary>
    /// <param name="count">The number of elements.</param>
    public static Tensor<T> Arange(int count) => Arange(T.Zero, count, T.One);

    /// <summary>The vector start, start + step, start + 2·step, ….</summary>
    /// <param name="start">The first element.</param>
    /// <param name="count">The number of elements.</param>
    /// <param name="step">The difference of two neighbours.</param>
    public static Tensor<T> Arange(T start, int count, T step)
    {
        var tensor = Uninitialized([count]);
        var span = tensor.AsSpan();
        for (var i = 0; i < count; i++)
        {
            span[i] = start + (step * Element.From<T>(i));
        }

        return tensor;
    }

    /// <summary>Numbers drawn evenly from [<paramref name="low"/>, <paramref name="high"/>).</summary>
    /// <param name="random">The source of the numbers.</param>
    /// <param name="low">The lower end.</param>
    /// <param name="high">The upper end.</param>
    /// <param name="shape">The dimensions.</param>
    public static Tensor<T> RandomUniform(RandomSource random, double low, double high, params Shape shape)
    {
        ArgumentNullException.ThrowIfNull(random);
        var tensor = Uninitialized(shape);
        random.FillUniform(tensor.AsSpan(), low, high);
        return tensor;
    }

    /// <summary>Numbers drawn from the normal distribution.</summary>
    /// <param name="random">The source of the numbers.</param>
    /// <param name="mean">The mean.</param>
    /// <param name="standardDeviation">The standard deviation.</param>
    /// <param name="shape">The dimensions.</param>
    public static Tensor<T> RandomNormal(RandomSource random, double mean, double standardDeviation, params Shape shape)
    {
        ArgumentNullException.ThrowIfNull(random);
        var tensor = Uninitialized(shape);
        random.FillNormal(tensor.AsSpan(), mean, standardDeviation);
        return tensor;
    }

    /// <summary>A vector with a copy of the values.</summary>
    /// <param name="values">The elements.</param>
    public static Tensor<T> From(ReadOnlySpan<T> values) => From(values, [values.Length]);

    /// <summary>A tensor with a copy of the values, read in row-major order.</summary>
    /// <param name="values">The elements.</param>
    /// <param name="shape">The dimensions.</param>
    /// <exception cref="ArgumentException">The number of values is not the number of elements of the shape.</exception>
    public static Tensor<T> From(ReadOnlySpan<T> values, params Shape shape)
    {
        if (values.Length != shape.ElementCount)
        {
            throw new ArgumentException($"values: expected {shape.ElementCount} elements for the shape {shape} but got {values.Length}.", nameof(values));
        }

        var tensor = Uninitialized(shape);
        values.CopyTo(tensor.AsSpan());
        return tensor;
    }

    /// <summary>A matrix with a copy of the values.</summary>
    /// <param name="values">The elements, [rows, columns].</param>
    public static Tensor<T> From(T[,] values) => FromArray(values);

    /// <summary>A tensor of three dimensions with a copy of the values.</summary>
    /// <param name="values">The elements.</param>
    public static Tensor<T> From(T[,,] values) => FromArray(values);

    /// <summary>A matrix of the given rows.</summary>
    /// <param name="rows">The rows, all of one length.</param>
    /// <exception cref="ArgumentException">The rows differ in length.</exception>
    public static Tensor<T> FromRows(params ReadOnlySpan<T[]> rows)
    {
        var columns = rows.Length == 0 ? 0 : rows[0].Length;
        var tensor = Uninitialized([rows.Length, columns]);
        var span = tensor.AsSpan();
        for (var i = 0; i < rows.Length; i++)
        {
            if (rows[i].Length != columns)
            {
                throw new ArgumentException($"rows: expected {columns} elements in every row, as in the first, but row {i} has {rows[i].Length}.", nameof(rows));
            }

            rows[i].CopyTo(span[(i * columns)..]);
        }

        return tensor;
    }

    private static Tensor<T> FromArray(Array values)
    {
        ArgumentNullException.ThrowIfNull(values);
        var dimensions = new int[values.Rank];
        for (var i = 0; i < dimensions.Length; i++)
        {
            dimensions[i] = values.GetLength(i);
        }

        var tensor = Uninitialized(dimensions);
        if (values.Length > 0)
        {
            ref var first = ref Unsafe.As<byte, T>(ref MemoryMarshal.GetArrayDataReference(values));
            MemoryMarshal.CreateReadOnlySpan(ref first, values.Length).CopyTo(tensor.AsSpan());
        }

        return tensor;
    }
}
