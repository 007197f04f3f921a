namespace Rnn.Cells;

/// <summary>
/// What a cell's step is made of. Parameter shapes and names, initialisation, workspaces, file metadata and the table of cells all
/// follow from it.
/// </summary>
/// <remarks>Throughout, <c>H</c> is the hidden size; each gate is one block of H columns.</remarks>
public sealed partial class CellLayout
{
    /// <summary>What layer normalisation adds to the name of a cell.</summary>
    internal const string NormalizedSuffix = "-layernorm";

    /// <summary>The name in files and on command lines, such as <c>lstm-peephole</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The gates in the order of their rows in the weights; those without an input product come last.</summary>
    public required IReadOnlyList<Gate> Gates { get; init; }

    /// <summary>The states, the hidden state (which is also the output) first.</summary>
    public required IReadOnlyList<CellState> States { get; init; }

    /// <summary>The recurrent matrix products.</summary>
    public IReadOnlyList<RecurrentProduct> Products { get; init; } = [];

    /// <summary>The per-unit weights, rows of one parameter.</summary>
    public IReadOnlyList<UnitWeight> UnitWeights { get; init; } = [];

    /// <summary>The name of the parameter that holds <see cref="UnitWeights"/>, such as <c>weight_peephole</c>.</summary>
    public string UnitWeightName { get; init; } = "weight_v";

    /// <summary>The row normalisations between phases.</summary>
    public IReadOnlyList<RowNormalization> Normalizations { get; init; } = [];

    /// <summary>How many intermediates the step has: values that products of later phases multiply, and the results of <see cref="Normalizations"/>.</summary>
    public int Intermediates { get; init; }

    /// <summary>How many values beyond the gates are saved for the backward pass.</summary>
    public int SavedValues { get; init; }

    /// <summary>The number of phases.</summary>
    public int Phases { get; init; } = 1;

    /// <summary>
    /// Whether the input product and the recurrent products are each normalised over their rows before they are added
    /// (layer normalisation; Ba, Kiros and Hinton 2016, arXiv:1607.06450). The option <c>LayerNormalization</c> of a layer turns it on for any cell.
    /// </summary>
    public bool NormalizesProducts { get; init; }

    /// <summary>
    /// The row normalisations that the option <c>LayerNormalization</c> adds beside that of products, for a cell whose states it normalises too. Their results are further
    /// intermediates, behind <see cref="Intermediates"/>; <see cref="NormalizedPhases"/> has the phases that set the states and read the results.
    /// </summary>
    public IReadOnlyList<RowNormalization> OptionalNormalizations { get; init; } = [];

    /// <summary>
    /// The phases of a step with <see cref="OptionalNormalizations"/>, in order, by the numbers that the cell gets as <c>phase</c>; empty for those of every step. A phase that computes a state and
    /// reads it at once needs two others here, since the normalisation over the row comes in between.
    /// </summary>
    public IReadOnlyList<int> NormalizedPhases { get; init; } = [];

    /// <summary>The number of gates that the input product feeds.</summary>
    public int InputGates
    {
        get
        {
            // A plain loop: streams ask at every step, and must not allocate.
            var count = 0;
            for (var gate = 0; gate < Gates.Count; gate++)
            {
                count += Gates[gate].FromInput ? 1 : 0;
            }

            return count;
        }
    }

    /// <summary>
    /// Whether the states but the first say something together alone, as a sum and the scale it is held at: then no unit of one of them can be kept while the others go on, and
    /// zoneout of the cell state is refused.
    /// </summary>
    internal bool CellStatesBelongTogether { get; init; }

    /// <summary>Whether units of the cell state can be kept by zoneout.</summary>
    internal bool HasCellZoneout => States.Count > 1 && !CellStatesBelongTogether;

    /// <summary>The letters of the gates in order, such as <c>ifgo</c>.</summary>
    public string GateOrder => string.Concat(Gates.Select(gate => gate.Letter));

    /// <summary>
    /// The gates whose input products are normalised together where <see cref="NormalizesProducts"/>: neighbours that the same recurrent product
    /// feeds first, or none.
    /// </summary>
    internal IReadOnlyList<GateGroup> InputGroups
    {
        get
        {
            var groups = new List<GateGroup>();
            var last = -2;
            for (var gate = 0; gate < InputGates; gate++)
            {
                var product = FirstProductOf(gate);
                if (product == last)
                {
                    groups[^1] = new(groups[^1].FirstGate, groups[^1].GateCount + 1);
                }
                else
                {
                    groups.Add(new(gate, 1));
                }

                last = product;
            }

            return groups;
        }
    }

