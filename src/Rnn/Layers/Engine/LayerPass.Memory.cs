using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers.Engine;

/// <content>What a pass holds in memory, and initial states without numbers too small to matter.</content>
internal sealed unsafe partial class LayerPass<T>
{
    // Tables are kept that are small, or at most this many times longer than the last batch needed.
    private const int SpareTables = 16;
    private const int SmallTables = 1 << 13;

    /// <summary>The bytes that are rented for a backward pass to come.</summary>
    internal long SavedBytes
    {
        get
        {
            var bytes = 0L;
            foreach (var direction in _directions)
            {
                bytes += direction.SavedBytes;
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
        foreach (var direction in _directions)
        {
            length += direction.TableLength;
        }

        return length;
    }

    // An initial state with zeros for what is too small to matter; as it is where there is nothing such.
    private static Tensor<T> Flushed(Tensor<T> state)
    {
        fixed (T* values = state.AsReadOnlySpan())
        {
            if (!Tiny<T>.IsAny(values, state.Length))
            {
                return state;
            }

            var flushed = Tensor<T>.Uninitialized(state.Shape);
            fixed (T* copy = flushed.AsSpan())
            {
                Tiny<T>.CopyFlushed(values, copy, state.Length);
            }

            return flushed;
        }
    }
}
