using System.Numerics;
using System.Numerics.Tensors;
using MathNet.Numerics.LinearAlgebra;

namespace Rnn.Tensors;

/// <summary>Conversions from and to tensor spans of System.Numerics.Tensors and matrices and vectors of MathNet.</summary>
public static class TensorInterop
{
    extension<T>(Tensor<T>)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        /// <summary>A copy of a tensor span of System.Numerics.Tensors, strided or not.</summary>
        /// <param name="values">The elements.</param>
        /// <exception cref="ArgumentException">There are more than <see cref="Array.MaxLength"/> elements.</exception>
        public static Tensor<T> From(in ReadOnlyTensorSpan<T> values)
        {
            if (values.IsEmpty)
            {
                return Tensor<T>.Zeros(0);
            }

            Span<int> dimensions = stackalloc int[values.Rank];
            for (var i = 0; i < dimensions.Length; i++)
            {
                dimensions[i] = values.Lengths[i] <= Array.MaxLength
                    ? (int)values.Lengths[i]
                    : throw new ArgumentException($"values: dimension {i} has {values.Lengths[i]} elements; the limit of a tensor is {Array.MaxLength}.", nameof(values));
            }

            var tensor = Tensor<T>.Uninitialized(new Shape(dimensions));
            values.FlattenTo(tensor.AsSpan());
            return tensor;
        }

        /// <summary>A copy of a MathNet matrix, [rows, columns].</summary>
        /// <param name="values">The matrix.</param>
        public static Tensor<T> From(Matrix<T> values)
        {
            ArgumentNullException.ThrowIfNull(values);
            return Tensor<T>.From(values.ToRowMajorArray(), values.RowCount, values.ColumnCount);
        }

        /// <summary>A copy of a MathNet vector.</summary>
        /// <param name="values">The vector.</param>
        public static Tensor<T> From(MathNet.Numerics.LinearAlgebra.Vector<T> values)
        {
            ArgumentNullException.ThrowIfNull(values);
            return Tensor<T>.From(values.ToArray());
        }
    }

    /// <summary>The same memory as a span of System.Numerics.Tensors, to read; to write see <see cref="TensorEdit{T}.TensorSpan"/>.</summary>
    /// <remarks>Spans know no scalars and no empty dimensions: a scalar becomes [1], an empty tensor the empty span.</remarks>
    /// <param name="tensor">The tensor.</param>
    public static ReadOnlyTensorSpan<T> AsReadOnlyTensorSpan<T>(this Tensor<T> tensor)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return tensor.Length == 0 ? default : new(tensor.AsReadOnlySpan(), Lengths(tensor.Shape));
    }

    /// <summary>A copy as a MathNet matrix.</summary>
    /// <param name="tensor">The tensor [rows, columns].</param>
    /// <exception cref="InvalidOperationException">The tensor is not a matrix.</exception>
    public static Matrix<T> ToMatrix<T>(this Tensor<T> tensor)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return tensor.Rank == 2
            ? Matrix<T>.Build.DenseOfRowMajor(tensor.Shape[0], tensor.Shape[1], tensor.ToArray())
            : throw new InvalidOperationException($"ToMatrix: expected [rows, columns] but this tensor is {tensor.Shape}.");
    }

    /// <summary>A copy as a MathNet vector.</summary>
    /// <param name="tensor">The tensor, of one dimension.</param>
    /// <exception cref="InvalidOperationException">The tensor is not a vector.</exception>
    public static MathNet.Numerics.LinearAlgebra.Vector<T> ToVector<T>(this Tensor<T> tensor)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return tensor.Rank == 1
            ? MathNet.Numerics.LinearAlgebra.Vector<T>.Build.Dense(tensor.ToArray())
            : throw new InvalidOperationException($"ToVector: expected one dimension but this tensor is {tensor.Shape}.");
    }

    /// <summary>The dimensions as spans of System.Numerics.Tensors want them.</summary>
    internal static nint[] Lengths(Shape shape)
    {
        if (shape.Rank == 0)
        {
            return [1];
        }

        var lengths = new nint[shape.Rank];
        for (var i = 0; i < lengths.Length; i++)
        {
            lengths[i] = shape[i];
        }

        return lengths;
    }
}
