using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>One vector of units of one row. Whole vectors and the last partial one are two instances of one source.</summary>
/// <remarks>
/// Two fields only: the JIT inlines a cell's whole step into one loop and gives up where that takes more than 512 local variables, of
/// which every copy of a struct takes one for each field.
/// </remarks>
internal readonly unsafe struct ForwardStep<V, T, TSaves, TPartial>(RowAddresses<T>* at, nint unit) : IForwardStep<V, T>
    where V : struct, IVector<V, T>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TSaves : struct, IChoice
    where TPartial : struct, IChoice
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Gate(int gate) => Load(at->Gates + (gate * at->Units));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetGate(int gate, V value) => Store(value, at->Gates + (gate * at->Units));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SaveGate(int gate, V value)
    {
        if (TSaves.Value)
        {
            Store(value, at->Gates + (gate * at->Units));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SaveValue(int index, V value)
    {
        if (TSaves.Value)
        {
            Store(value, at->Saved + (index * at->Units));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Previous(int state) => Load((&at->Previous0)[state]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Next(int state) => Load((&at->Next0)[state]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetNext(int state, V value) => Store(V.FlushToZero(value), (&at->Next0)[state]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Intermediate(int index) => Load(at->Intermediates + (index * at->Units));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetIntermediate(int index, V value) => Store(V.FlushToZero(value), at->Intermediates + (index * at->Units));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V UnitWeight(int index) => Load(at->UnitWeights + (index * at->Units));

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
