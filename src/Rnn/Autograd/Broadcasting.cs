using Rnn.Tensors;

namespace Rnn.Autograd;

/// <summary>Broadcasting: counted from the last, dimensions of one element repeat, as in NumPy.</summary>
internal static class Broadcasting
{
    /// <summary>The loops over the shape <paramref name="result"/> in which both operands are broadcast; their steps along the innermost loop are 0 or 1.</summary>
    internal static LoopNest Loops(Shape result, Shape left, Shape right)
    {
        LoopNest.CheckRank(result);
        var loops = default(LoopNest);
        int leftStride = 1, rightStride = 1;
        for (var i = 1; i <= result.Rank; i++)
        {
            var leftStep = Step(left, i, ref leftStride);
            var rightStep = Step(right, i, ref rightStride);
            loops.Add(result[^i], leftStep, rightStep);
        }

        loops.End(result.ElementCount);
        return loops;
    }

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

    // The step of an operand along the i-th dimension from the last; stride is the step where it does not repeat.
    private static int Step(Shape shape, int fromLast, ref int stride)
    {
        var size = fromLast <= shape.Rank ? shape[^fromLast] : 1;
        var step = size == 1 ? 0 : stride;
        stride *= size;
        return step;
    }
}
