using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>The loops over time of one scan cell at one vector width: one row, some of its units.</summary>
internal abstract class ScanKernels<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>How many gates the input product feeds.</summary>
    internal abstract int Gates { get; }

    /// <summary>Whether the cell also reads the layer's input and a number for each unit.</summary>
    internal abstract bool ReadsInput { get; }

    /// <summary>The kernels of a cell at the width in use.</summary>
    internal static ScanKernels<T> Create<TCell>()
        where TCell : struct, IScanCell => Simd.Run<T, Factory<TCell>, ScanKernels<T>>(default);

    /// <summary>The kernels of a cell at a given width.</summary>
    internal static ScanKernels<T> Create<TCell>(int vectorBits)
        where TCell : struct, IScanCell => Simd.Run<T, Factory<TCell>, ScanKernels<T>>(default, vectorBits);

    /// <summary>Runs some steps, beginning with the one that <paramref name="step"/> lies at.</summary>
    internal abstract void Forward(ScanStep<T> step, int steps, int firstUnit, int endUnit);

    /// <summary>Runs some steps backward.</summary>
    /// <param name="step">The last step.</param>
    /// <param name="steps">How many steps, one or more.</param>
    /// <param name="firstUnit">The first unit.</param>
    /// <param name="endUnit">The unit behind the last one.</param>
    /// <param name="initial">The state before the first step.</param>
    internal abstract unsafe void Backward(ScanStep<T> step, int steps, int firstUnit, int endUnit, T* initial);

    private readonly struct Factory<TCell> : IVectorFunction<T, ScanKernels<T>>
        where TCell : struct, IScanCell
    {
        public ScanKernels<T> Invoke<V>()
            where V : struct, IVector<V, T> => new ScanKernels<TCell, V, T>();
    }
}

/// <inheritdoc/>
internal sealed unsafe class ScanKernels<TCell, V, T> : ScanKernels<T>
    where TCell : struct, IScanCell
    where V : struct, IVector<V, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal override int Gates => TCell.Gates;

    internal override bool ReadsInput => TCell.ReadsInput;

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal override void Forward(ScanStep<T> step, int steps, int firstUnit, int endUnit)
    {
        for (; steps > 0; steps--)
        {
            nint j = firstUnit;
            for (; j <= endUnit - V.Count; j += V.Count)
            {
                V.FlushToZero(TCell.Forward<V, T, AllLanes<V, T>>(in step, default, j)).Store(step.Output + j);
            }

            if (j < endUnit)
            {
                var lanes = new FirstLanes<V, T>((int)(endUnit - j));
                lanes.Store(V.FlushToZero(TCell.Forward<V, T, FirstLanes<V, T>>(in step, lanes, j)), step.Output + j);
            }

            step.Previous = step.Output;
            step.Gates += step.GateStep;
            step.Input += step.InputStep;
            step.Output += step.OutputStep;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    internal override void Backward(ScanStep<T> step, int steps, int firstUnit, int endUnit, T* initial)
    {
        for (; steps > 0; steps--)
        {
            step.Previous = steps > 1 ? step.Output - step.OutputStep : initial;
            nint j = firstUnit;
            for (; j <= endUnit - V.Count; j += V.Count)
            {
                Step<AllLanes<V, T>>(in step, default, j);
            }

            if (j < endUnit)
            {
                Step<FirstLanes<V, T>>(in step, new((int)(endUnit - j)), j);
            }

            step.Gates -= step.GateStep;
            step.GateGradients -= step.GateStep;
            step.Input -= step.InputStep;
            step.InputGradient -= step.InputStep;
            step.Output -= step.OutputStep;
            step.OutputGradient -= step.OutputStep;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step<TLanes>(in ScanStep<T> step, TLanes lanes, nint j)
        where TLanes : struct, ILanes<V, T>
    {
        var gradient = lanes.Load(step.OutputGradient + j) + lanes.Load(step.Carried + j);
        lanes.Store(V.FlushToZero(TCell.Backward<V, T, TLanes>(in step, lanes, j, gradient)), step.Carried + j);
    }
}
