namespace Rnn.Cells;

/// <summary>
/// What a cell's step is made of. Parameter shapes and names, initialisation, workspaces, file metadata and the table of cells all
/// follow from it.
/// </summary>
/// <remarks>Throughout, <c>H</c> is the hidden size; each gate is one block of H columns.</remarks>
public sealed partial record CellLayout
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
                    groups[^1] = groups[^1] with { GateCount = groups[^1].GateCount + 1 };
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
    internal CellLayout WithLayerNormalization() => NormalizesProducts ? this : this with
    {
        Name = Name + NormalizedSuffix,
        NormalizesProducts = true,
        Normalizations = Normalizations.Concat(OptionalNormalizations).ToArray(),
        Intermediates = Intermediates + OptionalNormalizations.Count,
        Phases = NormalizedPhases.Count > 0 ? NormalizedPhases.Count : Phases,
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
internal readonly record struct GateGroup(int FirstGate, int GateCount);

/// <summary>A gate: one block of H columns of pre-activations with a bias.</summary>
/// <param name="Letter">The letter in the equations and in gate orders.</param>
/// <param name="Name">What it does.</param>
/// <param name="FromInput">Whether the input product feeds it.</param>
/// <param name="InitialBias">The bias it starts with, times the option <c>ForgetBias</c>.</param>
/// <param name="Role">What it does to the memory, for initialisation by time scales (chrono).</param>
public sealed record Gate(string Letter, string Name, bool FromInput = true, double InitialBias = 0, GateRole Role = GateRole.Other);

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
/// <param name="Letter">The letter in the equations.</param>
/// <param name="Name">What it is.</param>
/// <param name="CarriesGradient">
/// Whether its gradient also flows element-wise from step to step, so that the backward pass calls <c>SetGradient</c>; false where it flows
/// through products alone, as with the hidden state of an LSTM.
/// </param>
public sealed record CellState(string Letter, string Name, bool CarriesGradient);

/// <summary>A recurrent matrix product that feeds gates.</summary>
/// <param name="Weight">The parameter's name, such as <c>weight_hh</c>; products of one name share a matrix, their rows in the order of the list.</param>
/// <param name="Source">What is multiplied.</param>
/// <param name="FirstGate">The first gate it feeds.</param>
/// <param name="GateCount">The number of neighbouring gates it feeds.</param>
/// <param name="Phase">The phase before whose pointwise part it runs.</param>
public sealed record RecurrentProduct(string Weight, Operand Source, int FirstGate, int GateCount, int Phase = 0)
{
    /// <summary>Whether in the backward pass it comes last in a step and its gradient goes to a state before the step alone.</summary>
    internal bool EndsStepBack => Source.Kind == OperandKind.Previous && Phase == 0;
}

/// <summary>A per-unit weight v that a gate sees as v ⊙ source; the cell adds the term itself, the engine derives the gradient of v.</summary>
/// <param name="Letter">The letter in the equations.</param>
/// <param name="Name">What it is.</param>
/// <param name="Gate">The gate whose pre-activation has the term.</param>
/// <param name="Source">What it is multiplied with.</param>
/// <param name="Initial">How it starts.</param>
public sealed record UnitWeight(string Letter, string Name, int Gate, Operand Source, UnitWeightInitial Initial = UnitWeightInitial.Uniform);

/// <summary>How a per-unit weight starts.</summary>
public enum UnitWeightInitial
{
    /// <summary>Uniform within ±1/√H.</summary>
    Uniform,

    /// <summary>Uniform from 0 to 1, for recurrent weights that act alone (IndRNN).</summary>
    UnitInterval,
}

/// <summary>A layer normalisation of a state over its row, between the phase that sets it and the next; the result is an intermediate.</summary>
/// <param name="Name">The name of its gain and bias parameters, such as <c>norm_c</c>.</param>
/// <param name="State">The state of this step that is normalised.</param>
/// <param name="Intermediate">The intermediate that receives the result.</param>
/// <param name="AfterPhase">The phase that sets the state.</param>
public sealed record RowNormalization(string Name, int State, int Intermediate, int AfterPhase);

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
