using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>Writes or adds the gradients of a scan cell's pre-activations.</summary>
internal static unsafe class ScanGradients
{
    /// <summary>The gradients of the pre-activations from place <paramref name="at"/> on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Write<V, T, TLanes>(in ScanStep<T> step, TLanes lanes, nint at, V gradient)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TLanes : struct, ILanes<V, T> =>
        lanes.Store(step.AddsGateGradients ? lanes.Load(step.GateGradients + at) + gradient : gradient, step.GateGradients + at);
}
