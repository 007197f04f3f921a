using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers.Engine;

/// <summary>Memory of one pass: one pooled array, measured first and then handed out in cache-line pieces.</summary>
internal unsafe struct Workspace<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private T[]? _array;
    private nint _used;

    /// <summary>The bytes that are rented.</summary>
    internal readonly long Bytes => (_array?.Length ?? 0L) * sizeof(T);

    /// <summary>Adds a piece to what <see cref="Rent"/> will rent.</summary>
    internal void Reserve(nint length) => _used += CacheLine<T>.RoundUp(length);

    /// <summary>Rents the sum of all reserved pieces.</summary>
    /// <exception cref="InvalidOperationException">An array does not hold so much.</exception>
    internal void Rent()
    {
        var length = _used + CacheLine<T>.Length;
        if (length > Array.MaxLength)
        {
            throw new InvalidOperationException(
                $"A recurrent layer needs {length} numbers of memory for this batch in one piece, but an array holds {Array.MaxLength}; use shorter windows or fewer rows at once.");
        }

        _array = TensorPool<T>.Rent((int)length);
        _used = 0;
    }

    /// <summary>Makes memory for all reserved pieces that is no pool's and need not be returned: zeros.</summary>
    internal void Allocate()
    {
        _array = GC.AllocateArray<T>(checked((int)(_used + CacheLine<T>.Length)), pinned: true);
        _used = 0;
    }

    /// <summary>The next piece, of unknown content; pooled arrays are pinned.</summary>
    internal T* Take(nint length)
    {
        var piece = CacheLine<T>.Align((T*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_array!))) + _used;
        _used += CacheLine<T>.RoundUp(length);
        return piece;
    }

    /// <summary>Gives the memory back.</summary>
    internal void Return()
    {
        if (_array is { } array)
        {
            _array = null;
            TensorPool<T>.Return(array);
        }

        _used = 0;
    }
}
