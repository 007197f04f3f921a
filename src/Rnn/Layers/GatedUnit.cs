using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Layers;

/// <summary>The gated activation unit z = tanh(a)·σ(b) of one step, where a and b are the two halves of a row (van den Oord et al. 2016, arXiv:1606.05328).</summary>
internal static unsafe class GatedUnit<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>z, and the two factors in the place of a and b.</summary>
    internal static void Apply(T* row, T* output, int size) => Elementwise<T, Values>.Run(new(row, row + size, output), size);

    /// <summary>The gradients of a and b from the two factors and the gradient of z.</summary>
    internal static void Gradients(T* row, T* outputGradient, T* gradients, int size) =>
        Elementwise<T, Slopes>.Run(new(row, row + size, outputGradient, gradients, gradients + size), size);

    private readonly struct Values(T* a, T* b, T* z) : IElementwise<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Run<V, TLanes>(TLanes lanes, nint i)
            where V : struct, IVector<V, T>
            where TLanes : struct, ILanes<V, T>
        {
            var (filter, gate) = (V.Tanh(lanes.Load(a + i)), V.Sigmoid(lanes.Load(b + i)));
            lanes.Store(filter, a + i);
            lanes.Store(gate, b + i);
            lanes.Store(filter * gate, z + i);
        }
    }

    private readonly struct Slopes(T* filters, T* gates, T* dz, T* da, T* db) : IElementwise<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Run<V, TLanes>(TLanes lanes, nint i)
            where V : struct, IVector<V, T>
            where TLanes : struct, ILanes<V, T>
        {
            var (filter, gate) = (lanes.Load(filters + i), lanes.Load(gates + i));
            var scaled = lanes.Load(dz + i) * gate;
            lanes.Store(scaled * (V.One - (filter * filter)), da + i);
            lanes.Store(scaled * filter * (V.One - gate), db + i);
        }
    }
}
