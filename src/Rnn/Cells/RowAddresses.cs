using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Cells;

/// <summary>Where one row's values lie: read by every unit of the row, so it stays in the first-level cache.</summary>
internal unsafe struct RowAddresses<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // The addresses come first and are advanced as an array.
    private const int AddressCount = 17;

    internal T* Gates;
    internal T* Previous0;
    internal T* Previous1;
    internal T* Previous2;
    internal T* Previous3;
    internal T* Next0;
    internal T* Next1;
    internal T* Next2;
    internal T* Next3;
    internal T* Saved;
    internal T* Intermediates;
    internal T* IntermediateGradient;
    internal T* OutputGradient;
    internal T* Gradient0;
    internal T* Gradient1;
    internal T* Gradient2;
    internal T* Gradient3;
    internal T* UnitWeights;
    internal nint Units;
    internal int Count;
    private bool _mapped;

    /// <summary>The addresses of a block's first row from one of its units on, and how far the next row's are from them.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void Set(RowAddresses<T>* at, RowAddresses<T>* strides, in CellBlock<T> block, int first, int count)
    {
        *at = Of(block, 0, first);
        at->UnitWeights = block.UnitWeights + first;
        at->Units = block.Units;
        at->Count = count;
        at->_mapped = IsMapped(block);
        if (block.Rows < 2)
        {
            return;
        }

        *strides = Of(block, 1, first);
        for (var i = 0; i < AddressCount; i++)
        {
            ((nint*)strides)[i] -= ((nint*)at)[i];
        }
    }

    /// <summary>Moves on to the next row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal static void Advance(RowAddresses<T>* at, RowAddresses<T>* strides, in CellBlock<T> block, int row, int first)
    {
        var addresses = (nint*)at;
        var distances = (nint*)strides;
        var i = 0;
        for (; Vector.IsHardwareAccelerated && i + Vector<nint>.Count <= AddressCount; i += Vector<nint>.Count)
        {
            Vector.Store(Vector.Load(addresses + i) + Vector.Load(distances + i), addresses + i);
        }

        for (; i < AddressCount; i++)
        {
            addresses[i] += distances[i];
        }

        if (at->_mapped)
        {
            at->Previous0 = block.Previous[0][row] + first;
            at->Next0 = block.Next[0][row] + first;
            at->OutputGradient = block.OutputGradient[row] + first;
        }
    }

    // Whether rows of input or output lie at unequal distances, as those of a batch in another order do; no others ever do.
    private static bool IsMapped(in CellBlock<T> block) =>
        block.Previous[0].Offsets != null || block.Next[0].Offsets != null || block.OutputGradient.Offsets != null;

    private static RowAddresses<T> Of(in CellBlock<T> block, int row, int first)
    {
        RowAddresses<T> at = default;
        at.Gates = block.Gates[row] + first;
        at.Previous0 = block.Previous[0][row] + first;
        at.Previous1 = block.Previous[1][row] + first;
        at.Previous2 = block.Previous[2][row] + first;
        at.Previous3 = block.Previous[3][row] + first;
        at.Next0 = block.Next[0][row] + first;
        at.Next1 = block.Next[1][row] + first;
        at.Next2 = block.Next[2][row] + first;
        at.Next3 = block.Next[3][row] + first;
        at.Saved = block.Saved[row] + first;
        at.Intermediates = block.Intermediates[row] + first;
        at.IntermediateGradient = block.IntermediateGradient[row] + first;
        at.OutputGradient = block.OutputGradient[row] + first;
        at.Gradient0 = block.Gradient[0][row] + first;
        at.Gradient1 = block.Gradient[1][row] + first;
        at.Gradient2 = block.Gradient[2][row] + first;
        at.Gradient3 = block.Gradient[3][row] + first;
        return at;
    }
}

/// <summary>Where the values of a block of one row lie, looked up once for steps that do not move them: of the whole vectors of units, and of the rest.</summary>
internal unsafe struct PreparedRow<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal RowAddresses<T> Whole;
    internal RowAddresses<T> Rest;

    internal PreparedRow(in CellBlock<T> block, int vectorLength)
    {
        RowAddresses<T> whole, rest, strides;
        var count = block.Units - (block.Units % vectorLength);
        RowAddresses<T>.Set(&whole, &strides, block, 0, count);
        RowAddresses<T>.Set(&rest, &strides, block, count, block.Units - count);
        (Whole, Rest) = (whole, rest);
    }
}
