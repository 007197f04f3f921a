using System.Numerics;
using Rnn.Cells;
using Rnn.Layers;

namespace Rnn.Onnx.Export;

/// <summary>
/// The element-wise part of a cell's step as nodes. It is not written down again: the cell's own <c>Forward</c> runs once over <see cref="SymbolicVector{T}"/>, which records its operations, a cell of a user's own alike. Only the
/// cells whose functions are polynomials there (softplus, elu, gelu), or are chosen when a layer is made, are said by their equations.
/// </summary>
internal static class CellEquations
{
    private const string Normalized = "-layernorm";

    internal static void Write<T>(RecurrentLayer<T> layer, StepValues step, int phase)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var name = step.Layout.Name;
        name = name.EndsWith(Normalized, StringComparison.Ordinal) ? name[..^Normalized.Length] : name;
        if (layer.Activations is { } activations)
        {
            ActivatedEquations.Write(activations, step, name, phase);
        }
        else if (name is "slstm" or "slstm-expforget")
        {
            SLstm(step.Graph, step, exponentialForget: name != "slstm");
        }
        else if (ActivationWriter.OfCell(name, "rnn-") is { } plain)
        {
            step.Next[0] = ActivationWriter.Write(step.Graph, plain, step.Gates[0]!);
        }
        else if (ActivationWriter.OfCell(name, "indrnn-") is { } independent)
        {
            step.Next[0] = ActivationWriter.Write(step.Graph, independent, step.Graph.Add(step.Gates[0]!, step.Graph.Multiply(step.UnitWeights[0], step.Previous[0])));
        }
        else
        {
            layer.VisitCell(new Tracer<T>(step, phase));
        }
    }

    // c and n are held divided by eᵐ; gates i f z o, states h c n m.
    private static void SLstm(OnnxGraph graph, StepValues step, bool exponentialForget)
    {
        var (input, forget, cell, output) = (step.Gates[0]!, step.Gates[1]!, graph.Tanh(step.Gates[2]!), graph.Sigmoid(step.Gates[3]!));
        var logForget = exponentialForget ? forget : graph.Unary("Neg", graph.Unary("Softplus", graph.Unary("Neg", forget)));
        var (c, n) = (step.Previous[1], step.Previous[2]);
        var isEmpty = graph.Compare("Equal", n, graph.Scalar(0));
        var kept = graph.Add(logForget, graph.Where(isEmpty, graph.Scalar(-1e30), step.Previous[3]));
        var m = graph.Binary("Max", kept, input);
        var (i, f) = (graph.Unary("Exp", graph.Subtract(input, m)), graph.Unary("Exp", graph.Subtract(kept, m)));
        step.Next[1] = graph.Add(graph.Multiply(f, c), graph.Multiply(i, cell));
        step.Next[2] = graph.Add(graph.Multiply(f, n), i);
        step.Next[3] = m;
        step.Next[0] = graph.Multiply(output, graph.Divide(step.Next[1], step.Next[2]));
    }

    private sealed class Tracer<T>(StepValues step, int phase) : ICellVisitor<bool>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public bool Visit<TCell>()
            where TCell : struct, ICell
        {
            TCell.Forward<SymbolicStep<T>, SymbolicVector<T>, T>(phase, new(step));
            return true;
        }
    }

    /// <summary>A step whose values are those of a graph.</summary>
    private readonly struct SymbolicStep<T>(StepValues step) : IForwardStep<SymbolicVector<T>, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // A gate that neither input, product nor bias feeds is zero.
        public SymbolicVector<T> Gate(int gate) => step.Gates[gate] is { } value ? new(step.Graph, value) : SymbolicVector<T>.Zero;

        public void SetGate(int gate, SymbolicVector<T> value) => step.Gates[gate] = value.In(step.Graph);

        public void SaveGate(int gate, SymbolicVector<T> value)
        {
        }

        public void SaveValue(int index, SymbolicVector<T> value)
        {
        }

        public SymbolicVector<T> Previous(int state) => new(step.Graph, step.Previous[state]);

        public SymbolicVector<T> Next(int state) => new(step.Graph, step.Next[state]);

        public void SetNext(int state, SymbolicVector<T> value) => step.Next[state] = Whole(value, state);

        public SymbolicVector<T> Intermediate(int index) => new(step.Graph, step.Intermediates[index]);

        public void SetIntermediate(int index, SymbolicVector<T> value) => step.Intermediates[index] = Whole(value, 0);

        public SymbolicVector<T> UnitWeight(int index) => new(step.Graph, step.UnitWeights[index]);

        // A number alone, or a weight without anything of the batch, has not the rows of a state.
        private OnnxGraphValue Whole(SymbolicVector<T> value, int state) =>
            value.IsNumber ? step.Graph.Add(step.Graph.Multiply(step.Previous[state], step.Graph.Scalar(0)), value.In(step.Graph)) : value.In(step.Graph);
    }
}
