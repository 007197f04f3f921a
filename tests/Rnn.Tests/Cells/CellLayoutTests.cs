using Rnn.Cells;

namespace Rnn.Tests.Cells;

/// <summary>What is wrong with a cell of one's own is said before it runs.</summary>
public sealed class CellLayoutTests
{
    private static readonly CellLayout Good = new()
    {
        Name = "mine",
        Gates = [new("a", "one"), new("b", "two"), new("m", "three", FromInput: false)],
        States = [new("h", "hidden state", true), new("c", "cell state", true)],
        Products = [new("weight_hh", Operand.Previous(0), 0, 2), new("weight_hh", Operand.Intermediate(0), 2, 1, Phase: 1)],
        UnitWeights = [new("p", "peephole", 0, Operand.Previous(1))],
        Normalizations = [new("norm_c", 1, Intermediate: 0, AfterPhase: 0)],
        Intermediates = 1,
        Phases = 2,
    };

    public static TheoryData<string, CellLayout> Bad() => new()
    {
        { "Gates: 'a' takes the input", Good with { Gates = [new("m", "three", FromInput: false), new("a", "one"), new("b", "two")], Products = [] } },
        { "Gates: expected one or more", Good with { Gates = [] } },
        { "States: expected 1 to 4 but got 0", Good with { States = [] } },
        { "Phases: expected 1 to 3 but got 4", Good with { Phases = 4 } },
        { "'weight_hh' feeds gates 1 to 3 of 3", Good with { Products = [new("weight_hh", Operand.Previous(0), 1, 3)] } },
        { "with and without input", Good with { Products = [new("weight_hh", Operand.Previous(0), 0, 3)] } },
        { "reads state 2 of 2", Good with { Products = [new("weight_hh", Operand.Previous(2), 0, 2)] } },
        { "reads what no phase has set yet", Good with { Products = [new("weight_hh", Operand.Next(1), 0, 2)] } },
        { "is of phase 2, and there are 2", Good with { Products = [.. Good.Products, new("weight_x", Operand.Previous(0), 0, 1, Phase: 2)] } },
        { "gate 2 takes neither the input nor a product", Good with { Products = [Good.Products[0]] } },
        { "reads intermediate 1 of 1", Good with { UnitWeights = [new("p", "peephole", 0, Operand.Intermediate(1))] } },
        { "names gate 3 of 3", Good with { UnitWeights = [new("p", "peephole", 3, Operand.Previous(1))] } },
        { "names state 0", Good with { Normalizations = [new("norm_h", 0, Intermediate: 0, AfterPhase: 0)] } },
        { "a later phase must read it", Good with { Normalizations = [new("norm_c", 1, Intermediate: 0, AfterPhase: 1)] } },
        { "makes value 3 of 1", Good with { Normalizations = [new("norm_c", 1, Intermediate: 3, AfterPhase: 0)] } },
        { "feeds 0 gates; expected 1 or more", Good with { Products = [new("weight_hh", Operand.Previous(0), 0, 0)] } },
        { "feeds -1 gates; expected 1 or more", Good with { Products = [new("weight_hh", Operand.Previous(0), 0, -1)] } },
        { "'weight_hh' feeds gates -1 to 0 of 3", Good with { Products = [new("weight_hh", Operand.Previous(0), -1, 2)] } },
        { "feeds gates 2147483647 to", Good with { Products = [new("weight_hh", Operand.Previous(0), int.MaxValue, 2)] } },
        { "is of phase -1, and there are 2", Good with { Products = [.. Good.Products, new("weight_x", Operand.Previous(0), 0, 1, Phase: -1)] } },
        { "reads state -1 of 2", Good with { Products = [new("weight_hh", Operand.Previous(-1), 0, 2)] } },
        { "reads a kind of 7, which is none", Good with { UnitWeights = [new("p", "peephole", 0, new Operand((OperandKind)7, 0))] } },
        { "names gate -1 of 3", Good with { UnitWeights = [new("p", "peephole", -1, Operand.Previous(1))] } },
        { "Gates: none takes the input", Good with { Gates = [new("a", "one", FromInput: false)] } },
        { "Gates: the letter 'a' comes twice", Good with { Gates = [new("a", "one"), new("a", "two"), new("m", "three", FromInput: false)] } },
        { "States: the letter 'h' comes twice", Good with { States = [new("h", "hidden state", true), new("h", "cell state", true)] } },
        { "States: expected a letter for each", Good with { States = [new("h", "hidden state", true), new(" ", "cell state", true)] } },
        { "UnitWeights: the letter 'p' comes twice", Good with { UnitWeights = [new("p", "peephole", 0, Operand.Previous(1)), new("p", "peephole", 1, Operand.Previous(1))] } },
        { "'a' starts with a bias of NaN", Good with { Gates = [new("a", "one", InitialBias: double.NaN), new("b", "two"), new("m", "three", FromInput: false)] } },
        { "'a' has a role of 9, which is none", Good with { Gates = [new("a", "one", Role: (GateRole)9), new("b", "two"), new("m", "three", FromInput: false)] } },
        { "UnitWeightName: 'weight_ih' is the name of another parameter", Good with { UnitWeightName = "weight_ih" } },
        { "Products: 'bias' is the name of another parameter", Good with { Products = [new("bias", Operand.Previous(0), 0, 2)] } },
        { "Products: 'weight_v' is the name of another parameter", Good with { Products = [new("weight_v", Operand.Previous(0), 0, 2)] } },
        { "Normalizations: 'weight_hh' is the name of another parameter", Good with { Normalizations = [new("weight_hh", 1, Intermediate: 0, AfterPhase: 0)] } },
        { "makes value 0, and so does another", Good with { Normalizations = [new("norm_c", 1, Intermediate: 0, AfterPhase: 0), new("norm_d", 1, Intermediate: 0, AfterPhase: 0)] } },
        { "Intermediates: expected 0 to 64 but got 65", Good with { Intermediates = 65 } },
        { "SavedValues: expected 0 or more but got -1", Good with { SavedValues = -1 } },
    };

    [Fact]
    public void A_layout_that_holds_together_passes() => Good.Check();

    [Theory]
    [MemberData(nameof(Bad))]
    public void A_contradiction_is_named(string message, CellLayout layout)
    {
        var error = Assert.Throws<ArgumentException>(layout.Check);
        Assert.Contains("the cell 'mine'", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }
}
