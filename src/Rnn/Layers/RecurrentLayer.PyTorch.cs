using Rnn.Formats;
using Rnn.Layers.Engine;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <content>State dicts of PyTorch.</content>
public partial class RecurrentLayer<T>
{
    /// <summary>The parameters of a single layer in one direction as PyTorch's cells (<c>LSTMCell</c>, <c>GRUCell</c>, <c>RNNCell</c>) name them: <c>weight_ih</c>, <c>weight_hh</c>, <c>bias_ih</c>, <c>bias_hh</c>. They are loaded
    /// as the names of a layer are.</summary>
    /// <param name="prefix">What to put before each name, with its dot: <c>cell.</c>.</param>
    /// <exception cref="NotSupportedException">There are several layers or directions or a projection, or PyTorch has no such cell; the message says what.</exception>
    public IReadOnlyList<KeyValuePair<string, Tensor<T>>> ToPyTorchCell(string prefix = "")
    {
        ArgumentNullException.ThrowIfNull(prefix);
        return LayerCount == 1 && Directions == 1 && ProjectionSize == 0
            ? ToPyTorch(PyTorchParts(prefix, null, isCell: true))
            : throw new NotSupportedException($"{prefix}: a cell of PyTorch is one layer in one direction without projection, and this is {Description}.");
    }

    private protected override IEnumerable<PyTorchPart<T>> PyTorchParts(string prefix, WeightFile? file) =>
        PyTorchParts(prefix, file, isCell: LayerCount == 1 && Directions == 1 && file is not null && PyTorchSizes.IsCell(file, prefix));

    private IEnumerable<PyTorchPart<T>> PyTorchParts(string prefix, WeightFile? file, bool isCell)
    {
        if (PyTorchGates.Of(Layout) is not { } gates || WhatPyTorchLacks(isWritten: file is null) is not null)
        {
            throw new NotSupportedException($"{prefix}{(prefix.Length == 0 ? string.Empty : " ")}PyTorch cannot hold this {TypeName} ({Description}): {WhatPyTorchLacks(isWritten: true)}.");
        }

        return Enumerable.Range(0, LayerCount * Directions).SelectMany(index =>
        {
            var (layer, direction) = (index / Directions, index % Directions);
            var suffix = isCell ? string.Empty : $"_l{layer}{(direction == 1 ? "_reverse" : string.Empty)}";
            var shape = _engines[layer].Shape;
            return shape.Slots.Select((slot, i) => Part(slot, _weights[layer][direction][i].Value, shape.HiddenSize, suffix));
        });

        PyTorchPart<T> Part(WeightSlot slot, Tensor<T> weight, int hidden, string suffix) => slot.Kind switch
        {
            WeightKind.Input => new PyTorchGateRows<T>(weight, $"{prefix}{slot.Name}{suffix}", gates.Input, gates.Negated),
            WeightKind.Recurrent => new PyTorchGateRows<T>(weight, $"{prefix}{slot.Name}{suffix}", gates.RecurrentRows, gates.Negated),
            WeightKind.Bias => new PyTorchBiases<T>(weight, hidden, $"{prefix}bias_ih{suffix}", $"{prefix}bias_hh{suffix}", gates.Input, gates.Recurrent, gates.Negated),
            _ => new PyTorchPart<T>(weight, weight.Shape, $"{prefix}{slot.Name}{suffix}"),
        };
    }

    // What is read may go into a layer that does more around the same weights.
    private string? WhatPyTorchLacks(bool isWritten) =>
        PyTorchGates.Of(Layout) is null ? $"it has LSTM, GRU (reset after the product) and RNN with tanh or relu, without peepholes, coupled gates or layer normalisation, and no cell '{Layout.Name}'"
        : Options.Heads > 1 ? "it has no heads"
        : ProjectionSize > 0 && !Layout.GateOrder.StartsWith(PyTorchGates.Lstm, StringComparison.Ordinal) ? "it projects the hidden state of an LSTM only"
        : !isWritten ? null
        : HiddenSizes.Distinct().Skip(1).Any() ? $"its layers have one hidden size, not {string.Join(", ", HiddenSizes)}"
        : Options.Reverse ? "it has no layer that only runs back in time"
        : Merges ? $"it concatenates the two directions; Merge is {Options.Merge}"
        : Options.Residual ? "it has no residual connections"
        : Options.HiddenZoneout > 0 || Options.CellZoneout > 0 ? "it has no zoneout, which also acts in evaluation"
        : Options.LearnedInitialState ? "it has no learned initial state"
        : null;
}
