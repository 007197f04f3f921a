using System.Numerics;
using Rnn.Formats;
using Rnn.Layers;

namespace Rnn.Training;

/// <summary>
/// The states that a task carries from window to window, one for each part of its rows: all of them, or in a group of processes the own one. They are saved as one state of all rows, so that a training goes on with any number of parts.
/// </summary>
internal sealed class CarriedParts<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private CarriedState<T>[] _parts = [new()];

    /// <summary>The state of all rows, where they are not cut.</summary>
    internal CarriedState<T> Whole => _parts[0];

    /// <summary>The state of a part.</summary>
    internal CarriedState<T> this[int part] => _parts[part];

    /// <summary>Cuts what is carried into as many parts; nothing where it is cut so already.</summary>
    internal void Cut(int parts)
    {
        if (_parts.Length == parts)
        {
            return;
        }

        var whole = Joined();
        _parts = [.. Enumerable.Range(0, parts).Select(_ => new CarriedState<T>())];
        for (var part = 0; part < parts && whole is not null; part++)
        {
            if (RowParts.Of(whole.Rows, part, parts) is (var start, > 0 and var count))
            {
                _parts[part].Keep(whole.SelectRows([.. Enumerable.Range(start, count)]));
            }
        }
    }

    /// <summary>Starts all sequences from their initial state again.</summary>
    internal void Forget() => Array.ForEach(_parts, part => part.Forget());

    /// <summary>Saves the state of all rows, if there is one.</summary>
    internal void SaveState(StateTree<T> state)
    {
        if (Joined() is { } whole)
        {
            var carried = new CarriedState<T>();
            carried.Keep(whole);
            carried.SaveState(state);
        }
    }

    /// <summary>Takes back what <see cref="SaveState"/> saved.</summary>
    /// <exception cref="InvalidDataException">The state is damaged or of something else.</exception>
    internal void RestoreState(StateTree<T> state)
    {
        _parts = [new()];
        Whole.RestoreState(state);
    }

    // Parts without rows have no state; else all have one or none has.
    private SequenceState<T>? Joined() => _parts.Select(part => part.State).OfType<SequenceState<T>>().ToArray() is { Length: > 0 } states ? SequenceState<T>.Concat(states) : null;
}
