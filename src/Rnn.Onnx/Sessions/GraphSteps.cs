using System.Numerics;
using Rnn.Onnx.Import;
using Rnn.Tensors;

namespace Rnn.Onnx.Sessions;

/// <summary>Scan: a graph for each step of its sequences.</summary>
internal sealed class ScanStep<T> : SessionStep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly PlannedGraph<T> _body;
    private readonly SessionValue<T>[] _initial;
    private readonly SequencePart<T>[] _scanned;
    private readonly SequencePart<T>?[] _collected;
    private readonly SessionValue<T>?[] _final;
    private readonly CarriedValues<T> _carried;
    private readonly int _length;

    private ScanStep(PlannedGraph<T> body, SessionValue<T>[] initial, SequencePart<T>[] scanned, SequencePart<T>?[] collected, SessionValue<T>?[] final, int length)
    {
        (_body, _initial, _scanned, _collected, _final, _length) = (body, initial, scanned, collected, final, length);
        _carried = new(body.Inputs[..initial.Length], body.Outputs[..initial.Length]);
    }

    internal override bool IsAllocationFree => _body.IsAllocationFree;

    /// <summary>The step of a node; null where its values change their shapes from step to step.</summary>
    internal static ScanStep<T>? Create(NodeProgram<T> node, SessionValue<T>?[] inputs, SessionValue<T>?[] outputs, SessionValue<T>?[] outer, SessionPlanner<T> planner)
    {
        var scans = (int)node.Attributes.RequiredInt("num_scan_inputs");
        var states = inputs.Length - scans;
        if (!Array.TrueForAll(inputs, input => input is { Live.IsSequence: false }) || !node.Graphs.TryGetValue(ControlFlowOperators.Body, out var graph))
        {
            return null;
        }

        var initial = Array.ConvertAll(inputs[..states], input => input!);
        int[] axes = [.. Numbers("scan_input_axes", scans).Select((axis, i) => NodeCall<T>.Axis(axis, inputs[states + i]!.Shape.Rank))];
        var length = inputs[states]!.Shape[axes[0]];
        OnnxValue<T>[] samples = [.. initial.Select(value => value.Live), .. axes.Select((axis, i) => SequencePart<T>.Element(inputs[states + i]!.Live, axis))];
        if (length == 0 || PlannedGraph<T>.Create(graph, samples, outer, planner) is not { } body || !CarriedValues<T>.Fit(body.Inputs[..states], body.Outputs[..states]))
        {
            return null;
        }

        var directions = Numbers("scan_input_directions", scans);
        SequencePart<T>[] scanned = [.. axes.Select((axis, i) => new SequencePart<T>(inputs[states + i]!, body.Inputs[states + i], axis, directions[i] != 0))];
        var (outAxes, outDirections) = (Numbers("scan_output_axes", outputs.Length - states), Numbers("scan_output_directions", outputs.Length - states));
        var collected = new SequencePart<T>?[outputs.Length - states];
        for (var i = 0; i < collected.Length; i++)
        {
            collected[i] = outputs[states + i] is { } output
                ? new(output, body.Outputs[states + i], NodeCall<T>.Axis(outAxes[i], output.Shape.Rank), outDirections[i] != 0) : null;
        }

        return Array.TrueForAll(collected, part => part?.Fits(length) != false) ? new(body, initial, scanned, collected, outputs[..states], length) : null;

        long[] Numbers(string attribute, int count) => node.Attributes.Ints(attribute) ?? new long[count];
    }

    internal override void Run()
    {
        _carried.Begin(_initial);
        for (var step = 0; step < _length; step++)
        {
            foreach (var part in _scanned)
            {
                part.Read(step);
            }

            _body.Run();
            foreach (var part in _collected)
            {
                part?.Write(step);
            }

            _carried.Advance();
        }

        _carried.End(_final);
    }
}

