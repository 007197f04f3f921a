using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers.Engine;

/// <summary>One recurrent layer in the graph: its inputs are the input, the initial states and the weights, in this order.</summary>
internal sealed class RecurrentNode<T> : GraphNode<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly int _states;
    private readonly int _slots;
    private LayerPass<T>? _pass;

    private RecurrentNode(LayerEngine<T> engine, LayerPass<T> pass, Tensor<T>?[] inputs, Tensor<T> output, int outputs)
        : base(inputs, outputs)
    {
        _pass = pass;
        _states = engine.Directions * engine.Shape.Layout.States.Count;
        _slots = engine.Shape.Slots.Count;
        Program = engine.Program;
        Output = output;
    }

    /// <summary>The layer's input.</summary>
    internal Tensor<T> Input => Inputs[0]!;

    /// <summary>The layer's output.</summary>
    internal Tensor<T> Output { get; }

    /// <summary>What a step of the layer does.</summary>
    internal StepProgram Program { get; }

    /// <summary>The gate values [gates·H] that a forward pass has left for a packed row of the first direction, until a backward pass overwrites them.</summary>
    internal ReadOnlySpan<T> GateValues(int row) => _pass!.GateValues(row);

    /// <summary>Whether the gradient of the input is wanted.</summary>
    internal bool WantsInput => Needs(0);

    /// <summary>An initial state, null for zeros.</summary>
    internal Tensor<T>? Initial(int index) => Inputs[1 + index];

    /// <summary>Whether the gradient of an initial state is wanted.</summary>
    internal bool WantsInitial(int index) => Needs(1 + index);

    /// <summary>The gradient of a final state, empty for zeros.</summary>
    internal ReadOnlySpan<T> FinalGradient(int index) => OutputGradient(1 + index);

    /// <summary>The gradient of the sequence of a state other than the hidden one, empty for zeros.</summary>
    internal ReadOnlySpan<T> SequenceGradient(int state) =>
        HasSequences ? OutputGradient(_states + state) : default;

    /// <summary>The gradient of the input, to overwrite or to add to.</summary>
    internal Span<T> InputGradient(out bool overwrite) => InputGradient(0, out overwrite);

    /// <summary>The gradient of an initial state to add to, empty where it is not wanted.</summary>
    internal Span<T> InitialGradient(int index) => WantsInitial(index) ? InputGradient(1 + index) : default;

    /// <summary>The gradient of a weight, to overwrite or to add to, empty where it is not wanted.</summary>
    internal Span<T> WeightGradient(int direction, int slot, out bool overwrite)
    {
        var input = 1 + _states + (direction * _slots) + slot;
        overwrite = false;
        return Needs(input) ? InputGradient(input, out overwrite) : default;
    }

    private bool HasSequences { get; init; }

    /// <summary>Records a pass that has saved what the backward pass needs.</summary>
    internal static void Record(
        LayerEngine<T> engine, LayerPass<T> pass, Tensor<T> input, Tensor<T>?[] initial, Tensor<T>[][] values, Tensor<T> output, ReadOnlySpan<Tensor<T>> final,
        Tensor<T>[]? sequences)
    {
        var slots = engine.Shape.Slots.Count;
        var inputs = new Tensor<T>?[1 + initial.Length + (engine.Directions * slots)];
        inputs[0] = input;
        initial.CopyTo(inputs, 1);
        for (var d = 0; d < engine.Directions; d++)
        {
            values[d].CopyTo(inputs, 1 + initial.Length + (d * slots));
        }

        var states = engine.Shape.Layout.States.Count;
        var outputs = 1 + final.Length + (sequences is null ? 0 : states - 1);
        var node = new RecurrentNode<T>(engine, pass, inputs, output.Detach(), outputs) { HasSequences = sequences is not null };
        node.SaveMemory(pass, pass.SavedBytes);
        node.Attach(output);
        for (var i = 0; i < final.Length; i++)
        {
            node.Attach(final[i], 1 + i);
        }

        for (var state = 1; state < states && sequences is not null; state++)
        {
            node.Attach(sequences[state], final.Length + state);
        }
    }

    internal override void Backward() => _pass!.Backward(this, IsKept);

    protected override void OnRelease() => _pass = null;
}
