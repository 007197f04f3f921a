using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Rnn.Kernels;

/// <summary>
/// Scratch memory of the current thread: grows to the largest request, which the sizes of layers and caches bound and not those of batches, and
/// shrinks to the need where memory was trimmed in between (<see cref="TrimEpoch"/>).
/// </summary>
internal static unsafe class Scratch<T>
    where T : unmanaged
{
    [ThreadStatic]
    private static Piece<T> _ofKernels;

    [ThreadStatic]
    private static Piece<T> _ofShares;

    [ThreadStatic]
    private static Piece<T> _ofWeights;

    [ThreadStatic]
    private static Piece<nint> _offsets;

    /// <summary>At least <paramref name="length"/> elements of unknown content, good until the next call on this thread.</summary>
    internal static T* Get(nint length) => _ofKernels.Get(length);

    /// <summary>The same for a thread's share of a product, which may run while the thread uses what <see cref="Get"/> gave.</summary>
    internal static T* GetForShare(nint length) => _ofShares.Get(length);

    /// <summary>The same for what a single product with compressed weights makes of its weights or rows, beside all scratch that its caller has.</summary>
    internal static T* GetForWeights(nint length) => _ofWeights.Get(length);

    /// <summary>Room for at least <paramref name="length"/> row offsets, good until the next call on this thread.</summary>
    internal static nint* GetOffsets(int length) => _offsets.Get(length);

    /// <summary>One piece of memory of one thread.</summary>
    private struct Piece<TElement>
        where TElement : unmanaged
    {
        // Debug builds, and so the tests, notice who writes past the end of what was asked for: on the heap that breaks something else, some time later.
        private const int GuardBytes = 64;
        private const byte GuardByte = 0xA5;

        private TElement[]? _array;
        private int _guarded;
        private int _epoch;

        internal TElement* Get(nint length)
        {
            CheckGuard();
            var needed = length + (GuardBytes / sizeof(TElement));
            if (_array is null || _array.Length < needed || TrimEpoch.LetsGo(ref _epoch, _array.Length, needed))
            {
                _array = null;
                _array = GC.AllocateUninitializedArray<TElement>(checked((int)needed), pinned: true);
            }

            SetGuard((int)length);
            return (TElement*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_array));
        }

        private readonly Span<byte> Guard => MemoryMarshal.AsBytes(_array.AsSpan(_guarded, GuardBytes / sizeof(TElement)));

        [Conditional("DEBUG")]
        private void SetGuard(int length)
        {
            _guarded = length;
            Guard.Fill(GuardByte);
        }

        [Conditional("DEBUG")]
        private readonly void CheckGuard()
        {
            if (_array is not null && Guard.ContainsAnyExcept(GuardByte))
            {
                throw new InvalidOperationException($"A kernel wrote past the {_guarded} elements of scratch memory that were asked for.");
            }
        }
    }
}
