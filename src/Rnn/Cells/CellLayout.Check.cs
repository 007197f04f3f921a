namespace Rnn.Cells;

public sealed partial class CellLayout
{
    private const int MostPhases = 3;

    // The compiler of the step program notes in the bits of a word which of them have a gradient already.
    private const int MostIntermediates = 64;

    /// <summary>Says what is wrong with a layout that the engine cannot run: a cell of one's own may have one.</summary>
    /// <exception cref="ArgumentException">The layout contradicts itself; the message names the cell, the member and the mend.</exception>
    internal void Check()
    {
        Require(!string.IsNullOrWhiteSpace(Name), "Name", "expected a name");
        Require(Gates.Count > 0, "Gates", "expected one or more");
        Require(States.Count is > 0 and <= CellBlock<float>.MaxStates, "States", $"expected 1 to {CellBlock<float>.MaxStates} but got {States.Count}");
        Require(Phases is > 0 and <= MostPhases, "Phases", $"expected 1 to {MostPhases} but got {Phases}");
        Require(Intermediates is >= 0 and <= MostIntermediates, "Intermediates", $"expected 0 to {MostIntermediates} but got {Intermediates}");
        Require(SavedValues >= 0, "SavedValues", $"expected 0 or more but got {SavedValues}");
        Require(InputGates > 0, "Gates", "none takes the input");
        CheckNames();
        foreach (var gate in Gates)
        {
            Require(double.IsFinite(gate.InitialBias), "Gates", $"'{gate.Letter}' starts with a bias of {gate.InitialBias}; expected a finite number");
            Require(gate.Role is GateRole.Other or GateRole.Forget or GateRole.Input, "Gates", $"'{gate.Letter}' has a role of {(int)gate.Role}, which is none");
        }

        for (var gate = 1; gate < Gates.Count; gate++)
        {
            Require(Gates[gate - 1].FromInput || !Gates[gate].FromInput, "Gates", $"'{Gates[gate].Letter}' takes the input and must stand before the gates that do not");
        }

        Require(
            NormalizedPhases.All(phase => phase is >= 0 and < MostPhases), "NormalizedPhases", $"expected phases from 0 to {MostPhases - 1} but got {string.Join(", ", NormalizedPhases)}");
        CheckProducts();
        foreach (var weight in UnitWeights)
        {
            Require(weight.Gate >= 0 && weight.Gate < Gates.Count, "UnitWeights", $"'{weight.Letter}' names gate {weight.Gate} of {Gates.Count}");
            CheckOperand("UnitWeights", weight.Letter, weight.Source);
        }

        foreach (var normalization in Normalizations)
        {
            Require(
                normalization.State > 0 && normalization.State < States.Count, "Normalizations",
                $"'{normalization.Name}' names state {normalization.State}; it may be any but the hidden one, 1 to {States.Count - 1}");
            Require(
                Normalizations.Count(other => other.Intermediate == normalization.Intermediate) == 1, "Normalizations",
                $"'{normalization.Name}' makes value {normalization.Intermediate}, and so does another");
            Require(normalization.Intermediate >= 0 && normalization.Intermediate < Intermediates, "Normalizations", $"'{normalization.Name}' makes value {normalization.Intermediate} of {Intermediates}");
            Require(
                normalization.AfterPhase >= 0 && normalization.AfterPhase < Phases - 1, "Normalizations",
                $"'{normalization.Name}' comes after phase {normalization.AfterPhase}; a later phase must read it");
        }
    }

    // Letters name gates and states in messages, files and gate orders; the others name parameters.
    private void CheckNames()
    {
        CheckDistinct("Gates", Gates.Select(gate => gate.Letter), "letter");
        CheckDistinct("States", States.Select(state => state.Letter), "letter");
        CheckDistinct("UnitWeights", UnitWeights.Select(weight => weight.Letter), "letter");
        List<string> parameters = ["weight_ih", "weight_hr", "bias"];
        if (UnitWeights.Count > 0)
        {
            Require(!string.IsNullOrWhiteSpace(UnitWeightName), "UnitWeightName", "expected a name");
            Require(!parameters.Contains(UnitWeightName), "UnitWeightName", $"'{UnitWeightName}' is the name of another parameter");
            parameters.Add(UnitWeightName);
        }

        foreach (var weight in Products.Select(product => product.Weight).Distinct())
        {
            Require(!string.IsNullOrWhiteSpace(weight), "Products", "expected a name for each weight");
            Require(!parameters.Contains(weight), "Products", $"'{weight}' is the name of another parameter");
        }

        CheckDistinct("Normalizations", Normalizations.Select(normalization => normalization.Name), "name");
        foreach (var name in Normalizations.Select(normalization => normalization.Name))
        {
            Require(
                !parameters.Contains(name) && Products.All(product => product.Weight != name), "Normalizations",
                $"'{name}' is the name of another parameter");
        }
    }

    private void CheckDistinct(string member, IEnumerable<string> names, string what)
    {
        HashSet<string> seen = [];
        foreach (var name in names)
        {
            Require(!string.IsNullOrWhiteSpace(name), member, $"expected a {what} for each");
            Require(seen.Add(name), member, $"the {what} '{name}' comes twice");
        }
    }

    private void CheckProducts()
    {
        var summed = InputGates;
        for (var phase = 0; phase < Phases; phase++)
        {
            foreach (var product in Products.Where(product => product.Phase == phase))
            {
                var end = product.FirstGate + product.GateCount;
                Require(
                    product.GateCount > 0, "Products", $"'{product.Weight}' feeds {product.GateCount} gates; expected 1 or more");
                Require(
                    product.FirstGate >= 0 && product.FirstGate < Gates.Count && product.GateCount <= Gates.Count - product.FirstGate, "Products",
                    $"'{product.Weight}' feeds gates {product.FirstGate} to {end - 1} of {Gates.Count}");
                Require(
                    end <= InputGates || product.FirstGate >= InputGates, "Products",
                    $"'{product.Weight}' feeds gates with and without input; make two products of it");
                Require(
                    product.FirstGate <= summed, "Products",
                    $"'{product.Weight}' feeds gate {product.FirstGate} before gate {summed}, which does not take the input; order the gates as they are fed");
                Require(phase > 0 || product.Source.Kind == OperandKind.Previous, "Products", $"'{product.Weight}' of phase 0 reads what no phase has set yet");
                CheckOperand("Products", product.Weight, product.Source);
                summed = Math.Max(summed, end);
            }
        }

        foreach (var product in Products)
        {
            Require(product.Phase >= 0 && product.Phase < Phases, "Products", $"'{product.Weight}' is of phase {product.Phase}, and there are {Phases}");
        }

        Require(summed == Gates.Count, "Gates", $"gate {summed} takes neither the input nor a product");
    }

    private void CheckOperand(string member, string what, Operand operand)
    {
        Require(operand.Kind is OperandKind.Previous or OperandKind.Next or OperandKind.Intermediate, member, $"'{what}' reads a kind of {(int)operand.Kind}, which is none");
        var count = operand.Kind == OperandKind.Intermediate ? Intermediates : States.Count;
        Require(
            operand.Index >= 0 && operand.Index < count, member,
            $"'{what}' reads {(operand.Kind == OperandKind.Intermediate ? "intermediate" : "state")} {operand.Index} of {count}");
    }

    private void Require(bool condition, string member, string problem, string argument = nameof(CellLayout))
    {
        if (!condition)
        {
            throw new ArgumentException($"Layout: the cell '{Name}', {member}: {problem}.", argument);
        }
    }
}
