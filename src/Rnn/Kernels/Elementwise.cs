using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Kernels;

/// <summary>The body of a loop over elements: what happens to one vector of them, written once for every width and for the last, partial vector.</summary>
internal interface IElementwise<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Handles the elements from number <paramref name="i"/> on, as many as <paramref name="lanes"/> reads and writes; to be inlined.</summary>
    void Run<V, TLanes>(TLanes lanes, nint i)
        where V : struct, IVector<V, T>
        where TLanes : struct, ILanes<V, T>;
}

/// <summary>Reads and writes all lanes of a vector, or the first of them.</summary>
internal unsafe interface ILanes<V, T>
    where V : struct, IVector<V, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Reads the lanes; those that do not count are zero.</summary>
    V Load(T* source);

    /// <summary>Writes the lanes that count.</summary>
    void Store(V vector, T* destination);
}

/// <summary>All lanes.</summary>
internal readonly unsafe struct AllLanes<V, T> : ILanes<V, T>
    where V : struct, IVector<V, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Load(T* source) => V.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(V vector, T* destination) => vector.Store(destination);
}

/// <summary>The first lanes, one or more but not all.</summary>
internal readonly unsafe struct FirstLanes<V, T>(int count) : ILanes<V, T>
    where V : struct, IVector<V, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Load(T* source) => V.LoadPartial(source, count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(V vector, T* destination) => vector.StorePartial(destination, count);
}

/// <summary>The loop over elements that do not depend on each other, with the vectors of the width in use; here once for all bodies.</summary>
internal abstract class Elementwise<T, TBody>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TBody : struct, IElementwise<T>
{
    private static readonly Elementwise<T, TBody> Current = For(Simd.VectorBits);

    /// <summary>Runs the body over so many elements.</summary>
    internal static void Run(in TBody body, nint count) => Current.Loop(body, count);

    /// <summary>The loop with vectors of a given width.</summary>
    internal static Elementwise<T, TBody> For(int vectorBits) => Simd.Run<T, Factory, Elementwise<T, TBody>>(default, vectorBits);

    /// <summary>Runs the body over so many elements.</summary>
    internal abstract void Loop(in TBody body, nint count);

    private readonly struct Factory : IVectorFunction<T, Elementwise<T, TBody>>
    {
        public Elementwise<T, TBody> Invoke<V>()
            where V : struct, IVector<V, T> => new Over<V>();
    }

    private sealed class Over<V> : Elementwise<T, TBody>
        where V : struct, IVector<V, T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        internal override void Loop(in TBody body, nint count)
        {
            // A local, whose fields stay in registers.
            var run = body;
            nint i = 0;
            for (; i <= count - V.Count; i += V.Count)
            {
                run.Run<V, AllLanes<V, T>>(default, i);
            }

            // A vector of one lane has no rest, and no second body that counts against the limit of local variables.
            if (V.Count > 1 && i < count)
            {
                run.Run<V, FirstLanes<V, T>>(new((int)(count - i)), i);
            }
        }
    }
}
