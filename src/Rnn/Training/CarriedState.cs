using System.Numerics;
using Rnn.Formats;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>A state that is carried from window to window in memory of its own, outside of any scope.</summary>
internal sealed class CarriedState<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private SequenceState<T>? _buffer;

    /// <summary>The state to start the next window from; null where all sequences begin.</summary>
    internal SequenceState<T>? State { get; private set; }

    /// <summary>Starts all sequences from their initial state again.</summary>
    internal void Forget() => State = null;

    /// <summary>Copies the state that a window ended with.</summary>
    internal void Keep(SequenceState<T> state)
    {
        if (_buffer is null || _buffer.Rows != state.Rows)
        {
            _buffer = state.InOwnMemory();
        }
        else
        {
            _buffer.CopyFrom(state);
        }

        State = _buffer;
    }

    /// <summary>Starts the sequences of some rows from their initial state again.</summary>
    internal void ResetRows(ReadOnlySpan<bool> rows)
    {
        if (!rows.Contains(false))
        {
            Forget();
        }
        else if (rows.Contains(true))
        {
            State?.ClearRows(rows);
        }
    }

    /// <summary>Saves the state, if there is one.</summary>
    internal void SaveState(StateTree<T> state)
    {
        if (State is not { } carried)
        {
            return;
        }

        // Names have one line each.
        state.Set("rows", carried.Rows);
        state.Set("names", string.Join('\n', carried.Names));
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
        if (!state.Contains("rows"))
        {
            return;
        }

        try
        {
            var names = state.GetText("names") is { Length: > 0 } text ? text.Split('\n') : [];
            var tensors = names.Select((name, i) => (name, state.FindTensor($"{i}") ?? throw new InvalidDataException($"The saved state lacks the carried state '{name}'.")));
            Keep(new((int)state.GetInt64("rows"), [.. tensors]));
        }
        catch (ArgumentException exception)
        {
            throw new InvalidDataException($"The saved state's carried state does not fit together: {exception.Message}", exception);
        }
    }
}
