using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>
/// What a cell does in one step, recorded while it runs once, and what is wrong with it. The kernels check nothing: an index that a layout
/// does not have reads or writes someone else's memory there, and a value that was never set is whatever lay in its place.
/// </summary>
/// <remarks>The order of calls follows from the cell alone, not from values, so that one run shows all there is to see.</remarks>
internal sealed partial class CellTrace(CellLayout layout)
{
    private const int WholeStep = -1;

    private readonly int[] _lastProduct = LastProduct(layout);
    private readonly bool[] _savedGates = new bool[layout.Gates.Count];
    private readonly bool[] _savedValues = new bool[layout.SavedValues];
    private readonly bool[] _next = new bool[layout.States.Count];
    private readonly string?[] _nextReader = new string?[layout.States.Count];
    private readonly bool[] _intermediates = new bool[layout.Intermediates];
    private readonly string?[] _intermediateReaders = new string?[layout.Intermediates];
    private readonly bool[] _unitWeights = new bool[layout.UnitWeights.Count];
    private string _way = nameof(ICell.Forward);
    private int _phase;

    /// <summary>Runs the step of <typeparamref name="TCell"/> forward and back, once for each type of cell.</summary>
    /// <exception cref="ArgumentException">The cell does what its layout does not have, or reads what is not set.</exception>
    internal static void Run<TCell>()
        where TCell : struct, ICell
    {
        if (!Passed<TCell>.Value)
        {
            Check<TCell>(TCell.Layout);
            if (TCell.Layout.OptionalNormalizations.Count > 0)
            {
                Check<TCell>(TCell.Layout.WithLayerNormalization());
            }

            Passed<TCell>.Value = true;
        }
    }

    /// <summary>Runs the step of <typeparamref name="TCell"/> forward and back by a layout.</summary>
    /// <exception cref="ArgumentException">As <see cref="Run"/>.</exception>
    [MethodImpl(MethodImplOptions.NoOptimization)]
    internal static void Check<TCell>(CellLayout layout)
        where TCell : struct, ICell
    {
        // Without optimisation nothing is inlined here: the step runs once and need only be compiled quickly.
        layout.Check();
        var trace = new CellTrace(layout);
        for (var phase = 0; phase < layout.Phases; phase++)
        {
            trace.BeginForward(phase);
            TCell.Forward<TracedForwardStep, Vec1<double>, double>(layout.CellPhase(phase), new(trace));
            trace.EndForward(phase);
        }

        trace.CheckForward();
        for (var phase = layout.Phases - 1; phase >= 0; phase--)
        {
            trace.BeginBackward(phase);
            TCell.Backward<TracedBackwardStep, Vec1<double>, double>(layout.CellPhase(phase), new(trace));
            trace.EndBackward(phase);
        }

        trace.CheckBackward();
    }

    internal void Gate(int gate)
    {
        CheckIndex("Gate", "a gate", gate, layout.Gates.Count);
        if (_way == nameof(ICell.Backward))
        {
            ReadGateBack(gate);
            return;
        }

        Require(_lastProduct[gate] <= _phase, "Gate", gate, $"a product of phase {_lastProduct[gate]} has not been added yet");
        Require(!_savedGates[gate], "Gate", gate, "SaveGate has replaced it in training but not in inference; read it before, or use SetGate");
    }

    internal void SetGate(int gate)
    {
        CheckSetGate("SetGate", gate);
        _savedGates[gate] = false;
    }

    internal void SaveGate(int gate)
    {
        CheckSetGate("SaveGate", gate);
        _savedGates[gate] = true;
    }

    internal void SaveValue(int index)
    {
        CheckIndex("SaveValue", "a saved value", index, layout.SavedValues);
        _savedValues[index] = true;
    }

    internal void Previous(int state) => CheckIndex("Previous", "a state", state, layout.States.Count);

    internal void Next(int state)
    {
        CheckIndex("Next", "a state", state, layout.States.Count);
        Require(_next[state], "Next", state, "no phase has set it yet (SetNext)");
    }

    internal void SetNext(int state)
    {
        CheckIndex("SetNext", "a state", state, layout.States.Count);
        Require(_nextReader[state] is null, "SetNext", state, $"{_nextReader[state]} has read it already");
        _next[state] = true;
    }

