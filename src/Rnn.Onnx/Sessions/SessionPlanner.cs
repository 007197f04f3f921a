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

    /// <summary>The most iterations of a loop in a run.</summary>
    internal long MaxIterations => options.MaxIterations;

    /// <summary>A planner with steps of its own and the same limits, for a graph inside a node.</summary>
    internal SessionPlanner<T> Inner() => new(options, inputElements);

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
        var foreign = values.Where(value => value is { IsConstant: false }).Select(value => value!.Owner).ToHashSet();
        var dead = new HashSet<int>();
        foreach (var node in graph.Nodes)
        {
            PlanNode(node, values, live, sum => !foreign.Contains(values[sum]!.Owner)
                && !Enumerable.Range(0, values.Length).Any(slot => slot != sum && !dead.Contains(slot) && values[slot]?.Owner == values[sum]!.Owner));
            dead.UnionWith(node.LastReads);
        }

        return Array.ConvertAll(graph.Outputs, slot => values[slot] ?? throw new InvalidDataException($"the output '{graph.Names[slot]}' was not made"));
    }

    // isOwn says of a value that this node reads last whether nothing else, in this graph or around it, reads the same memory.
    private void PlanNode(NodeProgram<T> node, SessionValue<T>?[] values, OnnxValue<T>?[] live, Func<int, bool> isOwn)
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

        if (node.Operator == "If" && inputs is [{ IsFloatingPoint: false, Length: 1, IsConstant: false } condition] && PlanBranches(node, condition, values) is { } branches)
        {
            SetOutputs(branches);
            return;
        }

        var scratch = (OnnxValue<T>?[])live.Clone();
        using (NoGradient.Enter())
        {
            GraphProgram<T>.RunNode(node, scratch, _run);
        }

        var samples = Array.ConvertAll(node.Outputs, slot => slot < 0 ? null : scratch[slot]);
        var isConstant = node.Operator is "Shape" or "Size" || (!RandomOperators.IsRandom(node.Operator) && node.Reads().All(slot => values[slot] is { IsConstant: true }));
        SetOutputs(isConstant
            ? Array.ConvertAll(samples, sample => sample is null ? null : SessionValue<T>.Constant(sample))
            : Shared(node, inputs, samples) ?? MovePlanner<T>.Plan(node, inputs, samples, Steps, _run) ?? Computed(node, inputs, samples, values, live, isOwn));

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

    // Both branches, where they give the same shapes or only one of them can run at all; else null.
    private SessionValue<T>?[]? PlanBranches(NodeProgram<T> node, SessionValue<T> condition, SessionValue<T>?[] values)
    {
        var (whenTrue, whenFalse) = (BranchStep<T>.Branch.Plan(node, "then_branch", values, this), BranchStep<T>.Branch.Plan(node, "else_branch", values, this));
        if ((whenTrue.Graph ?? whenFalse.Graph) is not { } graph || graph.Outputs.Length < node.Outputs.Length)
        {
            return null;
        }

        if (whenTrue.Graph is { } first && whenFalse.Graph is { } second
            ? first.Outputs.Length != second.Outputs.Length || !CarriedValues<T>.Fit(first.Outputs, second.Outputs)
            : (whenTrue.Error ?? whenFalse.Error) is null)
        {
            return null;
        }

        SessionValue<T>?[] outputs = [.. node.Outputs.Select((slot, i) => slot < 0 ? null : SessionValue<T>.Allocate(graph.Outputs[i].Live))];
        Steps.Add(new BranchStep<T>(condition, whenTrue, whenFalse, outputs));
        return outputs;
    }

    private SessionValue<T>?[] Computed(NodeProgram<T> node, SessionValue<T>?[] inputs, OnnxValue<T>?[] samples, SessionValue<T>?[] values, OnnxValue<T>?[] live, Func<int, bool> isOwn)
    {
        if (AddsBias(node, inputs, samples, isOwn) is { } sum)
        {
            return [sum];
        }

        var outputs = Array.ConvertAll(samples, sample => sample is null ? null : SessionValue<T>.Allocate(sample));
        var single = outputs is [{ } output, ..] && Array.TrueForAll(outputs[1..], other => other is null) ? output : null;
        var step = node.Operator switch
        {
            "Scan" => ScanStep<T>.Create(node, inputs, outputs, values, this),
            "Loop" => LoopStep<T>.Create(node, inputs, outputs, values, this),
            _ when RecurrentOperators.IsRecurrent(node.Operator) => RecurrentStep<T>.Create(node, inputs, outputs),
            _ when single is null || single.Live.IsSequence => null,
            _ => (single.IsFloatingPoint ? StepFactory<T>.Create(node, inputs, single, Steps) : null) ?? ElementSteps<T>.Create(node, inputs, single),
        };

        // Values that the node's own graphs read are among those that are live now.
        Steps.Add(step ?? new NodeStep<T>(node, (OnnxValue<T>?[])live.Clone(), options, inputElements, outputs));
        return outputs;
    }

    // A vector that is added to a product which nobody else reads is added by the product.
    private SessionValue<T>? AddsBias(NodeProgram<T> node, SessionValue<T>?[] inputs, OnnxValue<T>?[] samples, Func<int, bool> isOwn)
    {
        if (node.Operator != "Add" || Steps.LastOrDefault() is not ProductStep<T> { Bias: null } product)
        {
            return null;
        }

        for (var i = 0; i < 2; i++)
        {
            var (sum, other) = (inputs[i]!, inputs[1 - i]!);
            if (sum.Owner == product.Output && node.LastReads.Contains(node.Inputs[i]) && sum.Shape == samples[0]!.Shape && sum.Shape.Rank > 0
                && other is { IsConstant: true, IsFloatingPoint: true, Shape.Rank: 1 } && other.Length == sum.Shape[-1] && other.Length == product.Output.Shape[-1]
                && isOwn(node.Inputs[i]))
            {
                product.Bias = other.Live.Tensor;
                return sum.As(samples[0]!.Shape);
            }
        }

        return null;
    }
}
