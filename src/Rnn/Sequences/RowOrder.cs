using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>The order of the rows of a pass, shuffled anew for each where there is a random source, and the place in it.</summary>
internal sealed class RowOrder(int count, int batchSize)
{
    private readonly int[] _order = new int[count];
    private int _next;

    /// <summary>Begins a pass.</summary>
    internal void Begin(RandomSource? random)
    {
        for (var i = 0; i < _order.Length; i++)
        {
            _order[i] = i;
        }

        random?.Shuffle(_order.AsSpan());
        _next = 0;
    }

    /// <summary>Passes over a batch; false where there is none left.</summary>
    internal bool Skip()
    {
        var any = _next < _order.Length;
        _next = Math.Min(_next + batchSize, _order.Length);
        return any;
    }

    /// <summary>The rows of the next batch, empty at the end of the pass.</summary>
    internal ReadOnlySpan<int> Take()
    {
        var rows = _order.AsSpan(_next, Math.Min(batchSize, _order.Length - _next));
        _next += rows.Length;
        return rows;
    }
}
