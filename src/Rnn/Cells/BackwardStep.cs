using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>The backward counterpart of <see cref="ForwardStep{V, T, TSaves, TPartial}"/>.</summary>
internal readonly unsafe struct BackwardStep<V, T, TPartial>(RowAddresses<T>* at, nint unit) : IBackwardStep<V, T>
    where V : struct, IVector<V, T>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TPartial : struct, IChoice
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Gate(int gate) => Load(at->Gates + (gate * at->Units));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetGateGradient(int gate, V value) => Store(value, at->Gates + (gate * at->Units));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V SavedValue(int index) => Load(at->Saved + (index * at->Units));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Previous(int state) => Load((&at->Previous0)[state]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Next(int state) => Load((&at->Next0)[state]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Intermediate(int index) => Load(at->Intermediates + (index * at->Units));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V IntermediateGradient(int index) => Load(at->IntermediateGradient + (index * at->Units));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetIntermediateGradient(int index, V value) => Store(V.FlushToZero(value), at->IntermediateGradient + (index * at->Units));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V UnitWeight(int index) => Load(at->UnitWeights + (index * at->Units));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Gradient(int state) => state == 0 ? V.FlushToZero(Load(at->Gradient0) + Load(at->OutputGradient)) : CarriedGradient(state);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V CarriedGradient(int state) => Load((&at->Gradient0)[state]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetGradient(int state, V value) => Store(V.FlushToZero(value), (&at->Gradient0)[state]);

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
