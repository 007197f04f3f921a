using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Rnn.Tensors;

/// <summary>
/// The dimensions of a tensor, outermost first. A shape of no dimensions is a scalar with one element. A list in brackets is a shape:
/// <c>Shape shape = [32, 100, 40];</c>.
/// </summary>
[CollectionBuilder(typeof(Shape), nameof(Create))]
[SuppressMessage("Naming", "CA1710", Justification = "A shape is a value that happens to list its dimensions.")]
public readonly struct Shape : IEquatable<Shape>, IReadOnlyList<int>
{
    private readonly int[]? _dimensions;

    /// <summary>A shape of the given dimensions.</summary>
    /// <param name="dimensions">The size of each dimension, outermost first; zero is allowed.</param>
    /// <exception cref="ArgumentException">
    /// A dimension is negative, or there are more than <see cref="Array.MaxLength"/> elements, dimensions of zero left out.
    /// </exception>
    public Shape(params ReadOnlySpan<int> dimensions)
    {
        _dimensions = dimensions.ToArray();
        ElementCount = CountElements(dimensions);
    }

    /// <summary>The number of dimensions.</summary>
    public int Rank => _dimensions?.Length ?? 0;

    /// <summary>The number of elements: the product of all dimensions, 1 for a scalar.</summary>
    /// <remarks>Not called Length, which for lists, ranges and <c>[.. shape]</c> means the number of dimensions.</remarks>
    public int ElementCount => field == 0 && _dimensions is null ? 1 : field;

    /// <summary>The dimensions, outermost first.</summary>
    public ReadOnlySpan<int> Dimensions => _dimensions;

    int IReadOnlyCollection<int>.Count => Rank;

    /// <summary>The size of one dimension; a negative index counts from the last (−1 is the innermost).</summary>
    /// <param name="dimension">From −<see cref="Rank"/> to <see cref="Rank"/> − 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such dimension.</exception>
    public int this[int dimension] => Dimensions[Axis(dimension, nameof(dimension))];

    /// <summary>The size of one dimension, counted from the last by <c>^</c>: <c>shape[^1]</c> is the innermost.</summary>
    /// <param name="dimension">The dimension.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such dimension.</exception>
    public int this[Index dimension] => this[dimension.IsFromEnd && dimension.Value > 0 ? -dimension.Value : dimension.GetOffset(Rank)];

    /// <summary>A shape of the given dimensions; what a list in brackets calls.</summary>
    /// <param name="dimensions">The size of each dimension, outermost first.</param>
    public static Shape Create(ReadOnlySpan<int> dimensions) => new(dimensions);

    /// <summary>A shape from a list of dimensions.</summary>
    public static implicit operator Shape(int[] dimensions) => new(dimensions);

    /// <summary>Whether both shapes have the same dimensions.</summary>
    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    /// <summary>Whether the shapes differ in a dimension.</summary>
    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    /// <inheritdoc/>
    public bool Equals(Shape other) => Dimensions.SequenceEqual(other.Dimensions);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var dimension in Dimensions)
        {
            hash.Add(dimension);
        }

        return hash.ToHashCode();
    }

    /// <summary>The dimensions in brackets: <c>[32, 100, 40]</c>.</summary>
    public override string ToString() => $"[{string.Join(", ", _dimensions ?? [])}]";

    /// <inheritdoc/>
    public IEnumerator<int> GetEnumerator() => ((IEnumerable<int>)(_dimensions ?? [])).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Turns an axis that may count from the end into one that counts from the start.</summary>
    internal int Axis(int axis, string parameterName)
    {
        if (axis < -Rank || axis >= Rank)
        {
            throw new ArgumentOutOfRangeException(
                parameterName, axis, $"expected an axis from {-Rank} to {Rank - 1} of the shape {this}.");
        }

        return axis < 0 ? axis + Rank : axis;
    }

    private static int CountElements(ReadOnlySpan<int> dimensions)
    {
        // Dimensions of zero left out, so that sizes and strides of any part of the shape are numbers too.
        var (length, isEmpty) = (1L, false);
        foreach (var dimension in dimensions)
        {
            if (dimension < 0)
            {
                throw new ArgumentException(
                    $"dimensions: expected sizes of zero or more but got [{string.Join(", ", dimensions.ToArray())}].", nameof(dimensions));
            }

            isEmpty |= dimension == 0;
            length *= Math.Max(1, dimension);
            if (length > Array.MaxLength)
            {
                throw new ArgumentException(
                    $"dimensions: [{string.Join(", ", dimensions.ToArray())}] has more than {Array.MaxLength} elements, the limit of a tensor.", nameof(dimensions));
            }
        }

        return isEmpty ? 0 : (int)length;
    }
}
