using System.Numerics;
using Rnn.Autograd;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>The last inputs of each row, which a causal convolution goes on from, as one recorded operation.</summary>
internal sealed class HistoryNode<T> : GraphNode<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly int[] _lengths;

    private HistoryNode(Tensor<T> state, Tensor<T> input, int[] lengths)
        : base([state, input]) => _lengths = lengths;

    /// <inheritdoc/>
    private protected override bool ReadsInputs => false;

    /// <summary>The last P steps of each row of the state with the valid steps of the input behind it.</summary>
    /// <param name="state">[N, P, I].</param>
    /// <param name="input">[N, T, I].</param>
    /// <param name="lengths">The lengths; empty for T.</param>
    /// <returns>[N, P, I].</returns>
    internal static Tensor<T> Apply(Tensor<T> state, Tensor<T> input, ReadOnlySpan<int> lengths)
    {
        var all = ConvolutionShape.Of(input.Shape[0], input.Shape[1], input.Shape[2], 0, 0, 1, 1, lengths).Lengths;
        var output = Tensor<T>.Uninitialized(state.Shape);
        var from = state.AsReadOnlySpan();
        var behind = input.AsReadOnlySpan();
        var to = output.AsSpan();
        for (var row = 0; row < all.Length; row++)
        {
            var part = Part.Of(state, input, row, all[row]);
            from.Slice(part.OldStart, part.OldCount).CopyTo(to[part.Start..]);
            behind.Slice(part.NewStart, part.NewCount).CopyTo(to[(part.Start + part.OldCount)..]);
        }

        return Graph.Records(state, input) ? new HistoryNode<T>(state, input, all).Attach(output) : output;
    }

    internal override void Backward()
    {
        var (state, input) = (Inputs[0]!, Inputs[1]!);
        var gradient = OutputGradient();
        for (var which = 0; which < 2; which++)
        {
            if (!Needs(which))
            {
                continue;
            }

            var target = InputGradient(which);
            for (var row = 0; row < _lengths.Length; row++)
            {
                var part = Part.Of(state, input, row, _lengths[row]);
                var (start, to, count) = which == 0 ? (part.Start, part.OldStart, part.OldCount) : (part.Start + part.OldCount, part.NewStart, part.NewCount);
                for (var i = 0; i < count; i++)
                {
                    target[to + i] += gradient[start + i];
                }
            }
        }
    }

    /// <summary>Where the new state of a row begins, and which numbers of the old one and of the input it holds.</summary>
    private readonly record struct Part(int Start, int OldStart, int OldCount, int NewStart, int NewCount)
    {
        internal static Part Of(Tensor<T> state, Tensor<T> input, int row, int length)
        {
            var (reach, steps, size) = (state.Shape[1], input.Shape[1], input.Shape[2]);
            var taken = Math.Min(reach, length);
            return new(row * reach * size, ((row * reach) + taken) * size, (reach - taken) * size, ((row * steps) + length - taken) * size, taken * size);
        }
    }
}
