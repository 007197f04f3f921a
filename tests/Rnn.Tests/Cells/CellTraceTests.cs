using System.Reflection;
using Rnn.Cells;
using Rnn.Layers;
using Rnn.Tests.Architecture;
using Rnn.UserTests.Cells;

namespace Rnn.Tests.Cells;

/// <summary>A cell that does not keep to its layout is named before it runs: kernels check nothing.</summary>
public sealed class CellTraceTests
{
    public static TheoryData<string, string> Faults() => new()
    {
        // Indices that the layout does not have.
        { "forward 0 begin: Gate 3", "Forward, phase 0: Gate(3): expected a gate from 0 to 2" },
        { "forward 0 begin: Gate -1", "Forward, phase 0: Gate(-1): expected a gate from 0 to 2" },
        { "forward 1 end: SetGate 3", "Forward, phase 1: SetGate(3): expected a gate from 0 to 2" },
        { "forward 1 end: SaveGate 7", "Forward, phase 1: SaveGate(7): expected a gate from 0 to 2" },
        { "forward 0 end: SaveValue 2", "Forward, phase 0: SaveValue(2): expected a saved value from 0 to 1" },
        { "forward 0 begin: Previous 3", "Forward, phase 0: Previous(3): expected a state from 0 to 2" },
        { "forward 0 begin: Next 4", "Forward, phase 0: Next(4): expected a state from 0 to 2" },
        { "forward 0 end: SetNext 3", "Forward, phase 0: SetNext(3): expected a state from 0 to 2" },
        { "forward 1 begin: Intermediate 2", "Forward, phase 1: Intermediate(2): expected an intermediate from 0 to 1" },
        { "forward 0 end: SetIntermediate 2", "Forward, phase 0: SetIntermediate(2): expected an intermediate from 0 to 1" },
        { "forward 0 end: UnitWeight 1", "Forward, phase 0: UnitWeight(1): expected a per-unit weight from 0 to 0" },
        { "backward 1 begin: Gate 3", "Backward, phase 1: Gate(3): expected a gate from 0 to 2" },
        { "backward 0 end: SetGateGradient 3", "Backward, phase 0: SetGateGradient(3): expected a gate from 0 to 2" },
        { "backward 1 begin: SavedValue 2", "Backward, phase 1: SavedValue(2): expected a saved value from 0 to 1" },
        { "backward 1 begin: Previous 3", "Backward, phase 1: Previous(3): expected a state from 0 to 2" },
        { "backward 1 begin: Next -1", "Backward, phase 1: Next(-1): expected a state from 0 to 2" },
        { "backward 1 begin: Intermediate 2", "Backward, phase 1: Intermediate(2): expected an intermediate from 0 to 1" },
        { "backward 0 begin: IntermediateGradient 2", "Backward, phase 0: IntermediateGradient(2): expected an intermediate from 0 to 1" },
        { "backward 1 end: SetIntermediateGradient 2", "Backward, phase 1: SetIntermediateGradient(2): expected an intermediate from 0 to 1" },
        { "backward 1 begin: UnitWeight 1", "Backward, phase 1: UnitWeight(1): expected a per-unit weight from 0 to 0" },
        { "backward 1 begin: Gradient 3", "Backward, phase 1: Gradient(3): expected a state from 0 to 2" },
        { "backward 0 begin: CarriedGradient 3", "Backward, phase 0: CarriedGradient(3): expected a state from 0 to 2" },
        { "backward 0 end: SetGradient 3", "Backward, phase 0: SetGradient(3): expected a state from 0 to 2" },

        // Values that are read before they are set, or never set.
        { "forward 0 begin: Gate 2", "Forward, phase 0: Gate(2): a product of phase 1 has not been added yet" },
        { "forward 0 begin: Next 1", "Forward, phase 0: Next(1): no phase has set it yet" },
        { "forward 0 begin: Intermediate 0", "Forward, phase 0: Intermediate(0): nothing has made it yet" },
        { "forward 0 end: Intermediate 1", "Forward, phase 0: Intermediate(1): nothing has made it yet" },
        { "without SetIntermediate 0", "Forward, phase 1: SetIntermediate(0): the product 'weight_mh' of phase 1 reads this value" },
        { "without SetNext 0", "Forward: SetNext(0): no phase sets the state 'h'" },
        { "without SetNext 1", "Forward, phase 0: SetNext(1): the normalisation 'norm_c' after phase 0 reads this state" },
        { "without SetNext 2", "Forward: SetNext(2): no phase sets the state 's'" },
        { "without UnitWeight 0", "Forward: UnitWeight(0): no phase reads the per-unit weight 'v'" },
        { "without SaveValue 0", "Backward, phase 0: SavedValue(0): no phase of Forward has saved it" },
        { "backward 1 begin: SavedValue 1", "Backward, phase 1: SavedValue(1): no phase of Forward has saved it" },
        { "backward 1 begin: IntermediateGradient 0", "Backward, phase 1: IntermediateGradient(0): no product of a later phase has set it" },
        { "without SetIntermediateGradient 1", "Backward, phase 0: SetIntermediateGradient(1): the normalisation 'norm_c' passes it on, and no later phase has set it" },
        { "without SetGateGradient 0", "Backward, phase 0: SetGateGradient(0): the product 'weight_sh' of phase 0 multiplies this gradient" },
        { "without SetGateGradient 2", "Backward, phase 1: SetGateGradient(2): the product 'weight_ch' of phase 1 multiplies this gradient" },
        { "without SetGradient 0", "Backward: SetGradient(0): the state 'h' flows directly, and no phase sets its gradient" },
        { "without Gradient 0", "Backward: Gradient(0): no phase reads it" },
        { "backward 1 begin: CarriedGradient 0", "Backward, phase 1: CarriedGradient(0): no later phase can have set it" },

        // Values that are replaced before they are read, or after.
        { "forward 0 end: Gate 0", "Forward, phase 0: Gate(0): SaveGate has replaced it in training but not in inference" },
        { "forward 1 begin: Gate 0", "Forward, phase 1: Gate(0): SaveGate has replaced it in training but not in inference" },
        { "forward 0 end: SetGate 2", "Forward, phase 0: SetGate(2): a product of phase 1 will be added to it" },
        { "forward 0 end: SaveGate 2", "Forward, phase 0: SaveGate(2): a product of phase 1 will be added to it" },
        { "forward 1 end: SetNext 1", "Forward, phase 1: SetNext(1): the product 'weight_ch' of phase 1 has read it already" },
        { "forward 1 end: SetIntermediate 0", "Forward, phase 1: SetIntermediate(0): the product 'weight_mh' of phase 1 has read it already" },
        { "forward 0 end: SetIntermediate 1", "Forward, phase 0: SetIntermediate(1): the normalisation 'norm_c' makes it" },
        { "backward 1 end: Gate 2", "Backward, phase 1: Gate(2): SetGateGradient has replaced it; read the value before" },
        { "backward 0 begin: Gate 1", "Backward, phase 0: Gate(1): a later phase has replaced its value by a gradient" },
        { "backward 0 begin: SetGateGradient 2", "Backward, phase 0: SetGateGradient(2): the product 'weight_mh' of phase 1 has multiplied this gradient already" },
        { "backward 1 end: Gradient 0", "Backward, phase 1: Gradient(0): it was read before" },
        { "backward 0 begin: Gradient 0", "Backward, phase 0: Gradient(0): it includes the gradient of the output" },
        { "backward 1 end: Gradient 1", "Backward, phase 1: Gradient(1): SetGradient has replaced it in this phase" },
        { "backward 1 end: SetIntermediateGradient 0", "Backward, phase 1: SetIntermediateGradient(0): no normalisation makes this value" },
        { "backward 0 end: SetIntermediateGradient 1", "Backward, phase 0: SetIntermediateGradient(1): the normalisation 'norm_c' after phase 0 has passed it on already" },
        { "without CarriedGradient 1", "Backward, phase 0: SetGradient(1): what the normalisation 'norm_c' has added would be lost" },
        { "backward 0 end: SetGradient 2", "Backward, phase 0: SetGradient(2): the state 's' does not flow directly" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_fault_is_named(string fault, string message)
    {
        FaultyCell.Fault = fault;
        var error = Assert.Throws<ArgumentException>(() => RecurrentLayer<float>.Create<FaultyCell>(2, 3));
        Assert.Contains("The cell 'faulty', " + message, error.Message, StringComparison.Ordinal);
        Assert.Equal("TCell", error.ParamName);
    }

    [Theory]
    [InlineData("")]
    [InlineData("forward 0 end: SetGate 0, Gate 0")]
    [InlineData("forward 1 end: SetIntermediate 2", true)]
    [InlineData("backward 1 end: SetGateGradient 1, SetGradient 1")]
    [InlineData("backward 0 begin: Gate 1, SetGateGradient 1")]
    [InlineData("backward 0 begin: Next 0, Previous 2, Intermediate 0, Intermediate 1, UnitWeight 0")]
    public void What_a_cell_may_do_passes(string calls, bool isMore = false)
    {
        FaultyCell.Fault = calls;
        CellTrace.Check<FaultyCell>(isMore ? FaultyCell.Wider : FaultyCell.Layout);
    }

    [Fact]
    public void Cells_of_the_library_pass()
    {
        var check = typeof(CellTrace).GetMethod(nameof(CellTrace.Check), BindingFlags.Static | BindingFlags.NonPublic)!;
        foreach (var (cell, name) in CellCatalog.Types.Zip(CellCatalog.Names))
        {
            check.MakeGenericMethod(cell).Invoke(null, BindingFlags.DoNotWrapExceptions, null, [CellCatalog.Layout(name)], null);
            check.MakeGenericMethod(cell).Invoke(null, BindingFlags.DoNotWrapExceptions, null, [CellCatalog.Layout($"{name}-layernorm")], null);
        }
    }

    [Fact]
    public void Cells_of_ones_own_pass()
    {
        CellTrace.Check<LeakyCell>(LeakyCell.Layout);
        CellTrace.Check<LightCell>(LightCell.Layout);
        CellTrace.Check<ThreeStateCell>(ThreeStateCell.Layout);
        CellTrace.Check<TwoLevelCell>(TwoLevelCell.Layout);
        CellTrace.Check<TwoReadersCell>(TwoReadersCell.Layout);
        CellTrace.Check<OversizeCell>(OversizeCell.Layout);
    }

    [Fact]
    public void Kernels_refuse_a_phase_that_no_cell_has()
    {
        var cell = CellKernels<float>.Create<LeakyCell>();
        Assert.Throws<ArgumentOutOfRangeException>(() => cell.Forward(3, default, saves: true));
        Assert.Throws<ArgumentOutOfRangeException>(() => cell.Forward(3, default, saves: false));
        Assert.Throws<ArgumentOutOfRangeException>(() => cell.Forward(-1, default, saves: false));
        Assert.Throws<ArgumentOutOfRangeException>(() => cell.Backward(3, default));
    }
}
