using System.Globalization;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>Batches of sequences of about equal length; each pass groups them again.</summary>
internal sealed class BucketSource<TBatch>(int[] lengths, int batchSize, RandomSource? random, Func<int[], TBatch> pad, Func<string> hash) : BatchSource<TBatch>(random)
{
    private IReadOnlyList<int[]> _plan = [];
    private int _next;
    private TBatch? _current;

    /// <inheritdoc/>
    public override TBatch Current => _current ?? throw new InvalidOperationException("Current: there is no batch before the first MoveNext().");

    /// <inheritdoc/>
    public override string Identity =>
        string.Create(CultureInfo.InvariantCulture, $"{lengths.Length} sequences ({hash()}), batches of {batchSize} by length{(Random is null ? string.Empty : ", shuffled")}");

    /// <inheritdoc/>
    protected override void OnBeginPass() => (_plan, _next) = (LengthBuckets.Plan(lengths, batchSize, Random), 0);

    /// <inheritdoc/>
    protected override bool OnSkip() => _next < _plan.Count && _next++ >= 0;

    /// <inheritdoc/>
    protected override bool OnMoveNext()
    {
        if (_next >= _plan.Count)
        {
            return false;
        }

        _current = pad(_plan[_next++]);
        return true;
    }
}
