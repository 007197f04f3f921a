using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>The states of a recurrent layer by layer and direction: tensors [N, size] named <c>h_l0</c>, <c>c_l0</c>, <c>h_l0_reverse</c>, …</summary>
public static class RecurrentStates
{
    /// <summary>The hidden state [N, size] of a layer; a negative layer counts from the top.</summary>
    /// <param name="state">The state of a recurrent layer.</param>
    /// <param name="layer">The layer, −1 for the top one.</param>
    /// <param name="direction">0 forward, 1 backward.</param>
    /// <exception cref="ArgumentException">There is no such layer or direction.</exception>
    public static Tensor<T> Hidden<T>(this SequenceState<T> state, int layer = -1, int direction = 0)
        where T : unmanaged, IFloatingPointIeee754<T> => Get(state, 0, layer, direction);

    /// <summary>The cell state [N, H] of an LSTM's layer, of another cell its second state; a negative layer counts from the top.</summary>
    /// <param name="state">The state of a recurrent layer.</param>
    /// <param name="layer">The layer, −1 for the top one.</param>
    /// <param name="direction">0 forward, 1 backward.</param>
    /// <exception cref="ArgumentException">There is no such layer or direction, or the cell has no second state, as a GRU.</exception>
    public static Tensor<T> Cell<T>(this SequenceState<T> state, int layer = -1, int direction = 0)
        where T : unmanaged, IFloatingPointIeee754<T> => Get(state, 1, layer, direction);

    /// <summary>The hidden states of all layers and directions as one tensor [L·D, N, size], as PyTorch gives <c>h_n</c>; the layers must be of one size.</summary>
    /// <param name="state">The state of a recurrent layer.</param>
    /// <exception cref="ArgumentException">The state is not of a recurrent layer, or its layers differ in size.</exception>
    public static Tensor<T> StackHidden<T>(this SequenceState<T> state)
        where T : unmanaged, IFloatingPointIeee754<T> => Stack(state, 0);

    /// <summary>The cell states of all layers and directions as one tensor [L·D, N, H], as PyTorch gives <c>c_n</c>; the layers must be of one size.</summary>
    /// <param name="state">The state of a recurrent layer whose cell has a second state.</param>
    /// <exception cref="ArgumentException">The state has no cell states, or its layers differ in size.</exception>
    public static Tensor<T> StackCell<T>(this SequenceState<T> state)
        where T : unmanaged, IFloatingPointIeee754<T> => Stack(state, 1);

    /// <summary>The name of a state: the cell's letter for it, the layer, the direction.</summary>
    internal static string Name(string letter, int layer, int direction) => $"{letter}{Suffix(layer, direction)}";

    private static string Suffix(int layer, int direction) => $"_l{layer}{(direction == 1 ? "_reverse" : string.Empty)}";

    private static Tensor<T> Get<T>(SequenceState<T> state, int index, int layer, int direction)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentOutOfRangeException.ThrowIfNegative(direction);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(direction, 1);
        var layers = 0;
        while (Of(state, layers, 0).Any())
        {
            layers++;
        }

        if (layers == 0)
        {
            throw NotRecurrent(state);
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(layer, -layers);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(layer, layers);
        return Of(state, layer < 0 ? layer + layers : layer, direction).Skip(index).FirstOrDefault()
            ?? throw new ArgumentException($"state: expected a state of number {index} for layer {layer}, direction {direction}, but it has {string.Join(", ", state.Names)}.", nameof(state));
    }

    private static IEnumerable<Tensor<T>> Of<T>(SequenceState<T> state, int layer, int direction)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var suffix = Suffix(layer, direction);
        return state.Tensors.Where((_, i) => state.Names[i].EndsWith(suffix, StringComparison.Ordinal) && !state.Names[i].Contains('.', StringComparison.Ordinal));
    }

    private static Tensor<T> Stack<T>(SequenceState<T> state, int index)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(state);
        var found = new List<Tensor<T>>();
        for (var layer = 0; Of(state, layer, 0).Any(); layer++)
        {
            found.AddRange(Of(state, layer, 0).Skip(index).Take(1));
            found.AddRange(Of(state, layer, 1).Skip(index).Take(1));
        }

        return found.Count > 0
            ? Tensor<T>.Stack([.. found])
            : throw NotRecurrent(state);
    }

    private static ArgumentException NotRecurrent<T>(SequenceState<T> state)
        where T : unmanaged, IFloatingPointIeee754<T> => new(
            $"state: expected the state of a recurrent layer, such as h_l0, but it has {string.Join(", ", state.Names)}; of a chain, take the state of one layer by Part.", nameof(state));
}
