using System.Numerics;
using Rnn.Cells;
using Rnn.Layers.Engine;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>
/// A sequence layer whose gates depend on the input alone, so that h = a⊙h₋ + b: one product of the whole sequence gives all gates, and a loop over time that works unit by unit (a scan) the
/// states. Its products are those of two or three gates of the input, where an LSTM has four of the input and four of the state; its output is its state. Stacks are made with <see cref="SequenceChain{T}"/>.
/// </summary>
/// <remarks>
/// Parameters are <c>gates.weight</c> [gates·H, I] and <c>gates.bias</c> [gates·H], gates in the order of the formulas; the state is <c>h</c> [N, H]. In time the layer runs step after step: the
/// parallel scan of the papers does more work in fewer steps, for processors with thousands of threads.
/// </remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public abstract class ScanLayer<T> : SequenceLayer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private static readonly string[] Names = ["h"];

    private protected ScanLayer(ScanKernels<T> kernels, int inputSize, int hiddenSize, LinearOptions options, int heads = 1)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(inputSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(hiddenSize);
        (Kernels, HiddenSize) = (kernels, hiddenSize);
        var columns = checked(kernels.Gates * hiddenSize);
        Gates = AddModule("gates", heads == 1 ? new Linear<T>(inputSize, columns, options) : new(inputSize, columns, options, heads, kernels.Gates));
    }

    /// <inheritdoc/>
    public sealed override int InputSize => Gates.InputSize;

    /// <inheritdoc/>
    public sealed override int OutputSize => HiddenSize;

    /// <summary>The hidden size H.</summary>
    public int HiddenSize { get; }

    /// <summary>The product that gives the pre-activations of all gates.</summary>
    public Linear<T> Gates { get; }

    /// <inheritdoc/>
    protected override string Description => $"{InputSize} → {HiddenSize}{(Gates.Bias is null ? ", no bias" : string.Empty)}";

    internal ScanKernels<T> Kernels { get; }

    /// <summary>A number for each unit [H] that the scan reads, recorded; null where the cell has none.</summary>
    internal virtual Tensor<T>? PerUnit => null;

    /// <summary>What <see cref="PerUnit"/> is made of.</summary>
    internal virtual Parameter<T>? PerUnitSource => null;

    /// <inheritdoc/>
    public sealed override SequenceState<T> ZeroState(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        return new(rows, Names, [Tensor<T>.Zeros(rows, HiddenSize)]);
    }

    /// <inheritdoc/>
    public sealed override SequenceLayerOutput<T> Forward(Tensor<T> input, ReadOnlySpan<int> lengths, SequenceState<T>? initialState = null)
    {
        var initial = CheckBatch(input, lengths, initialState).At(0);
        var (rows, steps) = (input.Shape[0], input.Shape[1]);

        // What lies past the end of a row may be anything; the product would carry it into the weights' gradient.
        input = StepMask.ClearPastEnds(input, lengths);
        var output = ScanRun<T>.Forward(Kernels, Gates.Forward(input), initial, Kernels.ReadsInput ? input : null, PerUnit, lengths);
        var last = ResidualSum.AtEnd(output, lengths, backward: false);
        return new(output, new(rows, Names, [steps == 0 ? initial : KeepsInitial(lengths) is { } mask ? Tensor<T>.Where(mask, initial, last) : last]), last);
    }

    /// <inheritdoc/>
    public sealed override SequenceStepper<T> CreateStepper(int rows = 1) => new ScanStepper<T>(this, rows);

    // [N, 1]: the rows without steps; null where there are none.
    private static Tensor<T>? KeepsInitial(ReadOnlySpan<int> lengths)
    {
        if (lengths.IndexOf(0) < 0)
        {
            return null;
        }

        var mask = new T[lengths.Length];
        for (var row = 0; row < mask.Length; row++)
        {
            mask[row] = lengths[row] == 0 ? T.One : T.Zero;
        }

        return Tensor<T>.From(mask, mask.Length, 1);
    }
}
