using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers.Engine;

/// <summary>What does not fit into one array: said before anything large is allocated.</summary>
internal static class EngineLimits
{
    /// <summary>Refuses a batch whose gate columns or states are more than an array holds.</summary>
    /// <param name="shape">The layer.</param>
    /// <param name="input">The input [N, T, I].</param>
    /// <param name="lengths">The length of each row, empty for all steps.</param>
    /// <param name="keep">Whether all steps are kept for a backward pass.</param>
    /// <exception cref="ArgumentException">The batch is too large.</exception>
    internal static void Check<T>(CellShape shape, Tensor<T> input, ReadOnlySpan<int> lengths, bool keep)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var rows = (long)input.Shape[0];
        var steps = lengths.IsEmpty ? rows * input.Shape[1] : 0L;
        foreach (var length in lengths)
        {
            steps += length;
        }

        // Without a backward pass one step of all rows at the least.
        var kept = keep ? steps : Math.Min(steps, rows);
        var layout = shape.Layout;
        var states = (layout.States.Count - 1) * (rows + kept);
        var values = ((keep ? layout.KeptValues : 0) + layout.MadeValues + (shape.ProjectionSize > 0 ? 1 : 0)) * kept;
        var columns = kept * layout.Gates.Count;
        var numbers = (states + values + columns) * shape.HiddenSize;
        if (numbers <= Array.MaxLength)
        {
            return;
        }

        var mend = keep ? "shorter windows, fewer rows at once, or NoGradient.Scope() where no gradients are wanted" : "fewer rows at once";
        throw new ArgumentException(
            $"input: {input.Shape} makes {kept} steps of {layout.Gates.Count} gates, states and kept values of {shape.HiddenSize} units, {numbers} numbers, "
            + $"but an array holds {Array.MaxLength}; use {mend}.",
            nameof(input));
    }
}