/// <summary>Loop: a graph again and again, as often as a number and a condition say. What it collects has the length that it has on zeros.</summary>
internal sealed class LoopStep<T> : SessionStep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly NodeProgram<T> _node;
    private readonly PlannedGraph<T> _body;
    private readonly SessionValue<T>? _count;
    private readonly SessionValue<T>? _condition;
    private readonly SessionValue<T>[] _initial;
    private readonly SequencePart<T>?[] _collected;
    private readonly SessionValue<T>?[] _final;
    private readonly CarriedValues<T> _carried;
    private readonly long _most;
    private readonly int _length;

    private LoopStep(
        NodeProgram<T> node, PlannedGraph<T> body, SessionValue<T>? count, SessionValue<T>? condition, SessionValue<T>[] initial, SequencePart<T>?[] collected, SessionValue<T>?[] final, long most, int length)
    {
        (_node, _body, _count, _condition, _initial, _collected, _final, _most, _length) = (node, body, count, condition, initial, collected, final, most, length);
        _carried = new(body.Inputs[2..], body.Outputs[1..(1 + initial.Length)]);
    }

    internal override bool IsAllocationFree => _body.IsAllocationFree;

    /// <summary>The step of a node; null where shapes change from iteration to iteration, or nothing is collected on zeros.</summary>
    internal static LoopStep<T>? Create(NodeProgram<T> node, SessionValue<T>?[] inputs, SessionValue<T>?[] outputs, SessionValue<T>?[] outer, SessionPlanner<T> planner)
    {
        var carried = Math.Max(0, inputs.Length - 2);
        if (!node.Graphs.TryGetValue(ControlFlowOperators.Body, out var graph) || !Array.TrueForAll(inputs[Math.Min(2, inputs.Length)..], input => input is { Live.IsSequence: false }))
        {
            return null;
        }

        var initial = Array.ConvertAll(inputs[Math.Min(2, inputs.Length)..], input => input!);
        OnnxValue<T>[] samples = [new([0], new Shape(), OnnxElementType.Int64), new([1], new Shape(), OnnxElementType.Boolean), .. initial.Select(value => value.Live)];
        if (Planned(graph, samples, outer, planner) is not { } body || body.Outputs.Length < 1 + carried || body.Outputs[0].IsFloatingPoint || body.Outputs[0].Length != 1
            || !CarriedValues<T>.Fit(body.Inputs[2..], body.Outputs[1..(1 + carried)]))
        {
            return null;
        }

        var (count, condition) = (inputs.Length > 0 ? inputs[0] : null, inputs.Length > 1 ? inputs[1] : null);
        var collected = new SequencePart<T>?[outputs.Length - carried];
        for (var i = 0; i < collected.Length; i++)
        {
            collected[i] = outputs[carried + i] is { } output ? new(output, body.Outputs[1 + carried + i], 0, reverse: false) : null;
        }

        // As often as on zeros, or the run is an error, since the shapes behind it would be others.
        var length = Array.Find(outputs[carried..], output => output is not null)?.Shape[0] ?? -1;
        var fits = length != 0 && Array.TrueForAll(collected, part => part?.Fits(length) != false);
        return fits ? new(node, body, count, condition, initial, collected, outputs[..carried], planner.MaxIterations, length) : null;
    }

    private InvalidDataException OtherLength() => new($"{_node}: the loop does not run for the {_length} iterations of the session's plan; how often depends on data. Use OnnxModel.Run for this model.");

    // A body that does not run with zeros is left to the operator itself, which may never enter it.
    private static PlannedGraph<T>? Planned(GraphProgram<T> graph, OnnxValue<T>[] samples, SessionValue<T>?[] outer, SessionPlanner<T> planner)
    {
        try
        {
            return PlannedGraph<T>.Create(graph, samples, outer, planner);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    internal override void Run()
    {
        var count = _count is null ? long.MaxValue : _count.Integers[0];
        var goes = _condition is null || _condition.Integers[0] != 0;
        _carried.Begin(_initial);
        var iteration = 0L;
        for (; iteration < count && goes; iteration++)
        {
            if (iteration == _length)
            {
                throw OtherLength();
            }

            if (iteration >= _most)
            {
                throw new InvalidDataException($"{_node}: the loop has run for more iterations than OnnxOptions.MaxIterations allows");
            }

            (_body.Inputs[0].Integers[0], _body.Inputs[1].Integers[0]) = (iteration, 1);
            _body.Run();
            goes = _body.Outputs[0].Integers[0] != 0;
            foreach (var part in _collected)
            {
                part?.Write((int)iteration);
            }

            _carried.Advance();
        }

        if (_length >= 0 && iteration != _length)
        {
            throw OtherLength();
        }

        _carried.End(_final);
    }
}

/// <summary>If: one of two graphs by a condition that each run brings. A branch that cannot run with the session's shapes is an error when it is taken.</summary>
internal sealed class BranchStep<T>(SessionValue<T> condition, BranchStep<T>.Branch whenTrue, BranchStep<T>.Branch whenFalse, SessionValue<T>?[] outputs) : SessionStep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal override bool IsAllocationFree => whenTrue.Graph?.IsAllocationFree != false && whenFalse.Graph?.IsAllocationFree != false;

    internal override void Run()
    {
        var taken = condition.Integers[0] != 0 ? whenTrue : whenFalse;
        var graph = taken.Graph ?? throw new InvalidDataException(taken.Error?.Message, taken.Error);
        graph.Run();
        for (var i = 0; i < outputs.Length; i++)
        {
            outputs[i]?.CopyFrom(graph.Outputs[i]);
        }
    }

    /// <summary>A branch, or why there is none.</summary>
    internal readonly record struct Branch(PlannedGraph<T>? Graph, InvalidDataException? Error)
    {
        internal static Branch Plan(NodeProgram<T> node, string name, SessionValue<T>?[] outer, SessionPlanner<T> planner)
        {
            try
            {
                return new(node.Graphs.TryGetValue(name, out var graph) ? PlannedGraph<T>.Create(graph, [], outer, planner) : null, null);
            }
            catch (InvalidDataException error)
            {
                return new(null, error);
            }
        }
    }
}
