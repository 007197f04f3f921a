using System.Numerics.Tensors;
using MathNet.Numerics.LinearAlgebra;

namespace Rnn.Tensors;

public sealed partial class Tensor<T>
{
    /// <summary>A copy of a tensor span of System.Numerics.Tensors, strided or not.</summary>
    /// <param name="values">The elements.</param>
    /// <exception cref="ArgumentException">There are more than <see cref="Array.MaxLength"/> elements.</exception>
    public static Tensor<T> From(in ReadOnlyTensorSpan<T> values)
    {
        if (values.IsEmpty)
        {
            return Zeros(0);
        }

        Span<int> dimensions = stackalloc int[values.Rank];
        for (var i = 0; i < dimensions.Length; i++)
        {
            dimensions[i] = values.Lengths[i] <= Array.MaxLength
                ? (int)values.Lengths[i]
                : throw new ArgumentException($"values: dimension {i} has {values.Lengths[i]} elements; the limit of a tensor is {Array.MaxLength}.", nameof(values));
        }

        var tensor = Uninitialized(new Shape(dimensions));
        values.FlattenTo(tensor.AsSpan());
        return tensor;
    }

    /// <summary>A copy of a MathNet matrix, [rows, columns].</summary>
    /// <param name="values">The matrix.</param>
    public static Tensor<T> From(Matrix<T> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        return From(values.ToRowMajorArray(), values.RowCount, values.ColumnCount);
    }

    /// <summary>A copy of a MathNet vector.</summary>
    /// <param name="values">The vector.</param>
    public static Tensor<T> From(MathNet.Numerics.LinearAlgebra.Vector<T> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        return From(values.ToArray());
    }

    /// <summary>The same memory as a span of System.Numerics.Tensors, to read; to write see <see cref="TensorEdit{T}.TensorSpan"/>.</summary>
    /// <remarks>Spans know no scalars and no empty dimensions: a scalar becomes [1], an empty tensor the empty span.</remarks>
    public ReadOnlyTensorSpan<T> AsReadOnlyTensorSpan() => Length == 0 ? default : new(AsReadOnlySpan(), Lengths());

    /// <summary>A copy as a MathNet matrix.</summary>
    /// <exception cref="InvalidOperationException">The tensor is not a matrix.</exception>
    public Matrix<T> ToMatrix() => Rank == 2
        ? Matrix<T>.Build.DenseOfRowMajor(Shape[0], Shape[1], ToArray())
        : throw new InvalidOperationException($"ToMatrix: expected [rows, columns] but this tensor is {Shape}.");

    /// <summary>A copy as a MathNet vector.</summary>
    /// <exception cref="InvalidOperationException">The tensor is not a vector.</exception>
    public MathNet.Numerics.LinearAlgebra.Vector<T> ToVector() => Rank == 1
        ? MathNet.Numerics.LinearAlgebra.Vector<T>.Build.Dense(ToArray())
        : throw new InvalidOperationException($"ToVector: expected one dimension but this tensor is {Shape}.");

    /// <summary>The dimensions as spans of System.Numerics.Tensors want them.</summary>
    internal nint[] Lengths()
    {
        if (Rank == 0)
        {
            return [1];
        }

        var lengths = new nint[Rank];
        for (var i = 0; i < lengths.Length; i++)
        {
            lengths[i] = Shape[i];
        }

        return lengths;
    }
}
