using System.Numerics;
using Rnn.Cells;

namespace Rnn.Layers.Engine;

/// <summary>
/// One direction of one layer over one batch: its memory, its views of the batch, and what runs on them: <see cref="Forward"/>, then
/// <see cref="Backward"/> and <see cref="WeightGradients"/>. Used again for the next batch.
/// </summary>
internal sealed class DirectionRun<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    internal DirectionRun(
        CellKernels<T> cell, DirectionWeights<T> weights, StepProgram program, BatchPlan plan, int direction, bool reverse)
    {
        Plan = plan;
        Weights = weights;
        Memory = new(program);
        Rows = new(program.Shape, plan, reverse);
        Masks = new(program.Options, plan, direction);
        Forward = new(this, cell);
        Backward = new(this, cell);
        WeightGradients = new(this);
    }

    /// <summary>The batch's rows and lengths.</summary>
    internal BatchPlan Plan { get; }

    /// <summary>The packed weights.</summary>
    internal DirectionWeights<T> Weights { get; }

    /// <summary>The buffers that the forward pass fills and, where one follows, the backward pass reads.</summary>
    internal StepMemory<T> Memory { get; }

    /// <summary>Where the rows of the batch lie.</summary>
    internal SequenceRows<T> Rows { get; }

    /// <summary>The masks of zoneout and dropout.</summary>
    internal StepMasks<T> Masks { get; }

    /// <summary>The forward pass.</summary>
    internal ForwardRun<T> Forward { get; }

    /// <summary>The backward pass through time.</summary>
    internal BackwardRun<T> Backward { get; }

    /// <summary>The gradients of the weights, after the backward pass.</summary>
    internal WeightGradients<T> WeightGradients { get; }

    /// <summary>The bytes that are rented for a backward pass to come.</summary>
    internal long SavedBytes => Memory.Bytes + Masks.Bytes;

    /// <summary>The length of all tables of offsets, which grow with the batch and stay.</summary>
    internal long TableLength => Rows.TableLength + Backward.TableLength + WeightGradients.TableLength;

    /// <summary>The rows of a part that run at a step.</summary>
    internal int ActiveRows(int step, int firstRow, int endRow) => Math.Min(Plan.Active(step), endRow) - firstRow;

    /// <summary>The first row of the states after a step, or before it, in their buffers.</summary>
    internal nint StateRow(int step, bool after)
    {
        if (!Memory.HoldsAllSteps)
        {
            return ((step + (after ? 1 : 0)) & 1) * (nint)Plan.Rows;
        }

        return after ? (nint)Plan.Rows + Plan.Offset(step) : step == 0 ? 0 : (nint)Plan.Rows + Plan.Offset(step - 1);
    }

    /// <summary>Sets a frame to a step of some rows.</summary>
    internal void Place(ref StepFrame<T> frame, int step, int firstRow, int rows, nint gateRow)
    {
        frame.Step = step;
        frame.FirstRow = firstRow;
        frame.Row = (Memory.HoldsAllSteps ? Plan.Offset(step) : 0) + (nint)firstRow;
        frame.StateRow = StateRow(step, after: false) + firstRow;
        frame.NextStateRow = StateRow(step, after: true) + firstRow;
        frame.Output = Rows.Output.Step(step, firstRow);
        frame.Cell.Rows = rows;
        frame.Cell.Gates = Memory.Gates(gateRow);
        frame.Cell.Previous[0] = step == 0 ? Rows.InitialHidden.Skip(firstRow) : Rows.Output.Step(step - 1, firstRow);
        Memory.Place(ref frame);
    }

    /// <summary>Gives the memory back.</summary>
    internal void Release()
    {
        Memory.Release();
        Masks.Release();
        Forward.Release();
    }
}
