using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;
using Rnn.Cells;
using Rnn.Layers.Engine;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>
/// A stack of recurrent layers of one cell, in one or two directions: the general layer behind <see cref="Lstm{T}"/>, <see cref="Gru{T}"/>
/// and others, and the one that runs cells of your own (<see cref="Create{TCell}"/>).
/// </summary>
/// <remarks>
/// Parameters are named as in PyTorch, with one bias a gate: <c>weight_ih_l0</c> [G·H, I], <c>weight_hh_l0</c> [G·H, H] (with K heads [G·H, H/K]), <c>bias_l0</c> [G·H], and
/// <c>…_reverse</c> for the second direction. The order of the gates is <c>Layout.GateOrder</c>.
/// Inputs, states, weights and the gradients that pass from step to step count as zero below 2⁻¹⁰⁰ ≈ 8e-31 (<see cref="double"/>: 2⁻⁹⁶⁰), so that what decays does not end among the
/// denormal numbers, with which processors are slow.
/// </remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public partial class RecurrentLayer<T> : SequenceLayer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly LayerEngine<T>[] _engines;
    private readonly Parameter<T>[][][] _weights;
    private readonly Parameter<T>[]? _initial;
    private readonly string[] _stateNames;

    internal RecurrentLayer(CellKernels<T> cell, int inputSize, int hiddenSize, RecurrentOptions options, int projectionSize = 0, CellActivations? activations = null)
    {
        Activations = activations;
        Layout = options.LayerNormalization ? cell.Layout.WithLayerNormalization() : cell.Layout;
        RecurrentChecks.Check(inputSize, hiddenSize, options, projectionSize, Layout);
        InputSize = inputSize;
        Options = options;
        HiddenSizes = (options.HiddenSizes ?? Enumerable.Repeat(hiddenSize, options.Layers)).ToArray();
        Directions = options.Bidirectional ? 2 : 1;
        ProjectionSize = projectionSize;
        var seeded = new RandomSource(RandomSource.ChooseSeed(options.Seed, options.Random));
        Random = AddRandomSource("random", seeded.Split("recurrent dropout"));
        var initializer = new RecurrentInitializer<T>(options, seeded.Split("weights"));
        _engines = new LayerEngine<T>[HiddenSizes.Count];
        _weights = new Parameter<T>[HiddenSizes.Count][][];
        var width = inputSize;
        for (var layer = 0; layer < HiddenSizes.Count; layer++)
        {
            RecurrentChecks.CheckSize(Layout, width, HiddenSizes[layer], projectionSize, options.Heads);
            var shape = new CellShape(Layout, width, HiddenSizes[layer], projectionSize, options.Bias, options.Heads);
            // What layers above read was flushed of denormal numbers below.
            _engines[layer] = new(cell, shape, options, flushesInput: layer == 0);
            _weights[layer] = new Parameter<T>[Directions][];
            for (var direction = 0; direction < Directions; direction++)
            {
                var suffix = $"_l{layer}{(direction == 1 ? "_reverse" : string.Empty)}";
                _weights[layer][direction] = [.. shape.Slots.Select(slot => AddWeights(slot, suffix, initializer.Create(shape, slot)))];
            }

            width = Merges ? shape.OutputSize : shape.OutputSize * Directions;
        }

        OutputSize = width;
        _stateNames = StateNames();
        _initial = options.LearnedInitialState ? MakeInitialStates() : null;
    }

    /// <summary>What a step of the cell is made of.</summary>
    public CellLayout Layout { get; }

    /// <summary>The activations where they are others than the cell has by itself, as options named them; else null.</summary>
    public CellActivations? Activations { get; }

    /// <summary>The options the layer was made with.</summary>
    public RecurrentOptions Options { get; }

    /// <summary>The size of the input I.</summary>
    public override int InputSize { get; }

    /// <summary>The hidden size H of the top layer.</summary>
    public int HiddenSize => HiddenSizes[^1];

    /// <summary>The hidden size of each layer, bottom first.</summary>
    public IReadOnlyList<int> HiddenSizes { get; }

    /// <summary>The size that hidden states are projected to, or 0 for none.</summary>
    public int ProjectionSize { get; }

    /// <summary>The size of the output: of both directions together where they are concatenated.</summary>
    public override int OutputSize { get; }

    /// <summary>The number of stacked layers.</summary>
    public int LayerCount => HiddenSizes.Count;

    /// <summary>One, or two for a bidirectional layer.</summary>
    public int Directions { get; }

    /// <summary>Whether the layer runs forward in time only.</summary>
    public override bool IsCausal => Directions == 1 && !Options.Reverse;

    /// <inheritdoc/>
    public override bool HasLearnedInitialState => _initial is not null;

    /// <inheritdoc/>
    protected override string? FileType => RecurrentDescription.Type;

    /// <inheritdoc/>
    protected override string Description =>
        $"{Layout.Name}, {InputSize} → {string.Join(" → ", HiddenSizes)}{(Directions == 2 ? ", bidirectional" : string.Empty)}{(ProjectionSize > 0 ? $", projected to {ProjectionSize}" : string.Empty)}";

    /// <summary>The cell, and each option that changes what is computed from the same weights, in evaluation too.</summary>
    protected override string Arithmetic => string.Create(
        CultureInfo.InvariantCulture,
        $"{Layout.Name}{(Activations is null ? string.Empty : $", {Activations}")}{(Options.Reverse ? ", reverse" : string.Empty)}{(Merges ? $", {Options.Merge}" : string.Empty)}{(Options.Residual ? ", residual" : string.Empty)}{Zoneout("hidden", Options.HiddenZoneout)}{Zoneout("cell", Options.CellZoneout)}");

    private int States => Layout.States.Count;

    private bool Merges => Directions == 2 && Options.Merge is DirectionMerge.Sum or DirectionMerge.Mean;

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        RecurrentDescription.Write(writer, this);
    }

    /// <summary>A layer of a cell of your own.</summary>
    /// <typeparam name="TCell">The cell.</typeparam>
    /// <param name="inputSize">The size of the input I.</param>
    /// <param name="hiddenSize">The hidden size H.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <param name="projectionSize">The size that hidden states are projected to, or 0 for none.</param>
    /// <remarks>
    /// The first layer of a cell runs the cell's step once, watched: an index that the layout does not have, a value read before it is set or
    /// never set, or a gradient that would be lost is an error here instead of wrong numbers later.
    /// </remarks>
    /// <exception cref="ArgumentException">A size or option is out of range, or the cell and its layout do not agree; the message says how.</exception>
    [Experimental("RNN001")]
    public static RecurrentLayer<T> Create<TCell>(int inputSize, int hiddenSize, RecurrentOptions? options = null, int projectionSize = 0)
        where TCell : struct, ICell
    {
        CellTrace.Run<TCell>();
        return new(CellKernels<T>.Create<TCell>(), inputSize, hiddenSize, options ?? new(), projectionSize);
    }

    /// <summary>A layer of a built-in cell by its name, as files and command lines give it.</summary>
    /// <param name="cell">One of <see cref="CellCatalog.Names"/>; with <c>-layernorm</c> behind it the option <see cref="RecurrentOptions.LayerNormalization"/> is on.</param>
    /// <param name="inputSize">The size of the input I.</param>
    /// <param name="hiddenSize">The hidden size H.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <param name="projectionSize">The size that hidden states are projected to, or 0 for none.</param>
    /// <exception cref="ArgumentException">There is no such cell, or a size or option is out of range.</exception>
    public static RecurrentLayer<T> Create(string cell, int inputSize, int hiddenSize, RecurrentOptions? options = null, int projectionSize = 0)
    {
        ArgumentNullException.ThrowIfNull(cell);
        options ??= new();
        if (CellCatalog.IsNormalized(cell))
        {
            options = options with { LayerNormalization = true };
        }

        return new(CellCatalog.Create<T>(cell), inputSize, hiddenSize, options, projectionSize);
    }

    /// <inheritdoc/>
    public override RecurrentOutput<T> Forward(Tensor<T> input, SequenceState<T>? initialState) => Forward(input, default, initialState, cellStates: false);

    /// <inheritdoc/>
    public override RecurrentOutput<T> Forward(Tensor<T> input, ReadOnlySpan<int> lengths, SequenceState<T>? initialState = null) =>
        Forward(input, lengths, initialState, cellStates: false);

    /// <summary>Runs a batch of sequences, and gives the cell state after every step where it is asked for.</summary>
    /// <param name="input">[N, T, <see cref="InputSize"/>].</param>
    /// <param name="lengths">The number of valid steps of each row, 0 to T in any order; empty for full length. Past a row's end its state is unchanged and its output zero.</param>
    /// <param name="initialState">The state to go on from; null for zeros, or for the learned one.</param>
    /// <param name="cellStates">Whether to give <see cref="RecurrentOutput{T}.CellStates"/>.</param>
    /// <exception cref="ArgumentException">A shape, length or state does not fit; the message says how.</exception>
    public RecurrentOutput<T> Forward(Tensor<T> input, ReadOnlySpan<int> lengths, SequenceState<T>? initialState = null, bool cellStates = false)
    {
        RecurrentChecks.CheckBatch(input, lengths, InputSize);
        var given = CheckState(initialState, input.Shape[0]);
        var final = new Tensor<T>[LayerCount * Directions * States];
        var cells = cellStates && States > 1 ? new List<Tensor<T>>() : null;
        var output = input;
        var topInput = input;
        for (var layer = 0; layer < LayerCount; layer++)
        {
            var below = output;
            var initial = new Tensor<T>?[Directions * States];
            for (var i = 0; i < initial.Length; i++)
            {
                initial[i] = Initial(given, (layer * initial.Length) + i, input.Shape[0]);
            }

            var sequences = cells is null ? null : new Tensor<T>[States];
            output = Merged(_engines[layer].Forward(
                Dropped(below, layer), lengths, initial, Values(layer, IsTraining && Options.WeightDrop > 0),
                final.AsSpan(layer * initial.Length, initial.Length), sequences, MaskSeed()));
            cells?.Add(sequences![1]);
            output = AddsInput(layer, below.Shape[2]) ? ResidualSum.Apply(output, below, lengths) : output;
            topInput = below;
        }

        return new(output, new(input.Shape[0], _stateNames, final), LastOutput(final, topInput, lengths))
        {
            Directions = Separates ? output.Split(2, OutputSize / 2, OutputSize / 2) : null,
            CellStates = cells,
        };
    }

    /// <inheritdoc/>
    public override SequenceState<T> ZeroState(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        var tensors = new Tensor<T>[LayerCount * Directions * States];
        for (var i = 0; i < tensors.Length; i++)
        {
            tensors[i] = Tensor<T>.Zeros(rows, StateSize(i));
        }

        return new(rows, _stateNames, tensors);
    }

    /// <summary>A state made of tensors, such as PyTorch's <c>h_0</c> and <c>c_0</c> taken apart by layer.</summary>
    /// <param name="tensors">Each [N, size]: layer by layer, in each forward before backward, in each the hidden state first, then the cell state.</param>
    /// <exception cref="ArgumentException">The number of tensors, their rows or their sizes do not fit.</exception>
    public SequenceState<T> CreateState(params ReadOnlySpan<Tensor<T>> tensors)
    {
        if (tensors.Length != _stateNames.Length)
        {
            throw new ArgumentException(
                $"tensors: expected {_stateNames.Length} tensors ({string.Join(", ", _stateNames)}) but got {tensors.Length}.", nameof(tensors));
        }

        ArgumentNullException.ThrowIfNull(tensors[0], nameof(tensors));
        var rows = tensors[0].Rank > 0 ? tensors[0].Shape[0] : 0;
        CheckSizes(tensors, rows, nameof(tensors));
        return new(rows, _stateNames, tensors.ToArray());
    }

    /// <inheritdoc/>
    public override SequenceStepper<T> CreateStepper(int rows = 1)
    {
        CheckCausal(nameof(CreateStepper));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        return new RecurrentStepper<T>(this, CreateEngineStepper(rows), _stateNames);
    }

    // The layers of one direction, one step at a time for some rows, from zero or learned initial states.
    internal Stepper<T> CreateEngineStepper(int rows)
    {
        var layers = new LayerStepper<T>[LayerCount];
        var width = InputSize;
        for (var layer = 0; layer < LayerCount; layer++)
        {
            var initial = new Tensor<T>?[States];
            for (var state = 0; state < States && _initial is not null; state++)
            {
                initial[state] = _initial[(layer * States) + state].Value;
            }

            layers[layer] = new(_engines[layer], Values(layer, drops: false)[0], initial, AddsInput(layer, width), rows);
            width = OutputWidth(layer);
        }

        return new(layers);
    }

    private static string Zoneout(string state, double probability) =>
        probability > 0 ? string.Create(CultureInfo.InvariantCulture, $", {state} zoneout {probability}") : string.Empty;

    private Parameter<T> AddWeights(WeightSlot slot, string suffix, Tensor<T> values)
    {
        var parameter = AddParameter(slot.Name + suffix, values);
        parameter.IsWeightMatrix = slot.Kind is WeightKind.Input or WeightKind.Recurrent or WeightKind.Projection;
        return parameter;
    }

    private int StateSize(int index) => _engines[index / (Directions * States)].Shape.StateSize(index % States);

    private Tensor<T>? Initial(Tensor<T>[]? given, int index, int rows) =>
        given?[index] ?? (_initial is null ? null : Tensor<T>.Zeros(rows, StateSize(index)).Add(_initial[index].Value));

    private Parameter<T>[] MakeInitialStates()
    {
        var parameters = new Parameter<T>[LayerCount * Directions * States];
        for (var i = 0; i < parameters.Length; i++)
        {
            var (layer, direction) = (i / (Directions * States), i / States % Directions);
            var name = $"initial_{RecurrentStates.Name(Layout.States[i % States].Letter, layer, direction)}";
            parameters[i] = AddParameter(name, Tensor<T>.Zeros(StateSize(i)));
        }

        return parameters;
    }

    private string[] StateNames()
    {
        var names = new string[LayerCount * Directions * States];
        for (var i = 0; i < names.Length; i++)
        {
            names[i] = RecurrentStates.Name(Layout.States[i % States].Letter, i / (Directions * States), i / States % Directions);
        }

        return names;
    }

    private Tensor<T>[]? CheckState(SequenceState<T>? initialState, int rows)
    {
        if (initialState is null)
        {
            return null;
        }

        var tensors = initialState.InOrder(_stateNames, nameof(initialState));
        CheckSizes(tensors, rows, nameof(initialState));
        return tensors;
    }

    private void CheckSizes(ReadOnlySpan<Tensor<T>> tensors, int rows, string parameter)
    {
        for (var i = 0; i < tensors.Length; i++)
        {
            var expected = new Shape(rows, StateSize(i));
            if (tensors[i].Shape != expected)
            {
                throw new ArgumentException(
                    $"{parameter}: expected {expected} for {_stateNames[i]} but got {tensors[i].Shape}; the first dimension is the batch size, the second the state's size.", parameter);
            }
        }
    }
}
