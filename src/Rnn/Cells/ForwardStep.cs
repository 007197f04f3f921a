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

/// <summary>One vector of units of one row, over the addresses of that row. Whole vectors and the last partial one are two instances of one source.</summary>
internal readonly unsafe struct ForwardStep<V, T, TKeeps, TPartial>(
    T* gates, T* previous0, T* previous1, T* previous2, T* previous3, T* next0, T* next1, T* next2, T* next3, T* kept, T* made, T* vectors,
    int units, int count) : IForwardStep<V, T>
    where V : struct, IVector<V, T>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TKeeps : struct, IChoice
    where TPartial : struct, IChoice
{
    private readonly nint _units = units;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Gate(int gate) => Load(gates + (gate * _units));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetGate(int gate, V value) => Store(value, gates + (gate * _units));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Keep(int gate, V value)
    {
        if (TKeeps.Value)
        {
            Store(value, gates + (gate * _units));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void KeepValue(int index, V value)
    {
        if (TKeeps.Value)
        {
            Store(value, kept + (index * _units));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Previous(int state) => Load(state switch { 0 => previous0, 1 => previous1, 2 => previous2, _ => previous3 });

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Next(int state) => Load(state switch { 0 => next0, 1 => next1, 2 => next2, _ => next3 });

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetNext(int state, V value) => Store(value, state switch { 0 => next0, 1 => next1, 2 => next2, _ => next3 });

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Made(int index) => Load(made + (index * _units));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetMade(int index, V value) => Store(value, made + (index * _units));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Vector(int index) => Load(vectors + (index * _units));

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
