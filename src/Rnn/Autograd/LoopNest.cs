using System.Runtime.CompilerServices;
using Rnn.Tensors;

namespace Rnn.Autograd;

/// <summary>
/// Nested loops over the dimensions of a shape in which two operands step as they like, from the innermost outwards. Neighbouring dimensions
/// that are one loop for both operands are merged, so that most operations are one or two loops.
/// </summary>
internal struct LoopNest
{
    /// <summary>How many dimensions operations that step through memory can have.</summary>
    private const int MaximumRank = 16;

    private Sizes _sizes;
    private Sizes _leftSteps;
    private Sizes _rightSteps;

    /// <summary>The number of loops.</summary>
    internal int Depth { get; private set; }

    /// <summary>How often the innermost loop runs; after <see cref="End"/>.</summary>
    internal int Outer { get; private set; }

    /// <summary>The length of the innermost loop.</summary>
    internal readonly int Inner => _sizes[0];

    /// <summary>How far the left operand moves along the innermost loop; 0 where it repeats one element.</summary>
    internal readonly int LeftStep => _leftSteps[0];

    /// <summary>How far the right operand moves along the innermost loop; 0 where it repeats one element.</summary>
    internal readonly int RightStep => _rightSteps[0];

    /// <summary>The length of the second loop.</summary>
    internal readonly int SecondSize => _sizes[1];

    /// <summary>Whether the left operand's memory runs along the second loop and not along the innermost.</summary>
    internal readonly bool IsTransposition => Depth > 1 && _leftSteps[1] == 1 && _leftSteps[0] > 1 && Outer > 0;

    /// <summary>Refuses shapes of too many dimensions.</summary>
    internal static void CheckRank(Shape shape)
    {
        if (shape.Rank > MaximumRank)
        {
            throw new ArgumentException($"expected at most {MaximumRank} dimensions but got {shape}.", nameof(shape));
        }
    }

    /// <summary>Puts a loop around those that are there, or merges it with the outermost of them.</summary>
    internal void Add(int size, int leftStep, int rightStep)
    {
        if (size == 1)
        {
            return;
        }

        var last = Depth - 1;
        if (last >= 0 && leftStep == _leftSteps[last] * _sizes[last] && rightStep == _rightSteps[last] * _sizes[last])
        {
            _sizes[last] *= size;
            return;
        }

        (_sizes[Depth], _leftSteps[Depth], _rightSteps[Depth]) = (size, leftStep, rightStep);
        Depth++;
    }

    /// <summary>Ends the plan of loops over so many elements.</summary>
    internal void End(int count)
    {
        if (Depth == 0)
        {
            (_sizes[0], _leftSteps[0], _rightSteps[0], Depth) = (1, 1, 1, 1);
        }

        Outer = count == 0 ? 0 : count / _sizes[0];
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

    /// <summary>A number for each dimension.</summary>
    [InlineArray(MaximumRank)]
    internal struct Sizes
    {
        private int _first;
    }
}
