using System.Numerics;
using Rnn.Onnx.Import;
using Rnn.Tensors;

namespace Rnn.Onnx.Sessions;

/// <summary>A graph inside a node as steps of its own, over memory of its own.</summary>
internal sealed class PlannedGraph<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly SessionStep<T>[] _steps;

    private PlannedGraph(SessionStep<T>[] steps, SessionValue<T>[] inputs, SessionValue<T>[] outputs) => (_steps, Inputs, Outputs) = (steps, inputs, outputs);

    internal SessionValue<T>[] Inputs { get; }

    internal SessionValue<T>[] Outputs { get; }

    internal bool IsAllocationFree => Array.TrueForAll(_steps, step => step.IsAllocationFree);

    /// <summary>Plans a graph whose inputs are memory of the shapes and types of samples.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="samples">A sample for each input.</param>
    /// <param name="outer">The values around the node.</param>
    /// <param name="planner">The planner of these.</param>
    /// <exception cref="InvalidDataException">A node does not fit its inputs.</exception>
    internal static PlannedGraph<T>? Create(GraphProgram<T> graph, OnnxValue<T>[] samples, SessionValue<T>?[] outer, SessionPlanner<T> planner)
    {
        if (graph.Inputs.Length != samples.Length || Array.Exists(samples, sample => sample.IsSequence))
        {
            return null;
        }

        var inputs = Array.ConvertAll(samples, SessionValue<T>.Allocate);
        var inner = planner.Inner();
        var outputs = inner.Plan(graph, inputs, outer);
        return Array.Exists(outputs, output => output.Live.IsSequence) ? null : new([.. inner.Steps], inputs, outputs);
    }

    internal void Run()
    {
        foreach (var step in _steps)
        {
            step.Run();
        }
    }
}

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

/// <summary>Values that go from the outputs of a graph to its inputs.</summary>
internal sealed class CarriedValues<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly SessionValue<T>[] _inputs;
    private readonly SessionValue<T>[] _outputs;
    private readonly SessionValue<T>?[] _copies;

    /// <param name="inputs">Where they go.</param>
    /// <param name="outputs">Where they come from; one that is an input itself is copied first, since the input changes.</param>
    internal CarriedValues(SessionValue<T>[] inputs, SessionValue<T>[] outputs)
    {
        _inputs = inputs;
        _outputs = outputs;
        _copies = [.. outputs.Select((output, i) => output.Owner != inputs[i] && Array.Exists(inputs, input => input == output.Owner) ? SessionValue<T>.Allocate(output.Live) : null)];
    }

    /// <summary>Whether types and shapes stay the same.</summary>
    internal static bool Fit(SessionValue<T>[] inputs, SessionValue<T>[] outputs)
    {
        for (var i = 0; i < inputs.Length; i++)
        {
            if (inputs[i].Shape != outputs[i].Shape || inputs[i].IsFloatingPoint != outputs[i].IsFloatingPoint)
            {
                return false;
            }
        }

        return true;
    }

    internal void Begin(SessionValue<T>[] initial)
    {
        for (var i = 0; i < _inputs.Length; i++)
        {
            _inputs[i].CopyFrom(initial[i]);
        }
    }

    internal void Advance()
    {
        for (var i = 0; i < _outputs.Length; i++)
        {
            _copies[i]?.CopyFrom(_outputs[i]);
        }

        for (var i = 0; i < _outputs.Length; i++)
        {
            if (_outputs[i].Owner != _inputs[i])
            {
                _inputs[i].CopyFrom(_copies[i] ?? _outputs[i]);
            }
        }
    }

    internal void End(SessionValue<T>?[] final)
    {
        for (var i = 0; i < _inputs.Length; i++)
        {
            final[i]?.CopyFrom(_inputs[i]);
        }
    }
}

/// <summary>A sequence and the element of it that a graph reads or writes.</summary>
/// <param name="sequence">The whole.</param>
/// <param name="element">The element, without the axis.</param>
/// <param name="axis">The axis of time.</param>
/// <param name="reverse">Whether the last element comes first.</param>
internal sealed class SequencePart<T>(SessionValue<T> sequence, SessionValue<T> element, int axis, bool reverse)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly int _length = sequence.Shape[axis];
    private readonly int _inner = new Shape(sequence.Shape.Dimensions[(axis + 1)..]).ElementCount;
    private readonly int _outer = new Shape(sequence.Shape.Dimensions[..axis]).ElementCount;

    /// <summary>The first element of a sequence.</summary>
    internal static OnnxValue<T> Element(OnnxValue<T> sequence, int axis) => sequence.Shape[axis] == 0 ? sequence : ShapeOperators.WithShape(
        Movement.Select(sequence, axis, [0]), new Shape([.. sequence.Shape.Dimensions[..axis], .. sequence.Shape.Dimensions[(axis + 1)..]]));

    /// <summary>Whether the sequence is so many of these elements.</summary>
    internal bool Fits(long length) => _length == length && element.Length == _outer * _inner && element.IsFloatingPoint == sequence.IsFloatingPoint;

    internal void Read(int step) => Copy(step, intoElement: true);

    internal void Write(int step) => Copy(step, intoElement: false);

    private void Copy(int step, bool intoElement)
    {
        var place = reverse ? _length - 1 - step : step;
        for (var o = 0; o < _outer; o++)
        {
            var (there, here) = (((o * _length) + place) * _inner, o * _inner);
            if (sequence.IsFloatingPoint)
            {
                if (intoElement)
                {
                    sequence.Read.Slice(there, _inner).CopyTo(element.Write[here..]);
                }
                else
                {
                    element.Read.Slice(here, _inner).CopyTo(sequence.Write[there..]);
                }
            }
            else if (intoElement)
            {
                sequence.Integers.AsSpan(there, _inner).CopyTo(element.Integers.AsSpan(here));
            }
            else
            {
                element.Integers.AsSpan(here, _inner).CopyTo(sequence.Integers.AsSpan(there));
            }
        }
    }
}
