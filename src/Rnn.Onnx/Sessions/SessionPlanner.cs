using System.Numerics;
using Rnn.Onnx.Import;
using Rnn.Tensors;

namespace Rnn.Onnx.Sessions;

/// <summary>
/// Turns a model into a list of steps for fixed shapes of its inputs. Each node runs once, on inputs of zeros, to learn the shapes of its results; what follows from constants
/// and shapes alone is a constant, what only changes a shape shares memory, branches with a constant condition are taken.
/// </summary>
internal sealed class SessionPlanner<T>(OnnxOptions options, long inputElements)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly RunContext _run = new(options, inputElements);

    /// <summary>The steps in their order.</summary>
    internal List<SessionStep<T>> Steps { get; } = [];

    /// <summary>Adds the steps of a graph and gives its outputs.</summary>
    internal SessionValue<T>[] Plan(GraphProgram<T> graph, ReadOnlySpan<SessionValue<T>?> inputs, SessionValue<T>?[] outer)
    {
        var values = Array.ConvertAll(graph.Constants, constant => constant is null ? null : SessionValue<T>.Constant(constant));
        foreach (var (from, to) in graph.Captures)
        {
            values[to] = outer[from];
        }

        for (var i = 0; i < graph.Inputs.Length; i++)
        {
            values[graph.Inputs[i]] = inputs[i] ?? values[graph.Inputs[i]];
        }

        var live = Array.ConvertAll(values, value => value?.Live);
        foreach (var node in graph.Nodes)
        {
            PlanNode(node, values, live);
        }

        return Array.ConvertAll(graph.Outputs, slot => values[slot] ?? throw new InvalidDataException($"the output '{graph.Names[slot]}' was not made"));
    }

    private void PlanNode(NodeProgram<T> node, SessionValue<T>?[] values, OnnxValue<T>?[] live)
    {
        var inputs = Array.ConvertAll(node.Inputs, slot => slot < 0 ? null : values[slot]);
        if (node.Operator == "If" && inputs is [{ IsConstant: true }])
        {
            var branch = inputs[0]!.Live.IntegerArray[0] != 0 ? "then_branch" : "else_branch";
            if (node.Graphs.TryGetValue(branch, out var taken))
            {
                SetOutputs(Plan(taken, [], values));
                return;
            }
        }
        else if (node.Function == ControlFlowOperators.CallFunction<T>)
        {
            var body = node.Graphs[ControlFlowOperators.Body];
            Array.Resize(ref inputs, body.Inputs.Length);
            SetOutputs(Plan(body, inputs, []));
            return;
        }

        var scratch = (OnnxValue<T>?[])live.Clone();
        using (NoGradient.Enter())
        {
            GraphProgram<T>.RunNode(node, scratch, _run);
        }

        var samples = Array.ConvertAll(node.Outputs, slot => slot < 0 ? null : scratch[slot]);
        var isConstant = node.Operator is "Shape" or "Size" || node.Reads().All(slot => values[slot] is { IsConstant: true });
        SetOutputs(isConstant
            ? Array.ConvertAll(samples, sample => sample is null ? null : SessionValue<T>.Constant(sample))
            : Shared(node, inputs, samples) ?? MovePlanner<T>.Plan(node, inputs, samples, Steps, _run) ?? Computed(node, inputs, samples, live));

        void SetOutputs(SessionValue<T>?[] outputs)
        {
            for (var i = 0; i < node.Outputs.Length; i++)
            {
                if (node.Outputs[i] >= 0)
                {
                    values[node.Outputs[i]] = outputs[i];
                    live[node.Outputs[i]] = outputs[i]!.Live;
                }
            }
        }
    }

    // The same elements in the same order: no step.
    private static SessionValue<T>?[]? Shared(NodeProgram<T> node, SessionValue<T>?[] inputs, OnnxValue<T>?[] samples) =>
        (node.Operator is "Reshape" or "Flatten" or "Squeeze" or "Unsqueeze" or "Identity" || (node.Operator == "Dropout" && samples is [_] or [_, null])
            || (node.Operator is "Cast" or "CastLike" && inputs[0]!.IsFloatingPoint && samples[0]!.IsFloatingPoint))
        && inputs[0] is { } input ? [input.As(samples[0]!.Shape), .. samples[1..].Select(_ => (SessionValue<T>?)null)] : null;

    private SessionValue<T>?[] Computed(NodeProgram<T> node, SessionValue<T>?[] inputs, OnnxValue<T>?[] samples, OnnxValue<T>?[] live)
    {
        if (AddsBias(node, inputs, samples) is { } sum)
        {
            return [sum];
        }

        var outputs = Array.ConvertAll(samples, sample => sample is null ? null : SessionValue<T>.Allocate(sample));
        var floating = Array.TrueForAll(outputs, output => output is null or { IsFloatingPoint: true });
        var step = !floating ? null
            : RecurrentOperators.IsRecurrent(node.Operator) ? RecurrentStep<T>.Create(node, inputs, outputs)
            : outputs is [{ } output] || (outputs.Length > 0 && Array.TrueForAll(outputs[1..], other => other is null)) ? StepFactory<T>.Create(node, inputs, outputs[0]!, Steps) : null;

        // Values that the node's own graphs read are among those that are live now.
        Steps.Add(step ?? new NodeStep<T>(node, (OnnxValue<T>?[])live.Clone(), options, inputElements, outputs));
        return outputs;
    }

    // A vector that is added to a product which nobody else reads is added by the product.
    private SessionValue<T>? AddsBias(NodeProgram<T> node, SessionValue<T>?[] inputs, OnnxValue<T>?[] samples)
    {
        if (node.Operator != "Add" || Steps.LastOrDefault() is not ProductStep<T> { Bias: null } product)
        {
            return null;
        }

        for (var i = 0; i < 2; i++)
        {
            var (sum, other) = (inputs[i]!, inputs[1 - i]!);
            if (sum.Owner == product.Output && node.LastReads.Contains(node.Inputs[i]) && sum.Shape == samples[0]!.Shape && sum.Shape.Rank > 0
                && other is { IsConstant: true, IsFloatingPoint: true, Shape.Rank: 1 } && other.Length == sum.Shape[-1] && other.Length == product.Output.Shape[-1])
            {
                product.Bias = other.Live.Tensor;
                return sum.As(samples[0]!.Shape);
            }
        }

        return null;
    }
}