    internal void Intermediate(int index)
    {
        CheckIndex("Intermediate", "an intermediate", index, layout.Intermediates);
        Require(_intermediates[index], "Intermediate", index, "nothing has made it yet (SetIntermediate, or a normalisation after an earlier phase)");
    }

    internal void SetIntermediate(int index)
    {
        CheckIndex("SetIntermediate", "an intermediate", index, layout.Intermediates);
        Require(!IsNormalized(index, out var normalization), "SetIntermediate", index, $"the normalisation '{normalization?.Name}' makes it");
        Require(_intermediateReaders[index] is null, "SetIntermediate", index, $"{_intermediateReaders[index]} has read it already");
        _intermediates[index] = true;
    }

    internal void UnitWeight(int index)
    {
        CheckIndex("UnitWeight", "a per-unit weight", index, layout.UnitWeights.Count);
        _unitWeights[index] = true;
    }

    private void BeginForward(int phase)
    {
        _phase = phase;
        foreach (var product in layout.Products)
        {
            var (kind, index) = product.Source;
            if (product.Phase != phase || kind == OperandKind.Previous)
            {
                continue;
            }

            var reader = $"the product '{product.Weight}' of phase {phase}";
            if (kind == OperandKind.Next)
            {
                Require(_next[index], "SetNext", index, $"{reader} reads this state, and no phase before has set it");
                _nextReader[index] = reader;
            }
            else
            {
                Require(_intermediates[index], "SetIntermediate", index, $"{reader} reads this value, and no phase before has made it");
                _intermediateReaders[index] = reader;
            }
        }
    }

    private void EndForward(int phase)
    {
        foreach (var normalization in layout.Normalizations)
        {
            if (normalization.AfterPhase == phase)
            {
                var reader = $"the normalisation '{normalization.Name}' after phase {phase}";
                Require(_next[normalization.State], "SetNext", normalization.State, $"{reader} reads this state, and no phase until then has set it");
                _nextReader[normalization.State] = reader;
                _intermediates[normalization.Intermediate] = true;
            }
        }
    }

    private void CheckForward()
    {
        _phase = WholeStep;
        for (var state = 0; state < _next.Length; state++)
        {
            Require(_next[state], "SetNext", state, $"no phase sets the state '{layout.States[state].Letter}'");
        }

        for (var i = 0; i < _unitWeights.Length; i++)
        {
            Require(_unitWeights[i], "UnitWeight", i, $"no phase reads the per-unit weight '{layout.UnitWeights[i].Letter}', and its gradient would not be zero");
        }
    }

    private void CheckSetGate(string member, int gate)
    {
        CheckIndex(member, "a gate", gate, layout.Gates.Count);
        Require(_lastProduct[gate] <= _phase, member, gate, $"a product of phase {_lastProduct[gate]} will be added to it");
    }

    private void CheckIndex(string member, string what, int index, int count)
    {
        if ((uint)index >= (uint)count)
        {
            Fail(member, index, count == 0 ? $"the layout has no {what[(what.IndexOf(' ') + 1)..]}s" : $"expected {what} from 0 to {count - 1}");
        }
    }

    private bool IsNormalized(int intermediate, out RowNormalization? normalization)
    {
        normalization = layout.Normalizations.FirstOrDefault(each => each.Intermediate == intermediate);
        return normalization is not null;
    }

    private void Require([DoesNotReturnIf(false)] bool condition, string member, int index, string problem)
    {
        if (!condition)
        {
            Fail(member, index, problem);
        }
    }

    [DoesNotReturn]
    private void Fail(string member, int index, string problem, string argument = "TCell") => throw new ArgumentException(
        $"The cell '{layout.Name}', {_way}{(_phase == WholeStep ? string.Empty : $", phase {_phase}")}: {member}({index}): {problem}.", argument);

    private static class Passed<TCell>
        where TCell : struct, ICell
    {
        internal static volatile bool Value;
    }

    // The phase of the last product that is added to each gate.
    private static int[] LastProduct(CellLayout layout)
    {
        var phases = new int[layout.Gates.Count];
        foreach (var product in layout.Products)
        {
            for (var gate = product.FirstGate; gate < product.FirstGate + product.GateCount; gate++)
            {
                phases[gate] = Math.Max(phases[gate], product.Phase);
            }
        }

        return phases;
    }
}
