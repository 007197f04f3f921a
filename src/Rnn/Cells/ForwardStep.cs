using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>A choice that the JIT folds away, as a type parameter.</summary>
internal interface IChoice
{
    static abstract bool Value { get; }
}

internal readonly struct Yes : IChoice
{
    public static bool Value => true;
}

internal readonly struct No : IChoice
{
    public static bool Value => false;
}

/// <summary>Where one row's values lie: read by every unit of the row, so it stays in the first-level cache.</summary>
internal unsafe struct RowAddresses<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal T* Gates;
    internal T* Previous0;
    internal T* Previous1;
    internal T* Previous2;
    internal T* Previous3;
    internal T* Next0;
    internal T* Next1;
    internal T* Next2;
    internal T* Next3;
    internal T* Kept;
    internal T* Made;
    internal T* Vectors;
    internal T* MadeGradient;
    internal T* OutputGradient;
    internal T* Gradient0;
    internal T* Gradient1;
    internal T* Gradient2;
    internal T* Gradient3;
    internal nint Units;
    internal int Count;

    /// <summary>The addresses of one row of a block, from one of its units on.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static RowAddresses<T> Of(in CellBlock<T> block, int row, int first, int count)
    {
        RowAddresses<T> at = default;
        at.Gates = block.Columns[row] + first;
        at.Previous0 = block.Previous[0][row] + first;
        at.Previous1 = block.Previous[1][row] + first;
        at.Previous2 = block.Previous[2][row] + first;
        at.Previous3 = block.Previous[3][row] + first;
        at.Next0 = block.Next[0][row] + first;
        at.Next1 = block.Next[1][row] + first;
        at.Next2 = block.Next[2][row] + first;
        at.Next3 = block.Next[3][row] + first;
        at.Kept = block.Kept[row] + first;
        at.Made = block.Made[row] + first;
        at.Vectors = block.Vectors + first;
        at.MadeGradient = block.MadeGradient[row] + first;
        at.OutputGradient = block.OutputGradient[row] + first;
        at.Gradient0 = block.Gradient[0][row] + first;
        at.Gradient1 = block.Gradient[1][row] + first;
        at.Gradient2 = block.Gradient[2][row] + first;
        at.Gradient3 = block.Gradient[3][row] + first;
        at.Units = block.Units;
        at.Count = count;
        return at;
    }
}

/// <summary>One vector of units of one row. Whole vectors and the last partial one are two instances of one source.</summary>
/// <remarks>
/// Two fields only: the JIT inlines a cell's whole step into one loop and gives up where that takes more than 512 local variables, of
/// which every copy of a struct takes one for each field.
/// </remarks>
internal readonly unsafe struct ForwardStep<V, T, TKeeps, TPartial>(RowAddresses<T>* at, nint unit) : IForwardStep<V, T>
    where V : struct, IVector<V, T>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TKeeps : struct, IChoice
    where TPartial : struct, IChoice
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Gate(int gate) => Load(at->Gates + (gate * at->Units));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetGate(int gate, V value) => Store(value, at->Gates + (gate * at->Units));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Keep(int gate, V value)
    {
        if (TKeeps.Value)
        {
            Store(value, at->Gates + (gate * at->Units));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void KeepValue(int index, V value)
    {
        if (TKeeps.Value)
        {
            Store(value, at->Kept + (index * at->Units));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Previous(int state) => Load((&at->Previous0)[state]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Next(int state) => Load((&at->Next0)[state]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetNext(int state, V value) => Store(value, (&at->Next0)[state]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Made(int index) => Load(at->Made + (index * at->Units));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetMade(int index, V value) => Store(value, at->Made + (index * at->Units));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Vector(int index) => Load(at->Vectors + (index * at->Units));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private V Load(T* source) => TPartial.Value ? V.LoadPartial(source + unit, at->Count) : V.Load(source + unit);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Store(V value, T* destination)
    {
        if (TPartial.Value)
        {
            value.StorePartial(destination + unit, at->Count);
        }
        else
        {
            value.Store(destination + unit);
        }
    }
}
