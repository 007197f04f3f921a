using System.Diagnostics;
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
    private const int Alignment = 64;

    private T[]? _array;
    private nint _used;

    /// <summary>The bytes that are rented.</summary>
    internal readonly long Bytes => (_array?.Length ?? 0L) * sizeof(T);

    /// <summary>Adds a piece to what <see cref="Rent"/> will rent.</summary>
    internal void Reserve(nint length) => _used += Round(length);

    /// <summary>Rents the sum of all reserved pieces.</summary>
    /// <exception cref="InvalidOperationException">An array does not hold so much.</exception>
    internal void Rent()
    {
        var length = _used + (Alignment / sizeof(T));
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
        _array = GC.AllocateArray<T>(checked((int)(_used + (Alignment / sizeof(T)))), pinned: true);
        _used = 0;
    }

    /// <summary>The next piece, of unknown content; pooled arrays are pinned.</summary>
    internal T* Take(nint length)
    {
        var start = (nuint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_array!));
        var aligned = (T*)((start + Alignment - 1) & ~(nuint)(Alignment - 1));
        var piece = aligned + _used;
        _used += Round(length);
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

    private static nint Round(nint length)
    {
        var lanes = Alignment / sizeof(T);
        return (length + lanes - 1) / lanes * lanes;
    }
}

/// <summary>
/// Scratch memory of the current thread for kernels: grows to the largest request, which the sizes of layers and caches bound and not those of
/// batches, and shrinks to the need where memory was trimmed in between.
/// </summary>
internal static unsafe class Scratch<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    [ThreadStatic]
    private static T[]? _array;

    [ThreadStatic]
    private static nint[]? _offsets;

    // Debug builds, and so the tests, notice who writes past the end of what was asked for: on the heap that breaks something else, some time later.
    private const int GuardLength = 16;

    [ThreadStatic]
    private static int _guarded;

    [ThreadStatic]
    private static int _epoch;

    [ThreadStatic]
    private static int _offsetEpoch;

    /// <summary>At least <paramref name="length"/> elements of unknown content, good until the next call on this thread.</summary>
    internal static T* Get(nint length)
    {
        CheckGuard();
        var needed = length + GuardLength;
        if (_array is null || _array.Length < needed || TrimEpoch.LetsGo(ref _epoch, _array.Length, needed))
        {
            _array = null;
            _array = GC.AllocateUninitializedArray<T>(checked((int)needed), pinned: true);
        }

        SetGuard((int)length);
        return (T*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_array));
    }

    /// <summary>Room for at least <paramref name="length"/> row offsets, good until the next call on this thread.</summary>
    internal static nint* GetOffsets(int length)
    {
        if (_offsets is null || _offsets.Length < length || TrimEpoch.LetsGo(ref _offsetEpoch, _offsets.Length, length))
        {
            _offsets = GC.AllocateUninitializedArray<nint>(length, pinned: true);
        }

        return (nint*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_offsets));
    }

    [Conditional("DEBUG")]
    private static void SetGuard(int length)
    {
        _guarded = length;
        _array.AsSpan(length, GuardLength).Fill(T.Pi);
    }

    [Conditional("DEBUG")]
    private static void CheckGuard()
    {
        if (_array is not null && _array.AsSpan(_guarded, GuardLength).ContainsAnyExcept(T.Pi))
        {
            throw new InvalidOperationException($"A kernel wrote past the {_guarded} elements of scratch memory that were asked for.");
        }
    }
}
