using System.Collections;
using Rnn.Formats;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>
/// Batches of some data, pass after pass, from a position that can be saved and restored, so that a training on them can be resumed. With a random source
/// each pass has an order of its own, which follows from the source.
/// </summary>
/// <remarks>
/// A source has one position and so one reader at a time. To enumerate it begins a pass.
/// </remarks>
/// <typeparam name="TBatch">What a batch is.</typeparam>
public abstract class BatchSource<TBatch> : IEnumerable<TBatch>
{
    private RandomState _random;

    /// <summary>A source.</summary>
    /// <param name="random">Where the order of each pass comes from; null for the order given.</param>
    protected BatchSource(RandomSource? random = null) => Random = random;

    /// <summary>Where the order of each pass comes from; null for the order given.</summary>
    public RandomSource? Random { get; }

    /// <summary>The number of the pass, from 1; 0 before the first.</summary>
    public int Pass { get; private set; }

    /// <summary>The batches of this pass that <see cref="MoveNext"/> has given.</summary>
    public long Position { get; private set; }

    /// <summary>The batch that <see cref="MoveNext"/> went to.</summary>
    public abstract TBatch Current { get; }

    /// <summary>
    /// Identifies the data and how they are cut into batches, for example by sizes and a hash: a checkpoint is resumed with the same only. The name of the type
    /// unless overridden.
    /// </summary>
    public virtual string Identity => GetType().Name.Split('`')[0];

    /// <summary>Begins the next pass, in an order of its own where there is a random source.</summary>
    public void BeginPass()
    {
        _random = Random?.GetState() ?? default;
        Pass++;
        Position = 0;
        OnBeginPass();
    }

    /// <summary>Goes back to the beginning of this pass, whose order stays the same.</summary>
    public void Reset()
    {
        if (Pass > 0)
        {
            UndoPass();
            BeginPass();
        }
    }

    /// <summary>Goes to the next batch of the pass, of the first one where none has begun.</summary>
    /// <returns>False after the last one.</returns>
    public bool MoveNext()
    {
        if (Pass == 0)
        {
            BeginPass();
        }

        if (!OnMoveNext())
        {
            return false;
        }

        Position++;
        return true;
    }

    /// <summary>Saves the place: the pass, the position in it and where the random source stood when it began.</summary>
    /// <param name="state">Where to.</param>
    public void SaveState(StateValues state)
    {
        ArgumentNullException.ThrowIfNull(state);
        state.Set("pass", Pass);
        state.Set("position", Position);
        if (Random is not null)
        {
            state.Set("random", Pass > 0 ? _random : Random.GetState());
        }
    }

    /// <summary>Returns to a place of the same data: the next batch is the one that would have come next there.</summary>
    /// <param name="state">What <see cref="SaveState"/> saved.</param>
    /// <exception cref="InvalidDataException">The state is damaged, or the data have no such place.</exception>
    public void RestoreState(StateValues state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var (pass, position) = (state.GetInt64("pass"), state.GetInt64("position"));
        if (pass is < 0 or > int.MaxValue || position < 0)
        {
            throw new InvalidDataException($"state: expected a pass and a position of 0 or more but got {pass} and {position}.");
        }

        Random?.Adopt(state.GetRandomState("random"));
        (Pass, Position) = ((int)pass, 0);
        if (pass == 0)
        {
            return;
        }

        Pass--;
        BeginPass();
        while (Position < position)
        {
            if (!OnSkip())
            {
                throw new InvalidDataException($"state: a position of {position} lies beyond the end of these data, which have {Position} batches.");
            }

            Position++;
        }
    }

    /// <summary>Begins a pass and enumerates its batches.</summary>
    /// <exception cref="InvalidOperationException">Another pass has begun since.</exception>
    public IEnumerator<TBatch> GetEnumerator()
    {
        BeginPass();
        var pass = Pass;
        while (true)
        {
            if (pass != Pass)
            {
                throw new InvalidOperationException("Another pass over this source has begun since; it has one place, so walk through one pass after the other.");
            }

            if (!MoveNext())
            {
                yield break;
            }

            yield return Current;
        }
    }

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Leaves the source as if this pass had not begun.</summary>
    internal void UndoPass()
    {
        Random?.Adopt(_random);
        (Pass, Position) = (Pass - 1, 0);
    }

    /// <summary>Goes to before the first batch of a pass, and puts the batches into its order by drawing from <see cref="Random"/>, where there is one.</summary>
    protected abstract void OnBeginPass();

    /// <summary>Makes the next batch the current one.</summary>
    /// <returns>False after the last one.</returns>
    protected abstract bool OnMoveNext();

    /// <summary>Goes past the next batch, which nobody looks at. As <see cref="OnMoveNext"/> unless overridden by something faster.</summary>
    /// <returns>False after the last one.</returns>
    protected virtual bool OnSkip() => OnMoveNext();
}
