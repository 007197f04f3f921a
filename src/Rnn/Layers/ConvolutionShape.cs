using System.Numerics;

namespace Rnn.Layers;

/// <summary>
/// What a causal convolution of a batch looks like. The <em>patch</em> of a step is what its output is a product of: the inputs of the taps, the oldest first, and behind them the step's condition.
/// </summary>
/// <param name="Rows">The rows N.</param>
/// <param name="Steps">The steps T.</param>
/// <param name="Inputs">The size I of the convolved input.</param>
/// <param name="ConditionSize">The size C of what is read of the present step alone; 0 for none.</param>
/// <param name="Outputs">The size of the product.</param>
/// <param name="Kernel">The number of taps K.</param>
/// <param name="Dilation">The steps d from one tap to the next.</param>
/// <param name="Lengths">The valid steps of each row.</param>
internal sealed record ConvolutionShape(int Rows, int Steps, int Inputs, int ConditionSize, int Outputs, int Kernel, int Dilation, int[] Lengths)
{
    /// <summary>How many steps the oldest tap looks back, (K − 1)·d.</summary>
    internal int Reach { get; } = checked((Kernel - 1) * Dilation);

    /// <summary>The size of a patch, K·I + C.</summary>
    internal int PatchSize { get; } = checked((Kernel * Inputs) + ConditionSize);

    /// <summary>The shape of a batch whose rows have these lengths; empty for T.</summary>
    internal static ConvolutionShape Of(int rows, int steps, int inputs, int conditionSize, int outputs, int kernel, int dilation, ReadOnlySpan<int> lengths)
    {
        var all = lengths.ToArray();
        if (all.Length == 0)
        {
            all = new int[rows];
            Array.Fill(all, steps);
        }

        return new(rows, steps, inputs, conditionSize, outputs, kernel, dilation, all);
    }

    /// <summary>Clears what lies past the ends of the rows of [N, T, size].</summary>
    internal void ClearPastEnds<T>(Span<T> values, int size)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var row = 0; row < Rows; row++)
        {
            values.Slice(((row * Steps) + Lengths[row]) * size, (Steps - Lengths[row]) * size).Clear();
        }
    }
}
