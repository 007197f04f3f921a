using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>The element-wise kernels of one cell at one vector width: what the engine calls once per block of rows, step and phase.</summary>
internal abstract unsafe class CellKernels<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>What a step of the cell is made of.</summary>
    internal abstract CellLayout Layout { get; }

    /// <summary>The units of one vector.</summary>
    internal abstract int VectorLength { get; }

    /// <summary>The kernels of <typeparamref name="TCell"/> at the width in use.</summary>
    internal static CellKernels<T> Create<TCell>()
        where TCell : struct, ICell => Simd.Run<T, Factory<TCell>, CellKernels<T>>(default);

    /// <summary>The kernels of <typeparamref name="TCell"/> at a given width.</summary>
    internal static CellKernels<T> Create<TCell>(int vectorBits)
        where TCell : struct, ICell => Simd.Run<T, Factory<TCell>, CellKernels<T>>(default, vectorBits);

    /// <summary>Runs one phase forward; <paramref name="saves"/> says whether a backward pass will follow.</summary>
    internal abstract void Forward(int phase, in CellBlock<T> block, bool saves);

    /// <summary>Runs one phase of a block of one row forward, without saving: <paramref name="row"/> says where its values lie.</summary>
    internal abstract void ForwardRow(int phase, in CellBlock<T> block, PreparedRow<T>* row);

    /// <summary>Runs one phase backward.</summary>
    internal abstract void Backward(int phase, in CellBlock<T> block);

    /// <summary>Calls a visitor with the type of the cell.</summary>
    internal abstract TResult Accept<TResult>(ICellVisitor<TResult> visitor);

    private readonly struct Factory<TCell> : IVectorFunction<T, CellKernels<T>>
        where TCell : struct, ICell
    {
        public CellKernels<T> Invoke<V>()
            where V : struct, IVector<V, T> => new CellKernels<TCell, V, T>();
    }
}