    /// <summary>The same cell with layer normalisation, under a name of its own.</summary>
    internal CellLayout WithLayerNormalization() => NormalizesProducts ? this : new()
    {
        Name = Name + NormalizedSuffix,
        Gates = Gates,
        States = States,
        Products = Products,
        UnitWeights = UnitWeights,
        UnitWeightName = UnitWeightName,
        Normalizations = Normalizations.Concat(OptionalNormalizations).ToArray(),
        Intermediates = Intermediates + OptionalNormalizations.Count,
        SavedValues = SavedValues,
        Phases = NormalizedPhases.Count > 0 ? NormalizedPhases.Count : Phases,
        NormalizesProducts = true,
        OptionalNormalizations = OptionalNormalizations,
        NormalizedPhases = NormalizedPhases,
        CellStatesBelongTogether = CellStatesBelongTogether,
    };

    /// <summary>The number by which the cell knows a phase of this layout.</summary>
    internal int CellPhase(int phase) => NormalizesProducts && NormalizedPhases.Count > 0 ? NormalizedPhases[phase] : phase;

    /// <summary>The number of gate rows of a weight matrix that products share by name.</summary>
    internal int GateRows(string weight) => Products.Where(product => product.Weight == weight).Sum(product => product.GateCount);

    private int FirstProductOf(int gate)
    {
        for (var i = 0; i < Products.Count; i++)
        {
            if (gate >= Products[i].FirstGate && gate < Products[i].FirstGate + Products[i].GateCount)
            {
                return i;
            }
        }

        return -1;
    }
}

/// <summary>Neighbouring gates.</summary>
internal readonly struct GateGroup(int firstGate, int gateCount)
{
    internal int FirstGate { get; } = firstGate;

    internal int GateCount { get; } = gateCount;
}

/// <summary>A gate: one block of H columns of pre-activations with a bias.</summary>
/// <param name="letter">The letter in the equations and in gate orders, as the paper has it: i input, f forget, o output, r reset, z update gate, g or n candidate.</param>
/// <param name="name">What it does.</param>
/// <param name="fromInput">Whether the input product feeds it.</param>
/// <param name="initialBias">The bias it starts with, times the option <c>ForgetBias</c>: 1 for a gate that should start open, as the forget gate of an LSTM; 0 for all others.</param>
/// <param name="role">What it does to the memory, for initialisation by time scales (chrono): what counts is what stays or comes in when it opens, not what the paper calls it.</param>
public sealed class Gate(string letter, string name, bool fromInput = true, double initialBias = 0, GateRole role = GateRole.Other)
{
    /// <summary>The letter in the equations and in gate orders.</summary>
    public string Letter { get; } = letter;

    /// <summary>What it does.</summary>
    public string Name { get; } = name;

    /// <summary>Whether the input product feeds it.</summary>
    public bool FromInput { get; } = fromInput;

    /// <summary>The bias it starts with, times the option <c>ForgetBias</c>.</summary>
    public double InitialBias { get; } = initialBias;

    /// <summary>What it does to the memory, for initialisation by time scales (chrono).</summary>
    public GateRole Role { get; } = role;
}

/// <summary>What a gate does to the memory of a cell.</summary>
public enum GateRole
{
    /// <summary>Neither of the two.</summary>
    Other,

    /// <summary>A forget gate: the more open it is, the more of the old state stays. Also an update gate z of h = (1−z)⊙n + z⊙h₋.</summary>
    Forget,

    /// <summary>An input gate: the more open it is, the more new comes in. Also an update gate z of h = (1−z)⊙h₋ + z⊙n.</summary>
    Input,
}

/// <summary>A state that a cell carries from step to step.</summary>
/// <param name="letter">The letter in the equations.</param>
/// <param name="name">What it is.</param>
/// <param name="carriesGradient">
/// Whether its gradient also flows element-wise from step to step, so that the backward pass calls <c>SetGradient</c>; false where it flows
/// through products alone, as with the hidden state of an LSTM.
/// </param>
public sealed class CellState(string letter, string name, bool carriesGradient)
{
    /// <summary>The letter in the equations.</summary>
    public string Letter { get; } = letter;

    /// <summary>What it is.</summary>
    public string Name { get; } = name;

    /// <summary>Whether its gradient also flows element-wise from step to step, so that the backward pass calls <c>SetGradient</c>.</summary>
    public bool CarriesGradient { get; } = carriesGradient;
}

