namespace Rnn.Cells;

/// <content>The backward pass: what replaces what, and what products add in between.</content>
internal sealed partial class CellTrace
{
    private const int Never = int.MaxValue;

    private readonly int[] _gateGradient = Filled(layout.Gates.Count);
    private readonly bool[] _gradientRead = new bool[layout.Gates.Count];
    private readonly string?[] _gradientUser = new string?[layout.Gates.Count];
    private readonly bool[] _intermediateGradients = new bool[layout.Intermediates];
    private readonly bool[] _multipliedIntermediates = new bool[layout.Intermediates];
    private readonly string?[] _addedIntermediates = new string?[layout.Intermediates];
    private readonly int[] _stateGradient = Filled(layout.States.Count);
    private readonly string?[] _stateAdded = new string?[layout.States.Count];
    private readonly string?[] _stateOverwritten = new string?[layout.States.Count];
    private bool _outputRead;

    private bool IsLastPhase => _phase == layout.Phases - 1;

    internal void SetGateGradient(int gate)
    {
        CheckIndex("SetGateGradient", "a gate", gate, layout.Gates.Count);
        Require(_gradientUser[gate] is null, "SetGateGradient", gate, $"{_gradientUser[gate]} has multiplied this gradient already");
        _gateGradient[gate] = _phase;
    }

    internal void SavedValue(int index)
    {
        CheckIndex("SavedValue", "a saved value", index, layout.SavedValues);
        Require(_savedValues[index], "SavedValue", index, "no phase of Forward has saved it (SaveValue)");
    }

    internal void IntermediateGradient(int index)
    {
        CheckIndex("IntermediateGradient", "an intermediate", index, layout.Intermediates);
        Require(_intermediateGradients[index], "IntermediateGradient", index, "no product of a later phase has set it");
        _addedIntermediates[index] = null;
    }

    internal void SetIntermediateGradient(int index)
    {
        CheckIndex("SetIntermediateGradient", "an intermediate", index, layout.Intermediates);
        Require(IsNormalized(index, out var normalization), "SetIntermediateGradient", index, "no normalisation makes this value; only its products have a gradient for it");
        Require(_phase > normalization!.AfterPhase, "SetIntermediateGradient", index, $"the normalisation '{normalization.Name}' after phase {normalization.AfterPhase} has passed it on already");
        Require(_addedIntermediates[index] is null, "SetIntermediateGradient", index, $"what {_addedIntermediates[index]} has added would be lost; add IntermediateGradient to it");
        _intermediateGradients[index] = true;
    }

    internal void Gradient(int state)
    {
        CheckIndex("Gradient", "a state", state, layout.States.Count);
        if (state == 0)
        {
            Require(IsLastPhase, "Gradient", state, "it includes the gradient of the output, for the last phase alone; read CarriedGradient");
            Require(!_outputRead, "Gradient", state, "it was read before; read it once, in the last phase");
            _outputRead = true;
        }

        ReadStateGradient("Gradient", state);
    }

    internal void CarriedGradient(int state)
    {
        CheckIndex("CarriedGradient", "a state", state, layout.States.Count);
        Require(state > 0 || !IsLastPhase, "CarriedGradient", state, "no later phase can have set it; read Gradient");
        Require(
            state > 0 || _stateGradient[state] != Never || _stateAdded[state] is not null, "CarriedGradient", state,
            "no later phase has set it (SetGradient), and no product has added to it");
        ReadStateGradient("CarriedGradient", state);
    }

    internal void SetGradient(int state)
    {
        CheckIndex("SetGradient", "a state", state, layout.States.Count);
        Require(
            layout.States[state].CarriesGradient, "SetGradient", state,
            $"the state '{layout.States[state].Letter}' does not flow directly, so that this would be lost; set CarriesGradient in the layout");
        Require(_stateAdded[state] is null, "SetGradient", state, $"what {_stateAdded[state]} has added would be lost; add CarriedGradient to it");
        _stateGradient[state] = _phase;
    }

