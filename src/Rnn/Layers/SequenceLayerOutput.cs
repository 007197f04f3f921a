using System.Numerics;
using Rnn.Layers.Engine;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>What a sequence layer gives for a batch of sequences: <c>var (output, state) = layer.Forward(x, state);</c>.</summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public class SequenceLayerOutput<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly int[] _lengths = [];
    private Tensor<T>? _last;

    /// <summary>An output whose <see cref="Last"/> is the output at each row's last valid step.</summary>
    /// <param name="output">The output at every step [N, T, O], zeros past the end of each row.</param>
    /// <param name="finalState">The state after each row's last valid step.</param>
    /// <param name="lengths">The valid steps of each row; empty for T.</param>
    public SequenceLayerOutput(Tensor<T> output, SequenceState<T> finalState, ReadOnlySpan<int> lengths = default)
        : this(output, finalState, last: null) => _lengths = lengths.ToArray();

    internal SequenceLayerOutput(Tensor<T> output, SequenceState<T> finalState, Tensor<T>? last)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(finalState);
        (Output, FinalState, _last) = (output, finalState, last);
    }

    /// <summary>The output at every step, [N, T, <c>OutputSize</c>]; zeros past the end of each row.</summary>
    public Tensor<T> Output { get; }

    /// <summary>The state after each row's last valid step, to go on from.</summary>
    public SequenceState<T> FinalState { get; }

    /// <summary>
    /// One output for each row, [N, <c>OutputSize</c>], which has seen all of it: what a classifier reads. That is the output after the row's last valid step; of a backward direction, the
    /// one at its first step. Rows without steps give zeros, or of a recurrent layer their initial hidden state.
    /// </summary>
    public Tensor<T> Last => _last ??= ResidualSum.AtEnd(Output, _lengths, backward: false);

    /// <summary>The output and the final state.</summary>
    public void Deconstruct(out Tensor<T> output, out SequenceState<T> finalState) => (output, finalState) = (Output, FinalState);
}
