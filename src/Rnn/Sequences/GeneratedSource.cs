using System.Globalization;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>
/// Batches that are made up as they are asked for, without end: the source of an artificial task. A batch follows from the random source, the pass and its position in the pass alone, so any place is reached without
/// making the batches before it, and a resumed training sees the same ones.
/// </summary>
/// <remarks>
/// A pass has no end unless <see cref="PassLength"/> says one; training ends by <c>MaxUpdates</c> or <c>MaxTime</c>, and a <c>foreach</c> by a <c>break</c>. For a fixed set to validate or test on keep some batches:
/// <c>source.Take(8).ToArray()</c>.
/// </remarks>
/// <example>
/// A task of one's own says how to make a batch:
/// <code>
/// sealed class Echo(RandomSource random) : GeneratedSource&lt;Tensor&lt;float&gt;&gt;(random)
/// {
///     protected override Tensor&lt;float&gt; Make(RandomSource random) => Tensor&lt;float&gt;.RandomUniform(random, 0, 1, 32, 100, 1);
/// }
/// </code>
/// </example>
/// <typeparam name="TBatch">What a batch is.</typeparam>
public abstract class GeneratedSource<TBatch> : BatchSource<TBatch>
{
    private (TBatch Batch, bool IsSet) _current;
    private RandomSource? _ofPass;
    private long _next;

    /// <summary>A source.</summary>
    /// <param name="random">Where the batches come from; null for a source that starts from the next seed of the process (see <see cref="RandomSource.SetSeed"/>).</param>
    protected GeneratedSource(RandomSource? random = null)
        : base(random ?? new RandomSource())
    {
    }

    /// <summary>The batches of a pass; null, the default, for no end. Each pass has batches of its own.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is not positive.</exception>
    public long? PassLength
    {
        get;
        init => field = OptionRange.AtLeast(1, value, nameof(PassLength));
    }

    /// <inheritdoc/>
    public override TBatch Current => _current.IsSet ? _current.Batch : throw new InvalidOperationException("Current: there is no batch before the first MoveNext().");

    /// <summary>Identifies the task for a checkpoint, which is resumed with the same only: the name of the type and what <see cref="Settings"/> says.</summary>
    public sealed override string Identity => string.Create(
        CultureInfo.InvariantCulture, $"{base.Identity} {Settings}{(PassLength is { } length ? $", passes of {length} batches" : string.Empty)}").TrimEnd();

    /// <inheritdoc/>
    internal override bool IsEndless => PassLength is null;

    /// <summary>What decides how batches are made, such as sizes, as text; empty unless overridden.</summary>
    protected virtual string Settings => string.Empty;

    /// <summary>Makes a batch.</summary>
    /// <param name="random">A source of this batch's own; nothing else may decide what stands in it.</param>
    protected abstract TBatch Make(RandomSource random);

    /// <inheritdoc/>
    protected sealed override void OnBeginPass()
    {
        _ofPass = new(Random!.NextUInt64());
        _next = 0;
        _current = default;
    }

    /// <inheritdoc/>
    protected sealed override bool OnSkip()
    {
        if (_next >= (PassLength ?? long.MaxValue))
        {
            return false;
        }

        _next++;
        return true;
    }

    /// <inheritdoc/>
    protected sealed override bool OnMoveNext()
    {
        if (!OnSkip())
        {
            return false;
        }

        _current = (Make(_ofPass!.Split((ulong)_next)), true);
        return true;
    }
}
