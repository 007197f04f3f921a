using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Rnn.Cells;
using Rnn.Layers.Engine;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <content>What happens to values and weights around each layer: dropout, weight-drop, merging of directions, residual connections.</content>
public partial class RecurrentLayer<T>
{
    /// <summary>The source of all masks of dropout, zoneout and weight-drop.</summary>
    public RandomSource Random { get; }

    private protected override string Regularization => string.Create(
        CultureInfo.InvariantCulture, $"dropout {Options.Dropout}, recurrent dropout {Options.RecurrentDropout}, weight-drop {Options.WeightDrop}");

    /// <summary>
    /// The states that sequences begin with for a batch of <paramref name="rows"/> rows: zeros, or with <see cref="RecurrentOptions.LearnedInitialState"/> the
    /// learned ones, through which gradients flow back to their parameters.
    /// </summary>
    /// <param name="rows">N.</param>
    public override SequenceState<T> InitialState(int rows)
    {
        var zeros = ZeroState(rows);
        return _initial is null ? zeros : new(rows, _stateNames, [.. zeros.Tensors.Zip(_initial, (zero, learned) => zero.Add(learned.Value))]);
    }

    /// <summary>
    /// Calls a visitor with the type of the layer's cell, which this class does not know: so the cell's step can be run over a vector type of one's own, for example one that records what is computed.
    /// </summary>
    /// <typeparam name="TResult">What the visit gives.</typeparam>
    /// <param name="visitor">The visitor.</param>
    /// <exception cref="InvalidOperationException">The layer has activations of choice (<see cref="Activations"/>), which are no part of its cell's <c>Forward</c>.</exception>
    [Experimental("RNN001")]
    public TResult VisitCell<TResult>(ICellVisitor<TResult> visitor)
    {
        ArgumentNullException.ThrowIfNull(visitor);
        return _engines[0].Cell.Accept(visitor);
    }

    /// <summary>The cell of a layer with its sizes.</summary>
    internal CellShape ShapeOf(int layer) => _engines[layer].Shape;

    /// <summary>A parameter of the forward direction of a layer, by its place among the shape's slots.</summary>
    internal Parameter<T> Weight(int layer, int slot) => _weights[layer][0][slot];

    private bool Separates => Directions == 2 && Options.Merge == DirectionMerge.Separate;

    // The seed of a layer's masks in training: a run draws one number for each layer whose steps need masks.
    private ulong? MaskSeed() => !IsTraining ? null : Options.HasMasks ? Random.NextUInt64() : 0;

    // What a layer above the first reads.
    private Tensor<T> Dropped(Tensor<T> input, int layer) =>
        layer > 0 && IsTraining && Options.Dropout > 0 ? input.Dropout(Options.Dropout, Random) : input;

    // The weights of a layer; where they drop, the recurrent matrices with a new mask.
    private Tensor<T>[][] Values(int layer, bool drops)
    {
        var slots = _engines[layer].Shape.Slots;
        var values = new Tensor<T>[Directions][];
        for (var direction = 0; direction < Directions; direction++)
        {
            values[direction] = new Tensor<T>[slots.Count];
            for (var slot = 0; slot < slots.Count; slot++)
            {
                var value = _weights[layer][direction][slot].Value;
                values[direction][slot] = drops && slots[slot].Kind == WeightKind.Recurrent ? value.Dropout(Options.WeightDrop, Random) : value;
            }
        }

        return values;
    }

    private Tensor<T> Merged(Tensor<T> output) =>
        Merges ? DirectionSum.Apply(output, Options.Merge == DirectionMerge.Mean ? T.CreateTruncating(0.5) : T.One) : output;

    private bool AddsInput(int layer, int inputWidth) => Options.Residual && inputWidth == OutputWidth(layer);

    private int OutputWidth(int layer) => _engines[layer].Shape.OutputSize * (Merges ? 1 : Directions);

    // The final hidden states of the top layer as its outputs come: side by side or merged, with the input where that is added.
    private Tensor<T> LastOutput(Tensor<T>[] final, Tensor<T> topInput, ReadOnlySpan<int> lengths)
    {
        var last = final[final.Length - (Directions * States)];
        if (Directions == 2)
        {
            var backward = final[final.Length - States];
            last = Merges ? last + backward : Tensor<T>.Concat([last, backward], 1);
            last = Merges && Options.Merge == DirectionMerge.Mean ? last * T.CreateTruncating(0.5) : last;
        }

        if (!AddsInput(LayerCount - 1, topInput.Shape[2]))
        {
            return last;
        }

        if (Directions == 1)
        {
            return last + ResidualSum.AtEnd(topInput, lengths, Options.Reverse);
        }

        var (atLast, atFirst) = (ResidualSum.AtEnd(topInput, lengths, backward: false), ResidualSum.AtEnd(topInput, lengths, backward: true));
        if (Merges)
        {
            return last + ((atLast + atFirst) * T.CreateTruncating(0.5));
        }

        var half = OutputSize / 2;
        return last + Tensor<T>.Concat([atLast.Slice(1, ..half), atFirst.Slice(1, half..)], 1);
    }
}
