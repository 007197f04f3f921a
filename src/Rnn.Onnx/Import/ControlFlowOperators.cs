using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Onnx.Import;

/// <summary>Branches, loops and functions: operators that run graphs.</summary>
internal static class ControlFlowOperators
{
    /// <summary>The name under which a function of the model keeps its graph.</summary>
    internal const string Body = "body";

    internal static void Register<T>(OperatorSet<T> set)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        set.AddSeveral("If", Branch);
        set.AddSeveral("Loop", Loop);
        set.AddSeveral("Scan", Scan);
    }

    /// <summary>Runs a function of the model.</summary>
    internal static OnnxValue<T>?[] CallFunction<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var graph = call.Node.Graphs[Body];
        var inputs = new OnnxValue<T>?[graph.Inputs.Length];
        for (var i = 0; i < inputs.Length; i++)
        {
            inputs[i] = call.Optional(i);
        }

        return graph.Run(inputs, [], call.Run);
    }

    private static OnnxValue<T>?[] Branch<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Graph(call, Truth(call.Value(0)) ? "then_branch" : "else_branch", 0).Run([], call.Values, call.Run);

    private static OnnxValue<T>?[] Loop<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var carried = Math.Max(0, call.InputCount - 2);
        var body = Graph(call, Body, carried + 2);
        if (body.Outputs.Length < carried + 1)
        {
            throw new InvalidDataException($"the body gives {body.Outputs.Length} outputs; expected a condition and {carried} values");
        }

        var count = call.Optional(0) is { } limit ? limit.IntegerArray[0] : long.MaxValue;
        var condition = call.Optional(1) is not { } first || Truth(first);
        var inputs = new OnnxValue<T>?[carried + 2];
        for (var i = 0; i < carried; i++)
        {
            inputs[i + 2] = call.Value(i + 2);
        }

        var collected = NewLists<T>(body.Outputs.Length - 1 - carried);
        for (var iteration = 0L; iteration < count && condition; iteration++)
        {
            call.Run.CountIteration();
            (inputs[0], inputs[1]) = (new([iteration], new Shape(), OnnxElementType.Int64), new([1], new Shape(), OnnxElementType.Boolean));
            var outputs = body.Run(inputs, call.Values, call.Run);
            condition = Truth(outputs[0]);
            Array.Copy(outputs, 1, inputs, 2, carried);
            Collect(call, collected, outputs.AsSpan(1 + carried));
        }

        return [.. inputs.AsSpan(2), .. collected.Select(list => Stacked(call, list, 0, reverse: false))];
    }

    private static OnnxValue<T>?[] Scan<T>(NodeCall<T> call)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (call.Opset < 9)
        {
            throw new InvalidDataException("Scan of opset 8 is not supported; convert the model to opset 9 or later");
        }

        var scanned = (int)Math.Clamp(call.Attributes.RequiredInt("num_scan_inputs"), 1, Math.Max(1, call.InputCount));
        var states = call.InputCount - scanned;
        var body = Graph(call, Body, states + scanned);
        var outputs = body.Outputs.Length - states;
        if (states < 0 || outputs < 0)
        {
            throw new InvalidDataException($"the body gives {body.Outputs.Length} outputs; expected at least {states}");
        }

        var inputs = new OnnxValue<T>?[states + scanned];
        var sequences = new (OnnxValue<T> Value, int Axis, bool Reverse)[scanned];
        for (var i = 0; i < states; i++)
        {
            inputs[i] = call.Value(i);
        }

        for (var i = 0; i < scanned; i++)
        {
            var value = call.Value(states + i);
            sequences[i] = (value, NodeCall<T>.Axis(At(call, "scan_input_axes", i), value.Rank), At(call, "scan_input_directions", i) != 0);
        }

        var length = sequences[0].Value.Shape[sequences[0].Axis];
        if (sequences.Any(sequence => sequence.Value.Shape[sequence.Axis] != length))
        {
            throw new InvalidDataException("the scanned inputs differ in length");
        }

        var collected = NewLists<T>(outputs);
        for (var step = 0; step < length; step++)
        {
            call.Run.CountIteration();
            for (var i = 0; i < scanned; i++)
            {
                var (value, axis, reverse) = sequences[i];
                var element = Movement.Select(value, axis, [reverse ? length - 1 - step : step]);
                inputs[states + i] = ShapeOperators.WithShape(element, new Shape([.. element.Shape.Dimensions[..axis], .. element.Shape.Dimensions[(axis + 1)..]]));
            }

            var results = body.Run(inputs, call.Values, call.Run);
            Array.Copy(results, inputs, states);
            Collect(call, collected, results.AsSpan(states));
        }

        return [.. inputs.AsSpan(0, states), .. collected.Select((list, i) => Stacked(call, list, At(call, "scan_output_axes", i), At(call, "scan_output_directions", i) != 0))];
    }

    private static long At<T>(NodeCall<T> call, string attribute, int index)
        where T : unmanaged, IFloatingPointIeee754<T> => call.Attributes.Ints(attribute) is { } values
        ? index < values.Length ? values[index] : throw new InvalidDataException($"{attribute} has {values.Length} numbers")
        : 0;

    private static GraphProgram<T> Graph<T>(NodeCall<T> call, string attribute, int inputs)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var graph = call.Node.Graphs.GetValueOrDefault(attribute) ?? throw new InvalidDataException($"the attribute '{attribute}' is missing");
        return graph.Inputs.Length == inputs ? graph : throw new InvalidDataException($"the graph '{attribute}' has {graph.Inputs.Length} inputs; expected {inputs}");
    }

    private static bool Truth<T>(OnnxValue<T> value)
        where T : unmanaged, IFloatingPointIeee754<T> => value.Length == 1 && !value.IsFloatingPoint
        ? value.IntegerArray[0] != 0
        : throw new InvalidDataException($"a condition of {value}; expected one truth value");

    private static List<OnnxValue<T>>[] NewLists<T>(int count)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var lists = new List<OnnxValue<T>>[count];
        for (var i = 0; i < count; i++)
        {
            lists[i] = [];
        }

        return lists;
    }

    private static void Collect<T>(NodeCall<T> call, List<OnnxValue<T>>[] lists, ReadOnlySpan<OnnxValue<T>> values)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var i = 0; i < lists.Length; i++)
        {
            lists[i].Add(values[i]);
            call.Run.CheckElements((double)lists[i].Count * values[i].Length);
        }
    }

    private static OnnxValue<T> Stacked<T>(NodeCall<T> call, List<OnnxValue<T>> values, long axis, bool reverse)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (values.Count == 0)
        {
            return Tensor<T>.Zeros(0);
        }

        if (reverse)
        {
            values.Reverse();
        }

        return Movement.Stack(call, values, axis);
    }
}
