using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers.Engine;

/// <summary>Refuses batches whose buffers exceed an array, before anything large is allocated.</summary>
internal static class EngineLimits
{
    /// <summary>Refuses a batch whose gates or states are more than an array holds.</summary>
    /// <param name="shape">The layer.</param>
    /// <param name="input">The input [N, T, I].</param>
    /// <param name="lengths">The length of each row, empty for all steps.</param>
    /// <param name="saves">Whether all steps are saved for a backward pass.</param>
    /// <exception cref="ArgumentException">The batch is too large.</exception>
    internal static void Check<T>(CellShape shape, Tensor<T> input, ReadOnlySpan<int> lengths, bool saves)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var rows = (long)input.Shape[0];
        var steps = lengths.IsEmpty ? rows * input.Shape[1] : 0L;
        foreach (var length in lengths)
        {
            steps += length;
        }

        // Without a backward pass one step of all rows at the least.
        var saved = saves ? steps : Math.Min(steps, rows);
        var layout = shape.Layout;
        var states = (layout.States.Count - 1) * (rows + saved);
        var values = ((saves ? layout.SavedValues : 0) + layout.Intermediates + (shape.ProjectionSize > 0 ? 1 : 0)) * saved;
        var columns = saved * layout.Gates.Count;
        var numbers = (states + values + columns) * shape.HiddenSize;
        if (numbers <= Array.MaxLength)
        {
            return;
        }

        var mend = saves ? "shorter windows, fewer rows at once, or NoGradient.Enter() where no gradients are wanted" : "fewer rows at once";
        throw new ArgumentException(
            $"input: {input.Shape} makes {saved} steps of {layout.Gates.Count} gates, states and saved values of {shape.HiddenSize} units, {numbers} numbers, "
            + $"but an array holds {Array.MaxLength}; use {mend}.",
            nameof(input));
    }
}
