using System.Runtime.CompilerServices;
using Rnn.Tensors;

namespace Rnn.Autograd;

/// <summary>
/// The loops over a shape in which up to two operands are broadcast: dimensions of one element repeat, as in NumPy. Neighbouring
/// dimensions that behave alike are merged, so that most operations are one or two loops.
/// </summary>
internal struct BroadcastLoops
{
    private const int MaximumRank = 16;

    private Dimensions _sizes;
    private Dimensions _leftSteps;
    private Dimensions _rightSteps;

    /// <summary>Plans the loops over the shape <paramref name="result"/>.</summary>
    internal BroadcastLoops(Shape result, Shape left, Shape right)
    {
        if (result.Rank > MaximumRank)
        {
            throw new ArgumentException($"expected at most {MaximumRank} dimensions but got {result}.", nameof(result));
        }

        // From the innermost dimension outwards; the arrays are innermost first.
        int count = 0, leftStride = 1, rightStride = 1;
        for (var i = 1; i <= result.Rank; i++)
        {
            var size = result[^i];
            var leftStep = Step(left, i, ref leftStride);
            var rightStep = Step(right, i, ref rightStride);
            if (size == 1)
            {
                continue;
            }

            if (count > 0 && Continues(_leftSteps[count - 1], leftStep, _sizes[count - 1]) && Continues(_rightSteps[count - 1], rightStep, _sizes[count - 1]))
            {
                _sizes[count - 1] *= size;
                continue;
            }

            (_sizes[count], _leftSteps[count], _rightSteps[count]) = (size, leftStep, rightStep);
            count++;
        }

        if (count == 0)
        {
            (_sizes[0], _leftSteps[0], _rightSteps[0]) = (1, 1, 1);
            count = 1;
        }

        Depth = count;
        Outer = result.ElementCount == 0 ? 0 : result.ElementCount / _sizes[0];
    }

    /// <summary>The number of loops left after merging.</summary>
    internal int Depth { get; }

    /// <summary>How often the innermost loop runs.</summary>
    internal int Outer { get; }

    /// <summary>The length of the innermost loop.</summary>
    internal readonly int Inner => _sizes[0];

    /// <summary>0 where the left operand repeats one element along the innermost loop, else 1.</summary>
    internal readonly int LeftStep => _leftSteps[0];

    /// <summary>0 where the right operand repeats one element along the innermost loop, else 1.</summary>
    internal readonly int RightStep => _rightSteps[0];

    /// <summary>The shape that two operands make together.</summary>
    /// <exception cref="ArgumentException">Two sizes differ and neither is 1.</exception>
    internal static Shape Result(Shape left, Shape right, string operation)
    {
        if (left == right)
        {
            return left;
        }

        var rank = Math.Max(left.Rank, right.Rank);
        Span<int> dimensions = stackalloc int[rank];
        for (var i = 1; i <= rank; i++)
        {
            var a = i <= left.Rank ? left[^i] : 1;
            var b = i <= right.Rank ? right[^i] : 1;
            if (a != b && a != 1 && b != 1)
            {
                throw new ArgumentException(
                    $"{operation}: the shapes {left} and {right} do not fit together; counted from the last, dimensions must be equal or 1, but {a} meets {b}.");
            }

            dimensions[^i] = a == 1 ? b : a;
        }

        return new(dimensions);
    }

    /// <summary>Where the operands stand at the start of an innermost loop.</summary>
    internal readonly (int Left, int Right) Start(int outer)
    {
        int left = 0, right = 0;
        for (var i = 1; i < Depth; i++)
        {
            (outer, var at) = Math.DivRem(outer, _sizes[i]);
            left += at * _leftSteps[i];
            right += at * _rightSteps[i];
        }

        return (left, right);
    }

    // The step of an operand along the i-th dimension from the last; stride is the step where it does not repeat.
    private static int Step(Shape shape, int fromLast, ref int stride)
    {
        var size = fromLast <= shape.Rank ? shape[^fromLast] : 1;
        var step = size == 1 ? 0 : stride;
        stride *= size;
        return step;
    }

    // Whether a dimension goes on where the dimension inside of it ends.
    private static bool Continues(int innerStep, int step, int innerSize) => step == innerStep * innerSize;

    [InlineArray(MaximumRank)]
    private struct Dimensions
    {
        private int _first;
    }
}
