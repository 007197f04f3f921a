using System.Numerics;
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

    /// <summary>Lets all sequences begin anew.</summary>
    internal void Forget() => State = null;

    /// <summary>Copies the state that a window ended with.</summary>
    internal void Keep(SequenceState<T> state)
    {
        if (_buffer is null || _buffer.Rows != state.Rows)
        {
            _buffer = state.Map(tensor => new Tensor<T>(new Storage<T>(new T[tensor.Length]), tensor.Shape), state.Rows);
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
            State?.ClearRows(rows);
        }
    }
}
