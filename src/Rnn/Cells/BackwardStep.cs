using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>The way back of <see cref="ForwardStep{V, T, TKeeps, TPartial}"/>.</summary>
internal readonly unsafe struct BackwardStep<V, T, TPartial>(
    T* gates, T* previous0, T* previous1, T* previous2, T* previous3, T* next0, T* next1, T* next2, T* next3, T* kept, T* made, T* madeGradient,
    T* vectors, T* outputGradient, T* gradient0, T* gradient1, T* gradient2, T* gradient3, int units, int count) : IBackwardStep<V, T>
    where V : struct, IVector<V, T>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TPartial : struct, IChoice
{
    private readonly nint _units = units;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Gate(int gate) => Load(gates + (gate * _units));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetGateGradient(int gate, V value) => Store(value, gates + (gate * _units));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V KeptValue(int index) => Load(kept + (index * _units));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Previous(int state) => Load(state switch { 0 => previous0, 1 => previous1, 2 => previous2, _ => previous3 });

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Next(int state) => Load(state switch { 0 => next0, 1 => next1, 2 => next2, _ => next3 });

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Made(int index) => Load(made + (index * _units));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V MadeGradient(int index) => Load(madeGradient + (index * _units));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetMadeGradient(int index, V value) => Store(value, madeGradient + (index * _units));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Vector(int index) => Load(vectors + (index * _units));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Gradient(int state) => state == 0 ? Load(gradient0) + Load(outputGradient) : CarriedGradient(state);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V CarriedGradient(int state) => Load(state switch { 0 => gradient0, 1 => gradient1, 2 => gradient2, _ => gradient3 });

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetGradient(int state, V value) =>
        Store(value, state switch { 0 => gradient0, 1 => gradient1, 2 => gradient2, _ => gradient3 });

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private V Load(T* source) => TPartial.Value ? V.LoadPartial(source, count) : V.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Store(V value, T* destination)
    {
        if (TPartial.Value)
        {
            value.StorePartial(destination, count);
        }
        else
        {
            value.Store(destination);
        }
    }
}
