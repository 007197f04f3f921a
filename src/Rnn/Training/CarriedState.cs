using System.Numerics;
using Rnn.Formats;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>A state that is carried from window to window in memory of its own, outside of any scope.</summary>
internal sealed class CarriedState<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private RecurrentState<T>? _buffer;

    /// <summary>The state to start the next window from; null where all sequences begin.</summary>
    internal RecurrentState<T>? State { get; private set; }

    /// <summary>Lets all sequences begin anew.</summary>
    internal void Forget() => State = null;

    /// <summary>Copies the state that a window ended with.</summary>
    internal void Keep(RecurrentState<T> state)
    {
        if (_buffer is null || _buffer.Rows != state.Rows)
        {
            _buffer = RecurrentState<T>.FromTensors(
                [.. state.Tensors.Select(tensor => new Tensor<T>(new Storage<T>(new T[tensor.Length]), tensor.Shape))], state.Layers, state.Directions);
        }

        _buffer.CopyFrom(state);
        State = _buffer;
    }

    /// <summary>Lets the sequences of some rows begin anew.</summary>
    internal void ResetRows(ReadOnlySpan<bool> rows)
    {
        if (!rows.Contains(false))
        {
            Forget();
        }
        else if (rows.Contains(true))
        {
            State?.ResetRows(rows);
        }
    }

    /// <summary>Saves the state, if there is one.</summary>
    internal void SaveState(StateTree<T> state)
    {
        if (State is not { } carried)
        {
            return;
        }

        state.Set("count", carried.Tensors.Count);
        state.Set("layers", carried.Layers);
        state.Set("directions", carried.Directions);
        foreach (var (i, tensor) in carried.Tensors.Index())
        {
            state.Add($"{i}", tensor);
        }
    }

    /// <summary>Takes back what <see cref="SaveState"/> saved.</summary>
    /// <exception cref="InvalidDataException">The state is damaged or of something else.</exception>
    internal void RestoreState(StateTree<T> state)
    {
        Forget();
        if (!state.Contains("count"))
        {
            return;
        }

        try
        {
            var tensors = Enumerable.Range(0, (int)state.GetInt64("count"))
                .Select(i => state.FindTensor($"{i}") ?? throw new InvalidDataException($"The saved state lacks the carried state {i}."));
            Keep(RecurrentState<T>.FromTensors([.. tensors], (int)state.GetInt64("layers"), (int)state.GetInt64("directions")));
        }
        catch (ArgumentException exception)
        {
            throw new InvalidDataException($"The saved state's carried state does not fit together: {exception.Message}", exception);
        }
    }
}
