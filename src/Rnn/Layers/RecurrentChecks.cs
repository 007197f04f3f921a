using System.Globalization;
using System.Numerics;
using Rnn.Cells;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>What recurrent layers refuse, and how they say so.</summary>
internal static partial class RecurrentChecks
{
    internal static void Check(int inputSize, int hiddenSize, RecurrentOptions options, int projectionSize, CellLayout layout)
    {
        layout.Check();
        Positive(inputSize, nameof(inputSize));
        Positive(hiddenSize, nameof(hiddenSize));
        Positive(options.Layers, nameof(options.Layers));
        Positive(options.Heads, nameof(options.Heads));
        Probability(options.Dropout, nameof(options.Dropout));
        Probability(options.RecurrentDropout, nameof(options.RecurrentDropout));
        Probability(options.HiddenZoneout, nameof(options.HiddenZoneout));
        Probability(options.CellZoneout, nameof(options.CellZoneout));
        Probability(options.WeightDrop, nameof(options.WeightDrop));
        if (options.HiddenSizes is { } sizes)
        {
            if (sizes.Count == 0)
            {
                throw new ArgumentException("HiddenSizes: expected one size for each layer but got none.", nameof(options));
            }

            foreach (var size in sizes)
            {
                Positive(size, nameof(options.HiddenSizes));
            }
        }

        if (options.Bidirectional && options.Reverse)
        {
            throw new ArgumentException("Reverse: a bidirectional layer runs both ways already; choose one of the two.", nameof(options));
        }

        if (projectionSize < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(projectionSize), projectionSize, $"ProjectionSize: expected 0 (none) or more but got {projectionSize}.");
        }

        if (projectionSize > 0 && layout.States[0].CarriesGradient)
        {
            throw new ArgumentException(
                $"ProjectionSize: the cell '{layout.Name}' carries its hidden state on directly and cannot project it.", nameof(projectionSize));
        }

        if (projectionSize > 0 && projectionSize >= hiddenSize)
        {
            throw new ArgumentOutOfRangeException(
                nameof(projectionSize), projectionSize, $"ProjectionSize: expected less than the hidden size ({hiddenSize}) but got {projectionSize}.");
        }

        CheckHeads(hiddenSize, options, projectionSize, layout);
        CheckEffects(inputSize, hiddenSize, options, projectionSize, layout);
    }

    /// <summary>Refuses a layer one of whose matrices no array can hold.</summary>
    internal static void CheckSize(CellLayout layout, int width, int hiddenSize, int projectionSize, int heads)
    {
        var columns = width;
        foreach (var product in layout.Products)
        {
            var readsOutput = product.Source is { Kind: not OperandKind.Intermediate, Index: 0 };
            columns = Math.Max(columns, (readsOutput && projectionSize > 0 ? projectionSize : hiddenSize) / heads);
        }

        var weights = (UInt128)(uint)layout.Gates.Count * (uint)hiddenSize * (uint)columns;
        if (weights > (uint)Array.MaxLength)
        {
            throw new ArgumentException(
                $"hiddenSize: {layout.Gates.Count} gates of {hiddenSize} units that read {columns} numbers have {weights} weights, more than an array can hold ({Array.MaxLength}); choose less.",
                nameof(hiddenSize));
        }
    }

    internal static void CheckBatch<T>(Tensor<T> input, ReadOnlySpan<int> lengths, int inputSize, string name = "input", string sizeName = "InputSize")
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.Rank != 3 || input.Shape[2] != inputSize)
        {
            throw new ArgumentException(
                $"{name}: expected [batch, steps, {inputSize}] but got {input.Shape}; the last dimension must be {sizeName} ({inputSize}).", name);
        }

        if (lengths.Length == 0)
        {
            return;
        }

        if (lengths.Length != input.Shape[0])
        {
            throw new ArgumentException(
                $"lengths: expected {input.Shape[0]} lengths, one for each row of {name}, but got {lengths.Length}.", nameof(lengths));
        }

        for (var row = 0; row < lengths.Length; row++)
        {
            if (lengths[row] < 0 || lengths[row] > input.Shape[1])
            {
                throw new ArgumentOutOfRangeException(
                    nameof(lengths), lengths[row], $"lengths: expected 0 to {input.Shape[1]} steps but row {row} has {lengths[row]}.");
            }
        }
    }

    private static void CheckHeads(int hiddenSize, RecurrentOptions options, int projectionSize, CellLayout layout)
    {
        if (options.Heads == 1)
        {
            return;
        }

        ThrowIf(layout.Products.Count == 0, nameof(options.Heads), $"the cell '{layout.Name}' has no recurrent matrix that heads could divide.");
        foreach (var size in (options.HiddenSizes ?? new[] { hiddenSize }).Append(projectionSize))
        {
            ThrowIf(
                size % options.Heads != 0, nameof(options.Heads),
                $"expected a number that divides {(size == projectionSize ? "the projection size" : "the hidden size")} {size} but got {options.Heads}.");
        }
    }

    private static void Positive(int value, string name)
    {
        if (value < 1)
        {
            throw new ArgumentOutOfRangeException(name, value, $"{name}: expected 1 or more but got {value}.");
        }
    }

    private static void Probability(double value, string name)
    {
        if (!(value >= 0 && value < 1))
        {
            throw new ArgumentOutOfRangeException(
                name, value, string.Create(CultureInfo.InvariantCulture, $"{name}: expected a probability from 0 to below 1 but got {value}."));
        }
    }
}
