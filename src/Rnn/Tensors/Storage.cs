using System.Numerics;

namespace Rnn.Tensors;

/// <summary>
/// The memory behind one or more tensors: an array that tensors share when one is a reshaped view or a slice of a parameter block.
/// A tensor reaches its array only through here, so that memory which a <see cref="TensorScope"/> took back can no longer be read.
/// </summary>
internal sealed class Storage<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private T[]? _array;

    internal Storage(T[] array, bool isPinned = false)
    {
        _array = array;
        IsPinned = isPinned;
    }

    /// <summary>Whether the array never moves: it comes from the pool or was allocated so.</summary>
    internal bool IsPinned { get; }

    /// <summary>The array; longer than the tensor where it comes from the pool.</summary>
    internal T[] Array => _array ?? throw new ObjectDisposedException(
        "Tensor", "This tensor was made inside a TensorScope that has ended; copy what must outlive the scope with Clone() outside of it or ToArray() inside.");

    /// <summary>Counts the times that someone asked for writable access; caches of packed weights compare it.</summary>
    internal int Version { get; set; }

    /// <summary>Takes the array away, for the pool to use again.</summary>
    internal T[]? Expire()
    {
        var array = _array;
        _array = null;
        return array;
    }
}
