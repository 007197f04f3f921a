using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>
/// The states of a recurrent layer between two windows of a sequence: for each layer and direction the hidden state and, for an LSTM,
/// the cell state, each [N, size].
/// </summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class RecurrentState<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Tensor<T>[] _tensors;

    internal RecurrentState(Tensor<T>[] tensors, int layers, int directions)
    {
        _tensors = tensors;
        Layers = layers;
        Directions = directions;
    }

    /// <summary>The number of stacked layers.</summary>
    public int Layers { get; }

    /// <summary>One, or two for a bidirectional layer.</summary>
    public int Directions { get; }

    /// <summary>States of each layer and direction: 2 for an LSTM (h, c), 1 for a GRU or plain RNN (h).</summary>
    public int StatesPerLayer => _tensors.Length / (Layers * Directions);

    /// <summary>The number of batch rows N.</summary>
    public int Rows => _tensors[0].Shape[0];

    /// <summary>All tensors: layer by layer, in each forward before backward, in each h before c.</summary>
    public IReadOnlyList<Tensor<T>> Tensors => _tensors;

    /// <summary>A state made of tensors in the order of <see cref="Tensors"/>.</summary>
    /// <param name="tensors">Each [N, size]; the layer checks the sizes when it is used.</param>
    /// <param name="layers">The number of stacked layers.</param>
    /// <param name="directions">One or two.</param>
    /// <exception cref="ArgumentException">The number of tensors does not divide among layers and directions, or they differ in rows.</exception>
    public static RecurrentState<T> FromTensors(IReadOnlyList<Tensor<T>> tensors, int layers, int directions = 1)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        if (layers < 1 || directions is < 1 or > 2 || tensors.Count == 0 || tensors.Count % (layers * directions) != 0)
        {
            throw new ArgumentException(
                $"tensors: {tensors.Count} tensors do not divide among {layers} layers of {directions} directions.", nameof(tensors));
        }

        foreach (var tensor in tensors)
        {
            if (tensor.Rank != 2 || tensor.Shape[0] != tensors[0].Shape[0])
            {
                throw new ArgumentException(
                    $"tensors: expected states [N, size] of equal N but got {tensors[0].Shape} and {tensor.Shape}.", nameof(tensors));
            }
        }

        return new([.. tensors], layers, directions);
    }

    /// <summary>The hidden state [N, size] of a layer; a negative layer counts from the top.</summary>
    /// <param name="layer">The layer, −1 for the top one.</param>
    /// <param name="direction">0 forward, 1 backward.</param>
    public Tensor<T> Hidden(int layer = -1, int direction = 0) => this[0, layer, direction];

    /// <summary>The cell state [N, H] of an LSTM's layer; a negative layer counts from the top.</summary>
    /// <param name="layer">The layer, −1 for the top one.</param>
    /// <param name="direction">0 forward, 1 backward.</param>
    /// <exception cref="ArgumentOutOfRangeException">The layer has no cell state.</exception>
    public Tensor<T> Cell(int layer = -1, int direction = 0) => this[1, layer, direction];

    /// <summary>A state by its number in the cell: 0 is the hidden state.</summary>
    public Tensor<T> this[int state, int layer, int direction = 0]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(state);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(state, StatesPerLayer);
            ArgumentOutOfRangeException.ThrowIfLessThan(layer, -Layers);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(layer, Layers);
            ArgumentOutOfRangeException.ThrowIfNegative(direction);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(direction, Directions);
            return _tensors[((((layer + Layers) % Layers * Directions) + direction) * StatesPerLayer) + state];
        }
    }

    /// <summary>The same values without history, so that gradients stop at the border of two windows.</summary>
    public RecurrentState<T> Detach() => new(Array.ConvertAll(_tensors, tensor => tensor.Detach()), Layers, Directions);

    /// <summary>A copy in memory of its own, without history; it outlives a <see cref="TensorScope"/> when made outside of it.</summary>
    public RecurrentState<T> Clone() => new(Array.ConvertAll(_tensors, Copy), Layers, Directions);

    /// <summary>Sets the states of chosen rows to zero in place, for rows in which a new sequence begins.</summary>
    /// <remarks>
    /// In place, so it also changes tensors that share memory with these. A state with history refuses: call it after <c>Backward</c>, or on
    /// <see cref="Clone"/>. To let gradients flow through the rows that stay, fill the tensors of <see cref="Tensors"/> by <c>MaskedFill</c>.
    /// </remarks>
    /// <param name="rows">For each of the N rows whether to reset it.</param>
    /// <exception cref="ArgumentException">There is not one choice for each row.</exception>
    /// <exception cref="InvalidOperationException">The state is the result of a recorded operation, whose values the backward pass may need.</exception>
    public void ResetRows(ReadOnlySpan<bool> rows)
    {
        if (rows.Length != Rows)
        {
            throw new ArgumentException($"rows: expected {Rows} choices, one for each row of the state, but got {rows.Length}.", nameof(rows));
        }

        CheckWritable(nameof(ResetRows));
        foreach (var tensor in _tensors)
        {
            var values = tensor.AsSpan();
            var size = tensor.Shape[1];
            for (var row = 0; row < rows.Length; row++)
            {
                if (rows[row])
                {
                    values.Slice(row * size, size).Clear();
                }
            }
        }
    }

    /// <summary>Copies the values of another state of the same sizes into this one.</summary>
    /// <exception cref="ArgumentException">The sizes differ.</exception>
    /// <exception cref="InvalidOperationException">This state is the result of a recorded operation, whose values the backward pass may need.</exception>
    public void CopyFrom(RecurrentState<T> other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other._tensors.Length != _tensors.Length)
        {
            throw new ArgumentException($"other: expected {_tensors.Length} tensors but got {other._tensors.Length}.", nameof(other));
        }

        CheckWritable(nameof(CopyFrom));
        for (var i = 0; i < _tensors.Length; i++)
        {
            if (other._tensors[i].Shape != _tensors[i].Shape)
            {
                throw new ArgumentException($"other: expected {_tensors[i].Shape} but got {other._tensors[i].Shape}.", nameof(other));
            }

            other._tensors[i].AsReadOnlySpan().CopyTo(_tensors[i].AsSpan());
        }
    }

    internal Tensor<T> At(int index) => _tensors[index];

    // All before the first is written, so that a refusal changes nothing.
    private void CheckWritable(string member)
    {
        foreach (var tensor in _tensors)
        {
            tensor.CheckWritable(member);
        }
    }

    private static Tensor<T> Copy(Tensor<T> tensor)
    {
        var copy = Tensor<T>.Uninitialized(tensor.Shape);
        tensor.AsReadOnlySpan().CopyTo(copy.AsSpan());
        return copy;
    }
}
