using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>The forward pass of a cell that is watched.</summary>
internal readonly struct TracedForwardStep(CellTrace trace) : IForwardStep<Vec1<double>, double>
{
    public Vec1<double> Gate(int gate)
    {
        trace.Gate(gate);
        return TracedValue.Some;
    }

    public void SetGate(int gate, Vec1<double> value) => trace.SetGate(gate);

    public void SaveGate(int gate, Vec1<double> value) => trace.SaveGate(gate);

    public void SaveValue(int index, Vec1<double> value) => trace.SaveValue(index);

    public Vec1<double> Previous(int state)
    {
        trace.Previous(state);
        return TracedValue.Some;
    }

    public Vec1<double> Next(int state)
    {
        trace.Next(state);
        return TracedValue.Some;
    }

    public void SetNext(int state, Vec1<double> value) => trace.SetNext(state);

    public Vec1<double> Intermediate(int index)
    {
        trace.Intermediate(index);
        return TracedValue.Some;
    }

    public void SetIntermediate(int index, Vec1<double> value) => trace.SetIntermediate(index);

    public Vec1<double> UnitWeight(int index)
    {
        trace.UnitWeight(index);
        return TracedValue.Some;
    }
}

/// <summary>The backward pass of a cell that is watched.</summary>
internal readonly struct TracedBackwardStep(CellTrace trace) : IBackwardStep<Vec1<double>, double>
{
    public Vec1<double> Gate(int gate)
    {
        trace.Gate(gate);
        return TracedValue.Some;
    }

    public void SetGateGradient(int gate, Vec1<double> value) => trace.SetGateGradient(gate);

    public Vec1<double> SavedValue(int index)
    {
        trace.SavedValue(index);
        return TracedValue.Some;
    }

    public Vec1<double> Previous(int state)
    {
        trace.Previous(state);
        return TracedValue.Some;
    }

    public Vec1<double> Next(int state)
    {
        trace.Next(state);
        return TracedValue.Some;
    }

    public Vec1<double> Intermediate(int index)
    {
        trace.Intermediate(index);
        return TracedValue.Some;
    }

    public Vec1<double> IntermediateGradient(int index)
    {
        trace.IntermediateGradient(index);
        return TracedValue.Some;
    }

    public void SetIntermediateGradient(int index, Vec1<double> value) => trace.SetIntermediateGradient(index);

    public Vec1<double> UnitWeight(int index)
    {
        trace.UnitWeight(index);
        return TracedValue.Some;
    }

    public Vec1<double> Gradient(int state)
    {
        trace.Gradient(state);
        return TracedValue.Some;
    }

    public Vec1<double> CarriedGradient(int state)
    {
        trace.CarriedGradient(state);
        return TracedValue.Some;
    }

    public void SetGradient(int state, Vec1<double> value) => trace.SetGradient(state);
}

/// <summary>What a watched cell reads: only the order of its calls matters.</summary>
internal static class TracedValue
{
    internal static Vec1<double> Some => Vec1<double>.Broadcast(0.5);
}