    private void ReadGateBack(int gate)
    {
        Require(_gateGradient[gate] != _phase, "Gate", gate, "SetGateGradient has replaced it; read the value before");
        _gradientRead[gate] = _gateGradient[gate] != Never;
    }

    private void ReadStateGradient(string member, int state)
    {
        Require(_stateGradient[state] != _phase, member, state, "SetGradient has replaced it in this phase; read it before");
        Require(_stateOverwritten[state] is null, member, state, $"{_stateOverwritten[state]} has replaced it by the gradient of the state before the step");
        _stateAdded[state] = null;
    }

    private void BeginBackward(int phase)
    {
        (_way, _phase) = (nameof(ICell.Backward), phase);
        foreach (var normalization in layout.Normalizations)
        {
            if (normalization.AfterPhase == phase)
            {
                Require(
                    _intermediateGradients[normalization.Intermediate], "SetIntermediateGradient", normalization.Intermediate,
                    $"the normalisation '{normalization.Name}' passes it on, and no later phase has set it");
                _addedIntermediates[normalization.Intermediate] = null;
                _stateAdded[normalization.State] = $"the normalisation '{normalization.Name}'";
            }
        }
    }

    private void EndBackward(int phase)
    {
        for (var gate = 0; gate < _gradientRead.Length; gate++)
        {
            Require(
                !_gradientRead[gate] || _gateGradient[gate] == phase, "Gate", gate,
                "a later phase has replaced its value by a gradient, and this phase reads that without setting another; save the value with SaveValue");
            _gradientRead[gate] = false;
        }

        for (var i = layout.Products.Count - 1; i >= 0; i--)
        {
            if (layout.Products[i].Phase == phase)
            {
                Multiply(layout.Products[i]);
            }
        }
    }

    private void Multiply(RecurrentProduct product)
    {
        var user = $"the product '{product.Weight}' of phase {product.Phase}";
        for (var gate = product.FirstGate; gate < product.FirstGate + product.GateCount; gate++)
        {
            Require(_gateGradient[gate] != Never, "SetGateGradient", gate, $"{user} multiplies this gradient, and no phase from {product.Phase} on has set it");
            _gradientUser[gate] = user;
        }

        var (kind, index) = product.Source;
        if (kind == OperandKind.Intermediate)
        {
            Require(
                !_intermediateGradients[index] || _multipliedIntermediates[index], "SetIntermediateGradient", index,
                $"{user} would replace it; let a phase before {product.Phase} set it");
            (_intermediateGradients[index], _multipliedIntermediates[index]) = (true, true);
            _addedIntermediates[index] = user;
            return;
        }

        if (kind == OperandKind.Previous && product.Phase > 0)
        {
            Require(
                !layout.States[index].CarriesGradient || _stateGradient[index] != Never, "SetGradient", index,
                $"{user} adds to the gradient of the state before the step, and no phase from {product.Phase} on has set that");
        }

        if (kind == OperandKind.Previous && !layout.States[index].CarriesGradient)
        {
            _stateOverwritten[index] = user;
        }

        _stateAdded[index] = user;
    }

    private void CheckBackward()
    {
        _phase = WholeStep;
        Require(_outputRead, "Gradient", 0, "no phase reads it, and the gradient of the output would be lost");
        for (var gate = 0; gate < _gateGradient.Length; gate++)
        {
            Require(_gateGradient[gate] != Never, "SetGateGradient", gate, $"no phase sets the gradient of the gate '{layout.Gates[gate].Letter}'");
        }

        for (var state = 0; state < _stateGradient.Length; state++)
        {
            Require(
                !layout.States[state].CarriesGradient || _stateGradient[state] != Never, "SetGradient", state,
                $"the state '{layout.States[state].Letter}' flows directly, and no phase sets its gradient; set V.Zero where none flows, or CarriesGradient to false");
        }
    }

    private static int[] Filled(int count)
    {
        var phases = new int[count];
        Array.Fill(phases, Never);
        return phases;
    }
}
