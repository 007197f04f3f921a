using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>A node in a run: its attributes and the values of its inputs.</summary>
internal sealed class NodeCall<T>(NodeProgram<T> node, OnnxValue<T>?[] values, RunContext run)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal NodeProgram<T> Node => node;

    internal NodeAttributes Attributes => node.Attributes;

    internal int Opset => node.Opset;

    internal RunContext Run => run;

    /// <summary>The values of the graph that the node stands in, which its own graphs may read.</summary>
    internal OnnxValue<T>?[] Values => values;

    /// <summary>The number of inputs, those left out counted too.</summary>
    internal int InputCount => node.Inputs.Length;

    /// <summary>Whether an input is there.</summary>
    internal bool Has(int input) => input < node.Inputs.Length && node.Inputs[input] >= 0;

    /// <summary>Whether somebody reads an output.</summary>
    internal bool Wants(int output) => output < node.Outputs.Length && node.Outputs[output] >= 0;

    /// <summary>An input that may be left out, then null.</summary>
    internal OnnxValue<T>? Optional(int input) => !Has(input) ? null
        : values[node.Inputs[input]] ?? throw new InvalidDataException($"the input of number {input} was not made");

    /// <summary>An input that must be there.</summary>
    internal OnnxValue<T> Value(int input) => Optional(input) ?? throw new InvalidDataException($"the input of number {input} is missing");

    /// <summary>A floating-point input that must be there.</summary>
    internal Tensor<T> Tensor(int input) => Value(input) is { IsFloatingPoint: true } value
        ? value.Tensor
        : throw new InvalidDataException($"the input of number {input} is {Value(input)}; expected floating-point numbers");

    internal Tensor<T>? OptionalTensor(int input) => Has(input) ? Tensor(input) : null;

    /// <summary>An input of whole numbers that must be there.</summary>
    internal long[] Integers(int input) => Value(input) is { IsFloatingPoint: false, IsSequence: false }
        ? Value(input).IntegerArray
        : throw new InvalidDataException($"the input of number {input} is {Value(input)}; expected whole numbers");

    internal long[]? OptionalIntegers(int input) => Has(input) ? Integers(input) : null;

    /// <summary>Numbers that operators of older versions take as an attribute and newer ones as an input; null where both are missing.</summary>
    internal long[]? AttributeOrInput(string attribute, int input) => Attributes.Ints(attribute) ?? OptionalIntegers(input);

    /// <summary>An axis that may count from the last as one that counts from the first.</summary>
    internal static int Axis(long axis, int rank) => axis >= -rank && axis < rank
        ? (int)(axis < 0 ? axis + rank : axis)
        : throw new InvalidDataException($"there is no axis {axis} in a tensor of {rank} dimensions");

    /// <summary>Several axes, ascending; each may come once.</summary>
    internal static int[] Axes(ReadOnlySpan<long> axes, int rank)
    {
        var result = new int[axes.Length];
        for (var i = 0; i < axes.Length; i++)
        {
            result[i] = Axis(axes[i], rank);
        }

        Array.Sort(result);
        for (var i = 1; i < result.Length; i++)
        {
            if (result[i] == result[i - 1])
            {
                throw new InvalidDataException($"the axis {result[i]} comes twice");
            }
        }

        return result;
    }

    /// <summary>A shape whose size has been looked at.</summary>
    internal Shape Shape(ReadOnlySpan<long> dimensions)
    {
        var result = new int[dimensions.Length];
        var count = 1.0;
        for (var i = 0; i < result.Length; i++)
        {
            if (dimensions[i] is < 0 or > int.MaxValue)
            {
                throw new InvalidDataException($"[{string.Join(", ", dimensions.ToArray())}] is no shape");
            }

            result[i] = (int)dimensions[i];
            count *= Math.Max(1, dimensions[i]);
        }

        if (dimensions.Length > 16)
        {
            throw new InvalidDataException($"a shape of {dimensions.Length} dimensions; up to 16 are supported");
        }

        run.CheckElements(count);
        return new(result);
    }

    /// <summary>The shape that two shapes broadcast to, looked at by size.</summary>
    internal Shape Broadcast(Shape left, Shape right)
    {
        var rank = Math.Max(left.Rank, right.Rank);
        Span<long> dimensions = stackalloc long[Math.Min(rank, 64)];
        for (var i = 0; i < dimensions.Length; i++)
        {
            var a = i < left.Rank ? left[left.Rank - 1 - i] : 1;
            var b = i < right.Rank ? right[right.Rank - 1 - i] : 1;
            dimensions[^(i + 1)] = a == b || b == 1 ? a : a == 1 ? b : throw new InvalidDataException($"the shapes {left} and {right} do not broadcast");
        }

        // What is no larger than an operand is there already.
        return left.Rank == rank && dimensions.SequenceEqual(Wide(left)) ? left : right.Rank == rank && dimensions.SequenceEqual(Wide(right)) ? right : Shape(dimensions);
    }

    private static long[] Wide(Shape shape) => Array.ConvertAll(shape.Dimensions.ToArray(), dimension => (long)dimension);
}
