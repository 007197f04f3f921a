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

    /// <summary>
    /// The same batches, made ahead of time on a thread of the pool while the program works on the one before: for batches that take time to load or to make. They come in the same order, and a state saved there is the
    /// place of the batches given, whatever has been made ahead; it may be restored here and the other way round.
    /// </summary>
    /// <param name="count">The most batches that wait to be taken.</param>
    /// <returns>A source that has this one for itself: nothing else may move this one meanwhile. It begins with a new pass.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The count is not positive.</exception>
    public PrefetchSource<TBatch> Prefetch(int count = 2) => new(this, OptionRange.AtLeast(1, count, nameof(count)));

    /// <summary>Begins the next pass, in an order of its own where there is a random source.</summary>
    public void BeginPass()
    {
        OnLeavePlace();
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

        OnLeavePlace();
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
            if (!Skip())
            {
                throw new InvalidDataException($"state: a position of {position} lies beyond the end of these data, which have {Position} batches.");
            }
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

    /// <summary>The source whose place is moved: this one, but for a source that reads from another.</summary>
    internal virtual BatchSource<TBatch> Root => this;

    /// <summary>Whether a pass goes on for ever.</summary>
    internal virtual bool IsEndless => false;

    /// <summary>Begins a pass of a given number.</summary>
    internal void BeginPass(int pass)
    {
        Pass = pass - 1;
        BeginPass();
    }

    /// <summary>Goes past the next batch.</summary>
    internal bool Skip()
    {
        if (!OnSkip())
        {
            return false;
        }

        Position++;
        return true;
    }

    /// <summary>Leaves the source as if this pass had not begun.</summary>
    internal void UndoPass()
    {
        OnLeavePlace();
        Random?.Adopt(_random);
        (Pass, Position) = (Pass - 1, 0);
    }

    /// <summary>Goes to before the first batch of a pass, and puts the batches into its order by drawing from <see cref="Random"/>, where there is one; only here may a source draw from it.</summary>
    protected abstract void OnBeginPass();

    /// <summary>Makes the next batch the current one.</summary>
    /// <returns>False after the last one.</returns>
    protected abstract bool OnMoveNext();

    /// <summary>Goes past the next batch, which nobody looks at. As <see cref="OnMoveNext"/> unless overridden by something faster.</summary>
    /// <returns>False after the last one.</returns>
    protected virtual bool OnSkip() => OnMoveNext();

    /// <summary>
    /// The current batch in an object of its own, which stays as it is when the source moves on: what <see cref="Prefetch"/> keeps. <see cref="Current"/> itself unless overridden; a source that fills the same object again
    /// gives a copy.
    /// </summary>
    protected internal virtual TBatch CopyCurrent() => Current;

    /// <summary>Called before the source goes to another place than the next batch.</summary>
    private protected virtual void OnLeavePlace()
    {
    }
}
