using Rnn.Cells;

namespace Rnn.Tests.Cells;

/// <summary>What is wrong with a cell of one's own is said before it runs.</summary>
public sealed class CellLayoutTests
{
    public static TheoryData<string, CellLayout> Bad() => new()
    {
        { "Gates: 'a' takes the input", Layout(gates: [new("m", "three", fromInput: false), new("a", "one"), new("b", "two")], products: []) },
        { "Gates: expected one or more", Layout(gates: []) },
        { "States: expected 1 to 4 but got 0", Layout(states: []) },
        { "Phases: expected 1 to 3 but got 4", Layout(phases: 4) },
        { "'weight_hh' feeds gates 1 to 3 of 3", Layout(products: [new("weight_hh", Operand.Previous(0), 1, 3)]) },
        { "with and without input", Layout(products: [new("weight_hh", Operand.Previous(0), 0, 3)]) },
        { "reads state 2 of 2", Layout(products: [new("weight_hh", Operand.Previous(2), 0, 2)]) },
        { "reads what no phase has set yet", Layout(products: [new("weight_hh", Operand.Next(1), 0, 2)]) },
        { "is of phase 2, and there are 2", Layout(products: [.. Layout().Products, new("weight_x", Operand.Previous(0), 0, 1, phase: 2)]) },
        { "gate 2 takes neither the input nor a product", Layout(products: [Layout().Products[0]]) },
        { "reads intermediate 1 of 1", Layout(unitWeights: [new("p", "peephole", 0, Operand.Intermediate(1))]) },
        { "names gate 3 of 3", Layout(unitWeights: [new("p", "peephole", 3, Operand.Previous(1))]) },
        { "names state 0", Layout(normalizations: [new("norm_h", 0, intermediate: 0, afterPhase: 0)]) },
        { "a later phase must read it", Layout(normalizations: [new("norm_c", 1, intermediate: 0, afterPhase: 1)]) },
        { "makes value 3 of 1", Layout(normalizations: [new("norm_c", 1, intermediate: 3, afterPhase: 0)]) },
        { "feeds 0 gates; expected 1 or more", Layout(products: [new("weight_hh", Operand.Previous(0), 0, 0)]) },
        { "feeds -1 gates; expected 1 or more", Layout(products: [new("weight_hh", Operand.Previous(0), 0, -1)]) },
        { "'weight_hh' feeds gates -1 to 0 of 3", Layout(products: [new("weight_hh", Operand.Previous(0), -1, 2)]) },
        { "feeds gates 2147483647 to", Layout(products: [new("weight_hh", Operand.Previous(0), int.MaxValue, 2)]) },
        { "is of phase -1, and there are 2", Layout(products: [.. Layout().Products, new("weight_x", Operand.Previous(0), 0, 1, phase: -1)]) },
        { "reads state -1 of 2", Layout(products: [new("weight_hh", Operand.Previous(-1), 0, 2)]) },
        { "reads a kind of 7, which is none", Layout(unitWeights: [new("p", "peephole", 0, new Operand((OperandKind)7, 0))]) },
        { "names gate -1 of 3", Layout(unitWeights: [new("p", "peephole", -1, Operand.Previous(1))]) },
        { "Gates: none takes the input", Layout(gates: [new("a", "one", fromInput: false)]) },
        { "Gates: the letter 'a' comes twice", Layout(gates: [new("a", "one"), new("a", "two"), new("m", "three", fromInput: false)]) },
        { "States: the letter 'h' comes twice", Layout(states: [new("h", "hidden state", true), new("h", "cell state", true)]) },
        { "States: expected a letter for each", Layout(states: [new("h", "hidden state", true), new(" ", "cell state", true)]) },
        { "UnitWeights: the letter 'p' comes twice", Layout(unitWeights: [new("p", "peephole", 0, Operand.Previous(1)), new("p", "peephole", 1, Operand.Previous(1))]) },
        { "'a' starts with a bias of NaN", Layout(gates: [new("a", "one", initialBias: double.NaN), new("b", "two"), new("m", "three", fromInput: false)]) },
        { "'a' has a role of 9, which is none", Layout(gates: [new("a", "one", role: (GateRole)9), new("b", "two"), new("m", "three", fromInput: false)]) },
        { "UnitWeightName: 'weight_ih' is the name of another parameter", Layout(unitWeightName: "weight_ih") },
        { "Products: 'bias' is the name of another parameter", Layout(products: [new("bias", Operand.Previous(0), 0, 2)]) },
        { "Products: 'weight_v' is the name of another parameter", Layout(products: [new("weight_v", Operand.Previous(0), 0, 2)]) },
        { "Normalizations: 'weight_hh' is the name of another parameter", Layout(normalizations: [new("weight_hh", 1, intermediate: 0, afterPhase: 0)]) },
        { "makes value 0, and so does another", Layout(normalizations: [new("norm_c", 1, intermediate: 0, afterPhase: 0), new("norm_d", 1, intermediate: 0, afterPhase: 0)]) },
        { "Intermediates: expected 0 to 64 but got 65", Layout(intermediates: 65) },
        { "SavedValues: expected 0 or more but got -1", Layout(savedValues: -1) },
    };

    [Fact]
    public void A_layout_that_holds_together_passes() => Layout().Check();

    [Theory]
    [MemberData(nameof(Bad))]
    public void A_contradiction_is_named(string message, CellLayout layout)
    {
        var error = Assert.Throws<ArgumentException>(layout.Check);
        Assert.Contains("the cell 'mine'", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    // A layout that holds together, but for what is given.
    private static CellLayout Layout(
        Gate[]? gates = null, CellState[]? states = null, RecurrentProduct[]? products = null, UnitWeight[]? unitWeights = null, string unitWeightName = "weight_v",
        RowNormalization[]? normalizations = null, int intermediates = 1, int phases = 2, int savedValues = 0) => new()
        {
            Name = "mine",
            Gates = gates ?? [new("a", "one"), new("b", "two"), new("m", "three", fromInput: false)],
            States = states ?? [new("h", "hidden state", true), new("c", "cell state", true)],
            Products = products ?? [new("weight_hh", Operand.Previous(0), 0, 2), new("weight_hh", Operand.Intermediate(0), 2, 1, phase: 1)],
            UnitWeights = unitWeights ?? [new("p", "peephole", 0, Operand.Previous(1))],
            UnitWeightName = unitWeightName,
            Normalizations = normalizations ?? [new("norm_c", 1, intermediate: 0, afterPhase: 0)],
            Intermediates = intermediates,
            SavedValues = savedValues,
            Phases = phases,
        };
}