/// <inheritdoc/>
internal sealed unsafe class CellKernels<TCell, V, T> : CellKernels<T>
    where TCell : struct, ICell
    where V : struct, IVector<V, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal override CellLayout Layout => TCell.Layout;

    internal override int VectorLength => V.Count;

    internal override TResult Accept<TResult>(ICellVisitor<TResult> visitor) => visitor.Visit<TCell>();

    internal override void Forward(int phase, in CellBlock<T> block, bool saves)
    {
        switch (phase, saves)
        {
            case (0, false):
                ForwardRows<Phase0, No>(block);
                break;
            case (0, true):
                ForwardRows<Phase0, Yes>(block);
                break;
            case (1, false):
                ForwardRows<Phase1, No>(block);
                break;
            case (1, true):
                ForwardRows<Phase1, Yes>(block);
                break;
            case (2, false):
                ForwardRows<Phase2, No>(block);
                break;
            case (2, true):
                ForwardRows<Phase2, Yes>(block);
                break;
            default:
                throw NoSuchPhase(phase);
        }
    }

    internal override void ForwardRow(int phase, in CellBlock<T> block, PreparedRow<T>* row)
    {
        switch (phase)
        {
            case 0:
                ForwardRow<Phase0>(block, row);
                break;
            case 1:
                ForwardRow<Phase1>(block, row);
                break;
            case 2:
                ForwardRow<Phase2>(block, row);
                break;
            default:
                throw NoSuchPhase(phase);
        }
    }

    internal override void Backward(int phase, in CellBlock<T> block)
    {
        switch (phase)
        {
            case 0:
                BackwardRows<Phase0>(block);
                break;
            case 1:
                BackwardRows<Phase1>(block);
                break;
            case 2:
                BackwardRows<Phase2>(block);
                break;
            default:
                throw NoSuchPhase(phase);
        }
    }

    private static ArgumentOutOfRangeException NoSuchPhase(int phase) => new(nameof(phase), phase, "phase: expected 0, 1 or 2.");

    private static void ForwardRows<TPhase, TSaves>(in CellBlock<T> block)
        where TPhase : struct, IPhase
        where TSaves : struct, IChoice
    {
        RowAddresses<T> at, strides;
        var whole = block.Units - (block.Units % V.Count);
        if (whole > 0)
        {
            RowAddresses<T>.Set(&at, &strides, block, 0, whole);
            ForwardUnits<TPhase, TSaves, No>(&at, &strides, block, 0, whole);
        }

        if (whole < block.Units)
        {
            RowAddresses<T>.Set(&at, &strides, block, whole, block.Units - whole);
            ForwardUnits<TPhase, TSaves, Yes>(&at, &strides, block, whole, block.Units - whole);
        }
    }

    // The addresses of a single row are not advanced, so that they are good for the next step.
    private static void ForwardRow<TPhase>(in CellBlock<T> block, PreparedRow<T>* row)
        where TPhase : struct, IPhase
    {
        if (row->Whole.Count > 0)
        {
            ForwardUnits<TPhase, No, No>(&row->Whole, null, block, 0, row->Whole.Count);
        }

        if (row->Rest.Count > 0)
        {
            ForwardUnits<TPhase, No, Yes>(&row->Rest, null, block, row->Whole.Count, row->Rest.Count);
        }
    }

    private static void BackwardRows<TPhase>(in CellBlock<T> block)
        where TPhase : struct, IPhase
    {
        var whole = block.Units - (block.Units % V.Count);
        if (whole > 0)
        {
            BackwardUnits<TPhase, No>(block, 0, whole);
        }

        if (whole < block.Units)
        {
            BackwardUnits<TPhase, Yes>(block, whole, block.Units - whole);
        }
    }

    // Not inlined: the cell's step fills the JIT's allowance of local variables, and two of them in one method would overflow it.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void ForwardUnits<TPhase, TSaves, TPartial>(RowAddresses<T>* at, RowAddresses<T>* strides, in CellBlock<T> block, int first, int count)
        where TPhase : struct, IPhase
        where TSaves : struct, IChoice
        where TPartial : struct, IChoice
    {
        var rows = block.Rows;

        // Asked before the step is inlined, which may leave no local variable for it: inside the loop it was a call then.
        var lanes = V.Count;
        for (var row = 0; row < rows; row++)
        {
            nint unit = 0;
            do
            {
                TCell.Forward<ForwardStep<V, T, TSaves, TPartial>, V, T>(TPhase.Index, new(at, unit));
                unit += lanes;
            }
            while (unit < count);
            if (row + 1 < rows)
            {
                RowAddresses<T>.Advance(at, strides, block, row + 1, first);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void BackwardUnits<TPhase, TPartial>(in CellBlock<T> block, int first, int count)
        where TPhase : struct, IPhase
        where TPartial : struct, IChoice
    {
        RowAddresses<T> at, strides;
        RowAddresses<T>.Set(&at, &strides, block, first, count);
        var rows = block.Rows;

        // Asked before the step is inlined, which may leave no local variable for it: inside the loop it was a call then.
        var lanes = V.Count;
        for (var row = 0; row < rows; row++)
        {
            nint unit = 0;
            do
            {
                TCell.Backward<BackwardStep<V, T, TPartial>, V, T>(TPhase.Index, new(&at, unit));
                unit += lanes;
            }
            while (unit < count);
            if (row + 1 < rows)
            {
                RowAddresses<T>.Advance(&at, &strides, block, row + 1, first);
            }
        }
    }

    private interface IPhase
    {
        static abstract int Index { get; }
    }

    private readonly struct Phase0 : IPhase
    {
        public static int Index => 0;
    }

    private readonly struct Phase1 : IPhase
    {
        public static int Index => 1;
    }

    private readonly struct Phase2 : IPhase
    {
        public static int Index => 2;
    }
}
