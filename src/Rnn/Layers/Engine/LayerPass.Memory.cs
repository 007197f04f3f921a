using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers.Engine;

/// <content>What a pass holds in memory, and initial states and gains without numbers too small to matter.</content>
internal sealed unsafe partial class LayerPass<T>
{
    // Tables up to so many times as long as a batch needs stay, and small ones.
    private const int SpareTables = 16;
    private const int SmallTables = 1 << 13;

    /// <summary>The bytes that are rented for a backward pass to come.</summary>
    internal long KeptBytes
    {
        get
        {
            var bytes = 0L;
            foreach (var direction in _directions)
            {
                bytes += direction.KeptBytes;
            }

            return bytes;
        }
    }

    /// <summary>The bytes of its tables, which stay when the memory is given back.</summary>
    internal long TableBytes => TableLength() * sizeof(nint);

    /// <summary>Whether the tables are far longer than the last batch needed.</summary>
    internal bool IsOversize
    {
        get
        {
            var length = TableLength();
            return length > SmallTables && length / SpareTables > _directions.Length * ((long)Plan.Total + Plan.Rows);
        }
    }

    private long TableLength()
    {
        var length = 0L;
        for (var d = 0; d < _directions.Length; d++)
        {
            length += _directions[d].TableLength + _gradientOffsets[d].Length;
        }

        return length;
    }

    // An initial state, or gains, with zeros for what is too small to matter; as it is where there is nothing such.
    private static Tensor<T> Clean(Tensor<T> state)
    {
        fixed (T* values = state.AsReadOnlySpan())
        {
            if (!Tiny<T>.IsAny(values, state.Length))
            {
                return state;
            }

            var clean = Tensor<T>.Uninitialized(state.Shape);
            fixed (T* copy = clean.AsSpan())
            {
                Tiny<T>.CopyFlushed(values, copy, state.Length);
            }

            return clean;
        }
    }
}
