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