/// <summary>A recurrent matrix product that feeds gates.</summary>
/// <param name="weight">The parameter's name, such as <c>weight_hh</c>; products of one name share a matrix, their rows in the order of the list.</param>
/// <param name="source">What is multiplied.</param>
/// <param name="firstGate">The first gate it feeds.</param>
/// <param name="gateCount">The number of neighbouring gates it feeds.</param>
/// <param name="phase">The phase before whose pointwise part it runs.</param>
public sealed class RecurrentProduct(string weight, Operand source, int firstGate, int gateCount, int phase = 0)
{
    /// <summary>The parameter's name, such as <c>weight_hh</c>; products of one name share a matrix, their rows in the order of the list.</summary>
    public string Weight { get; } = weight;

    /// <summary>What is multiplied.</summary>
    public Operand Source { get; } = source;

    /// <summary>The first gate it feeds.</summary>
    public int FirstGate { get; } = firstGate;

    /// <summary>The number of neighbouring gates it feeds.</summary>
    public int GateCount { get; } = gateCount;

    /// <summary>The phase before whose pointwise part it runs.</summary>
    public int Phase { get; } = phase;

    /// <summary>Whether in the backward pass it comes last in a step and its gradient goes to a state before the step alone.</summary>
    internal bool EndsStepBack => Source.Kind == OperandKind.Previous && Phase == 0;
}

/// <summary>A per-unit weight v that a gate sees as v ⊙ source; the cell adds the term itself, the engine derives the gradient of v.</summary>
/// <param name="letter">The letter in the equations.</param>
/// <param name="name">What it is.</param>
/// <param name="gate">The gate whose pre-activation has the term.</param>
/// <param name="source">What it is multiplied with.</param>
/// <param name="initial">How it starts.</param>
public sealed class UnitWeight(string letter, string name, int gate, Operand source, UnitWeightInitial initial = UnitWeightInitial.Uniform)
{
    /// <summary>The letter in the equations.</summary>
    public string Letter { get; } = letter;

    /// <summary>What it is.</summary>
    public string Name { get; } = name;

    /// <summary>The gate whose pre-activation has the term.</summary>
    public int Gate { get; } = gate;

    /// <summary>What it is multiplied with.</summary>
    public Operand Source { get; } = source;

    /// <summary>How it starts.</summary>
    public UnitWeightInitial Initial { get; } = initial;
}

/// <summary>How a per-unit weight starts.</summary>
public enum UnitWeightInitial
{
    /// <summary>Uniform within ±1/√H.</summary>
    Uniform,

    /// <summary>Uniform from 0 to 1, for recurrent weights that act alone (IndRNN).</summary>
    UnitInterval,
}

/// <summary>A layer normalisation of a state over its row, between the phase that sets it and the next; the result is an intermediate.</summary>
/// <param name="name">The name of its gain and bias parameters, such as <c>norm_c</c>.</param>
/// <param name="state">The state of this step that is normalised.</param>
/// <param name="intermediate">The intermediate that receives the result.</param>
/// <param name="afterPhase">The phase that sets the state.</param>
public sealed class RowNormalization(string name, int state, int intermediate, int afterPhase)
{
    /// <summary>The name of its gain and bias parameters, such as <c>norm_c</c>.</summary>
    public string Name { get; } = name;

    /// <summary>The state of this step that is normalised.</summary>
    public int State { get; } = state;

    /// <summary>The intermediate that receives the result.</summary>
    public int Intermediate { get; } = intermediate;

    /// <summary>The phase that sets the state.</summary>
    public int AfterPhase { get; } = afterPhase;
}

/// <summary>What a product or a per-unit weight is multiplied with.</summary>
/// <param name="Kind">Where it comes from.</param>
/// <param name="Index">Which state or intermediate.</param>
public readonly record struct Operand(OperandKind Kind, int Index)
{
    /// <summary>A state before the step.</summary>
    public static Operand Previous(int state) => new(OperandKind.Previous, state);

    /// <summary>A state after the step, set by an earlier phase.</summary>
    public static Operand Next(int state) => new(OperandKind.Next, state);

    /// <summary>An intermediate, set by an earlier phase.</summary>
    public static Operand Intermediate(int index) => new(OperandKind.Intermediate, index);
}

/// <summary>Where an operand comes from.</summary>
public enum OperandKind
{
    /// <summary>A state before the step.</summary>
    Previous,

    /// <summary>A state after the step.</summary>
    Next,

    /// <summary>An intermediate of the step.</summary>
    Intermediate,
}
