using System.Buffers;
using System.Numerics;
using Rnn.Autograd;
using Rnn.Kernels;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>Elements of a dimension by their indices: rows of a matrix for axis 0. Indices may repeat; their gradients add up.</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="axis">The dimension; negative ones count from the last.</param>
    /// <param name="indices">Which elements, in which order; copied.</param>
    /// <returns>The input's shape with the number of indices in place of the dimension.</returns>
    /// <exception cref="ArgumentException">An index is out of range.</exception>
    public static Tensor<T> IndexSelect<T>(this Tensor<T> input, int axis, ReadOnlySpan<int> indices)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        axis = input.Shape.Axis(axis, nameof(axis));
        Span<int> dimensions = stackalloc int[input.Rank];
        input.Shape.Dimensions.CopyTo(dimensions);
        dimensions[axis] = indices.Length;
        return SelectRows(input, AxisView.Of(input.Shape, axis), indices, new Shape(dimensions));
    }

    /// <summary>The rows of a table by their indices, as an embedding layer gives them. Indices may repeat; their gradients add up.</summary>
    /// <param name="table">The table [V, E].</param>
    /// <param name="indices">The rows to look up, from 0 to V − 1, in row-major order; copied.</param>
    /// <param name="shape">The shape of the indices, such as [N, T]; null for a vector.</param>
    /// <param name="paddingIndex">An index whose row gets no gradient, or null for none.</param>
    /// <returns>The shape of the indices followed by E.</returns>
    /// <exception cref="ArgumentException">The table is not a matrix, an index is out of range, or the shape does not fit the indices.</exception>
    public static Tensor<T> Embedding<T>(this Tensor<T> table, ReadOnlySpan<int> indices, Shape? shape = null, int? paddingIndex = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(table);
        if (table.Rank != 2)
        {
            throw new ArgumentException($"table: expected [rows, columns] but got {table.Shape}.", nameof(table));
        }

        var outer = shape ?? [indices.Length];
        if (outer.ElementCount != indices.Length)
        {
            throw new ArgumentException($"shape: expected a shape of {indices.Length} elements, one for each index, but got {outer}.", nameof(shape));
        }

        return SelectRows(table, AxisView.Of(table.Shape, 0), indices, [.. outer.Dimensions, table.Shape[1]], paddingIndex ?? -1);
    }

    private static Tensor<T> SelectRows<T>(Tensor<T> input, AxisView view, ReadOnlySpan<int> indices, Shape shape, int paddingIndex = -1)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (var index in indices)
        {
            if ((uint)index >= (uint)view.Size)
            {
                throw new ArgumentException($"indices: expected 0 to {view.Size - 1} for the shape {input.Shape} but got {index}.", nameof(indices));
            }
        }

        var output = Tensor<T>.Uninitialized(shape);
        var source = input.AsReadOnlySpan();
        var target = output.AsSpan();
        for (var i = 0; i < view.Outer; i++)
        {
            for (var j = 0; j < indices.Length; j++)
            {
                source.Slice(((i * view.Size) + indices[j]) * view.Inner, view.Inner).CopyTo(target[(((i * indices.Length) + j) * view.Inner)..]);
            }
        }

        return Graph.Records(input) ? new IndexSelectNode<T>(input, view, indices, paddingIndex).Attach(output) : output;
    }

    private sealed class IndexSelectNode<T> : GraphNode<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly AxisView _view;
        private readonly int _count;
        private readonly int _paddingIndex;
        private int[] _indices;

        public IndexSelectNode(Tensor<T> input, AxisView view, ReadOnlySpan<int> indices, int paddingIndex)
            : base([input])
        {
            _view = view;
            _count = indices.Length;
            _paddingIndex = paddingIndex;
            _indices = ArrayPool<int>.Shared.Rent(_count);
            indices.CopyTo(_indices);
        }

        private protected override bool ReadsInputs => false;

        internal override void Backward()
        {
            var source = OutputGradient();
            var target = InputGradient(0);
            for (var i = 0; i < _view.Outer; i++)
            {
                for (var j = 0; j < _count; j++)
                {
                    var index = _indices[j];
                    if (index == _paddingIndex)
                    {
                        continue;
                    }

                    var sums = target.Slice(((i * _view.Size) + index) * _view.Inner, _view.Inner);
                    SpanKernels<T>.Add(source.Slice(((i * _count) + j) * _view.Inner, _view.Inner), sums);
                }
            }
        }

        protected override void OnRelease()
        {
            ArrayPool<int>.Shared.Return(_indices);
            _indices = [];
        }
    }
}
