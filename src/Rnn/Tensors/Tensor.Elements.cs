using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;

namespace Rnn.Tensors;

public sealed partial class Tensor<T>
{
    /// <summary>One element; negative indices count from the end.</summary>
    /// <param name="index">One index a dimension.</param>
    /// <exception cref="ArgumentException">There are more or fewer indices than dimensions, or one is out of range.</exception>
    /// <exception cref="InvalidOperationException">Set on the result of a recorded operation, whose values the backward pass may need.</exception>
    [IndexerName("Element")]
    public T this[params ReadOnlySpan<int> index]
    {
        get => AsReadOnlySpan()[OffsetOf(index, Rank)];
        set
        {
            var offset = OffsetOf(index, Rank);
            CheckWritable("indexer");
            AsSpan()[offset] = value;
        }
    }

    /// <summary>The only element of a tensor that has one.</summary>
    /// <exception cref="InvalidOperationException">The tensor has more elements, or none.</exception>
    public T Item() => Length == 1
        ? AsReadOnlySpan()[0]
        : throw new InvalidOperationException($"Item: expected a tensor with one element but this one is {Shape}; index it, or sum it first.");

    /// <summary>The elements along the last dimension at the given indices of all others, to read: row 2 of a matrix is <c>Row(2)</c>.</summary>
    /// <param name="index">One index for every dimension but the last; negative ones count from the end.</param>
    /// <exception cref="ArgumentException">There are more or fewer indices, or one is out of range.</exception>
    public ReadOnlySpan<T> Row(params ReadOnlySpan<int> index)
    {
        if (Rank == 0)
        {
            throw new InvalidOperationException("Row: a scalar has no rows; use Item().");
        }

        var length = Shape[^1];
        return AsReadOnlySpan().Slice(OffsetOf(index, Rank - 1) * length, length);
    }

    /// <summary>The elements in a new array, row-major.</summary>
    public T[] ToArray() => AsReadOnlySpan().ToArray();

    /// <summary>A copy with memory of its own, without history.</summary>
    internal Tensor<T> Copy()
    {
        var copy = Uninitialized(Shape);
        AsReadOnlySpan().CopyTo(copy.AsSpan());
        return copy;
    }

    /// <summary>Copies the elements into another tensor of the same shape.</summary>
    /// <param name="destination">The tensor to write.</param>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    /// <exception cref="InvalidOperationException">The destination is the result of a recorded operation, whose values the backward pass may need.</exception>
    public void CopyTo(Tensor<T> destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        if (destination.Shape != Shape)
        {
            throw new ArgumentException($"destination: expected the shape {Shape} but got {destination.Shape}.", nameof(destination));
        }

        destination.CheckWritable("CopyTo");
        AsReadOnlySpan().CopyTo(destination.AsSpan());
    }

    /// <summary>Copies the elements in row-major order.</summary>
    /// <param name="destination">Room for <see cref="Length"/> elements or more.</param>
    public void CopyTo(Span<T> destination) => AsReadOnlySpan().CopyTo(destination);

    /// <summary>A copy with another element type, rounded to nearest. No gradient flows through it, so a tensor that requires one must be detached.</summary>
    /// <typeparam name="TOther">The new element type.</typeparam>
    /// <exception cref="InvalidOperationException">The tensor requires a gradient, outside of <see cref="NoGradient.Enter"/>.</exception>
    public Tensor<TOther> To<TOther>()
        where TOther : unmanaged, IFloatingPointIeee754<TOther>
    {
        if (RequiresGradient && !NoGradient.IsActive)
        {
            throw new InvalidOperationException(
                $"To: this tensor {Shape} requires a gradient, and gradients do not flow from one element type to another; write Detach().To<…>().");
        }

        var copy = Tensor<TOther>.Uninitialized(Shape);
        TensorPrimitives.ConvertSaturating(AsReadOnlySpan(), copy.AsSpan());
        return copy;
    }

    /// <summary>
    /// Whether both tensors have the same shape and every pair of elements is close: |this − other| ≤ absolute + relative·|other|.
    /// Infinities are close to themselves, NaN is close to nothing.
    /// </summary>
    /// <param name="other">The tensor to compare with.</param>
    /// <param name="relative">The tolerance relative to the other's element.</param>
    /// <param name="absolute">The absolute tolerance.</param>
    public bool AllClose(Tensor<T> other, double relative = 1e-5, double absolute = 1e-8)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (Shape != other.Shape)
        {
            return false;
        }

        var left = AsReadOnlySpan();
        var right = other.AsReadOnlySpan();
        for (var i = 0; i < left.Length; i++)
        {
            var a = Element.ToDouble(left[i]);
            var b = Element.ToDouble(right[i]);
            if (a != b && !(Math.Abs(a - b) <= absolute + (relative * Math.Abs(b)) && double.IsFinite(a) && double.IsFinite(b)))
            {
                return false;
            }
        }

        return true;
    }

    // The row-major offset of an index into the first so many dimensions.
    internal int OffsetOf(ReadOnlySpan<int> index, int count)
    {
        var dimensions = Shape.Dimensions;
        if (index.Length != count)
        {
            throw new ArgumentException($"index: expected {count} indices for the shape {Shape} but got {index.Length}.", nameof(index));
        }

        var offset = 0;
        for (var i = 0; i < index.Length; i++)
        {
            var at = index[i] < 0 ? index[i] + dimensions[i] : index[i];
            if ((uint)at >= (uint)dimensions[i])
            {
                throw new ArgumentOutOfRangeException(
                    nameof(index), index[i], $"index: expected {-dimensions[i]} to {dimensions[i] - 1} for dimension {i} of the shape {Shape} but got {index[i]}.");
            }

            offset = (offset * dimensions[i]) + at;
        }

        return offset;
    }
}
