using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>Lists of tensors, which exporters write for lists of outputs that a loop makes.</summary>
internal static class SequenceOperators
{
    internal static void Register<T>(OperatorSet<T> set)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        set.Add("SequenceEmpty", _ => new OnnxValue<T>([]));
        set.Add("SequenceConstruct", call => Checked(call, [.. Enumerable.Range(0, call.InputCount).Select(call.Value)]));
        set.Add("SequenceInsert", call =>
        {
            var items = Items(call);
            var place = call.Has(2) ? Place(call, items.Length + 1, items.Length) : items.Length;
            return Checked(call, [.. items.AsSpan(0, place), call.Value(1), .. items.AsSpan(place)]);
        });
        set.Add("SequenceErase", call =>
        {
            var items = Items(call);
            var place = call.Has(1) ? Place(call, items.Length, items.Length) : Math.Max(0, items.Length - 1);
            return items.Length > 0 ? new OnnxValue<T>([.. items.AsSpan(0, place), .. items.AsSpan(place + 1)]) : throw new InvalidDataException("the list is empty");
        });
        set.Add("SequenceAt", call => Items(call) is var items ? items[Place(call, items.Length, items.Length)] : null!);
        set.Add("SequenceLength", call => new OnnxValue<T>([Items(call).Length], new Shape(), OnnxElementType.Int64));
        set.Add("SplitToSequence", call => Split(call));
        set.Add("ConcatFromSequence", call => Concat(call));
    }

    private static OnnxValue<T>[] Items<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T> => call.Value(0).Items ?? throw new InvalidDataException($"expected a list of tensors but got {call.Value(0)}");

    // The elements of all items are counted: a loop must not fill the memory step by step.
    private static OnnxValue<T> Checked<T>(NodeCall<T> call, OnnxValue<T>[] items)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (Array.Exists(items, item => item.IsSequence))
        {
            throw new InvalidDataException("a list of lists is not supported");
        }

        call.Run.CheckElements(items.Sum(item => (double)item.Length));
        return new(items);
    }

    /// <param name="call">The node, whose last input is a place that may count from the end.</param>
    /// <param name="places">How many places there are.</param>
    /// <param name="length">The length of the list, which places before the first are counted from.</param>
    private static int Place<T>(NodeCall<T> call, int places, int length)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var numbers = call.Integers(call.InputCount - 1);
        return numbers.Length == 1 && numbers[0] >= -length && numbers[0] < places
            ? (int)(numbers[0] < 0 ? numbers[0] + length : numbers[0])
            : throw new InvalidDataException($"there is no place [{string.Join(", ", numbers)}] in a list of {length}");
    }

    private static OnnxValue<T> Split<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var value = call.Value(0);
        var axis = NodeCall<T>.Axis(call.Attributes.Int("axis", 0), value.Rank);
        var size = value.Shape[axis];
        var given = call.OptionalIntegers(1);
        long[] parts;
        if (given is null || call.Value(1).Rank == 0)
        {
            var part = given?[0] ?? 1;
            parts = part > 0
                ? [.. Enumerable.Repeat(part, (int)(size / part)), .. size % part > 0 ? [size % part] : Array.Empty<long>()]
                : throw new InvalidDataException($"parts of {part} steps");
        }
        else
        {
            parts = given;
        }

        if (Array.Exists(parts, part => part < 0 || part > size) || parts.Sum() != size)
        {
            throw new InvalidDataException($"parts of [{string.Join(", ", parts)}] do not make up {size} steps");
        }

        var items = new OnnxValue<T>[parts.Length];
        // PyTorch writes a part of 1 where the standard wants none, and means that the axis goes.
        var squeezed = call.Attributes.Int("keepdims", 1) == 0 && (given is null || (given is [1] && call.Value(1).Rank == 0));
        for (int i = 0, at = 0; i < items.Length; at += (int)parts[i++])
        {
            var item = Movement.Select(value, axis, [.. Enumerable.Range(at, (int)parts[i])]);
            items[i] = squeezed ? ShapeOperators.WithShape(item, new([.. value.Shape.Dimensions[..axis], .. value.Shape.Dimensions[(axis + 1)..]])) : item;
        }

        return new(items);
    }

    private static OnnxValue<T> Concat<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var items = Items(call);
        if (items.Length == 0)
        {
            throw new InvalidDataException("the list is empty");
        }

        var axis = call.Attributes.RequiredInt("axis");
        return call.Attributes.Flag("new_axis") ? Movement.Stack(call, items, axis) : Movement.Concat(call, items, NodeCall<T>.Axis(axis, items[0].Rank));
    }
}
