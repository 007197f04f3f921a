using System.Numerics;

namespace Rnn.Tensors;

/// <summary>
/// The memory behind one or more tensors: a stretch of an array that tensors share when one is a view of the other. A tensor reaches its
/// array only through here: so memory that a <see cref="TensorScope"/> took back or that someone is editing cannot be read, and when an
/// optimiser moves a parameter into its block, every alias of the parameter moves with it.
/// </summary>
internal sealed class Storage<T> : TensorScope.IScoped
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Null when it is out of reach: readers look at nothing else, so refusing them costs a working program nothing.
    private T[]? _array;
    private T[]? _edited;
    private int _lastEdit;
    private bool _isScoped;

    internal Storage(T[] array, int offset = 0, bool isPinned = false)
    {
        _array = array;
        Offset = offset;
        IsPinned = isPinned;
    }

    /// <summary>Whether the array never moves: it comes from the pool or was allocated so.</summary>
    internal bool IsPinned { get; private set; }

    /// <summary>The array; longer than the tensor where it comes from the pool or is a block.</summary>
    internal T[] Array => _array ?? throw OutOfReach();

    /// <summary>Where the elements begin in <see cref="Array"/>.</summary>
    internal int Offset { get; private set; }

    /// <summary>Counts the times that the elements were, or may have been, written to. Packed weights and recorded operations compare it.</summary>
    internal int Version { get; private set; }

    /// <summary>Whether someone has writable access now.</summary>
    internal bool IsBeingEdited => _edited is not null;

    /// <summary>Memory that a <see cref="TensorScope"/> lends and takes back when it ends.</summary>
    internal static Storage<T> OfScope(T[] rented) => new(rented, isPinned: true) { _isScoped = true };

    /// <summary>
    /// The version whose elements are known to be free of numbers too small to matter (<see cref="Kernels.Tiny{T}"/>): found so by a look at them, or left so by
    /// an optimiser.
    /// </summary>
    internal int CleanVersion { get; set; } = -1;

    /// <summary>How products read the elements where they are a matrix of weights: as they are, or from a compressed form.</summary>
    internal Kernels.PackedFormat Format { get; set; }

    /// <summary>Counts a write.</summary>
    internal void MarkWritten() => Version++;

    /// <summary>Counts a write by an optimiser, which leaves no numbers that are too small to matter.</summary>
    internal void MarkUpdated() => CleanVersion = ++Version;

    /// <summary>Makes every other access throw until <see cref="CloseEdit"/>.</summary>
    /// <returns>The number of the edit.</returns>
    internal int OpenEdit()
    {
        var array = Array;
        MarkWritten();
        _edited = array;
        _array = null;
        return ++_lastEdit;
    }

    /// <summary>The array, for the edit of this number.</summary>
    internal T[] EditedArray(int edit) => edit == _lastEdit && _edited is { } array
        ? array
        : throw new ObjectDisposedException(nameof(TensorEdit<T>), "This edit has ended; call Edit() of the tensor again.");

    /// <summary>Ends an edit, so that the elements can be read again; does nothing when it has ended already.</summary>
    internal void CloseEdit(int edit)
    {
        if (edit == _lastEdit && _edited is { } array)
        {
            _array = array;
            _edited = null;
        }
    }

    /// <summary>Moves the elements into a slice of a larger pinned block; they stay the same, and so does the version.</summary>
    internal void MoveTo(T[] block, int offset, int length)
    {
        var array = Array;
        array.AsSpan(Offset, length).CopyTo(block.AsSpan(offset, length));
        (_array, Offset, IsPinned) = (block, offset, true);
        if (_isScoped)
        {
            // What lies in a block outlives the scope that it was made in.
            _isScoped = false;
            TensorPool<T>.Return(array);
        }
    }

    /// <summary>Whether the elements lie in this block at this place.</summary>
    internal bool LiesIn(T[] block, int offset) => ReferenceEquals(Array, block) && Offset == offset;

    /// <summary>Gives the array to the pool at the end of a scope, unless it has moved into a block, or an edit still writes to it.</summary>
    void TensorScope.IScoped.Expire()
    {
        if (_isScoped)
        {
            var array = _array;
            (_array, _edited, _isScoped) = (null, null, false);
            if (array is not null)
            {
                TensorPool<T>.Return(array);
            }
        }
    }

    private Exception OutOfReach() => IsBeingEdited
        ? new InvalidOperationException(
            "This tensor is being edited: dispose what Edit() returned before the tensor is used: write `using (var edit = tensor.Edit()) { … }`.")
        : new ObjectDisposedException(
            "Tensor", "This tensor was made inside a TensorScope that has ended; copy what must outlive the scope with Clone() outside of it or ToArray() inside.");
}
