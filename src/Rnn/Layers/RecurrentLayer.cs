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
/// Parameters are named as in PyTorch, with one bias a gate: <c>weight_ih_l0</c> [G·H, I], <c>weight_hh_l0</c> [G·H, H], <c>bias_l0</c> [G·H], and
/// <c>…_reverse</c> for the second direction. The order of the gates is <c>Layout.GateOrder</c>.
/// Inputs, states, weights and the gradients that pass from step to step count as zero below 2⁻¹⁰⁰ ≈ 8e-31 (<see cref="double"/>: 2⁻⁹⁶⁰), so that what decays does not end among the
/// denormal numbers, with which processors are slow.
/// </remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public partial class RecurrentLayer<T> : Layer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly LayerEngine<T>[] _engines;
    private readonly Parameter<T>[][][] _weights;
    private readonly Parameter<T>[]? _initial;
    private readonly StepOptions _steps;

    internal RecurrentLayer(CellKernels<T> cell, int inputSize, int hiddenSize, RecurrentOptions options, int projectionSize = 0)
    {
        Layout = options.LayerNormalization ? cell.Layout.WithNormalizedProducts() : cell.Layout;
        RecurrentChecks.Check(inputSize, hiddenSize, options, projectionSize, Layout);
        InputSize = inputSize;
        Options = options;
        HiddenSizes = options.HiddenSizes is { } sizes ? [.. sizes] : [.. Enumerable.Repeat(hiddenSize, options.Layers)];
        Directions = options.Bidirectional ? 2 : 1;
        ProjectionSize = projectionSize;
        var seeded = new RandomSource(RandomSource.ChooseSeed(options.Seed, options.Random));
        Random = seeded.Split("recurrent dropout");
        var initializer = new RecurrentInitializer<T>(options, seeded.Split("weights"));
        _engines = new LayerEngine<T>[HiddenSizes.Count];
        _weights = new Parameter<T>[HiddenSizes.Count][][];
        _steps = new StepOptions
        {
            HiddenZoneout = options.HiddenZoneout,
            CellZoneout = options.CellZoneout,
            RecurrentDropout = options.RecurrentDropout,
        };
        var width = inputSize;
        for (var layer = 0; layer < HiddenSizes.Count; layer++)
        {
            RecurrentChecks.CheckSize(Layout, width, HiddenSizes[layer], projectionSize);
            var shape = new CellShape(Layout, width, HiddenSizes[layer], projectionSize, options.Bias);
            // What layers above read was flushed of denormal numbers below.
            _engines[layer] = new(cell, shape, _steps, Directions, options.Reverse, flushesInput: layer == 0);
            _weights[layer] = new Parameter<T>[Directions][];
            for (var direction = 0; direction < Directions; direction++)
            {
                var suffix = $"_l{layer}{(direction == 1 ? "_reverse" : string.Empty)}";
                _weights[layer][direction] = [.. shape.Slots.Select(slot => AddParameter(slot.Name + suffix, initializer.Create(shape, slot)))];
            }

            width = Merges ? shape.OutputSize : shape.OutputSize * Directions;
        }

        OutputSize = width;
        _initial = options.LearnedInitialState ? MakeInitialStates() : null;
    }

    /// <summary>What a step of the cell is made of.</summary>
    public CellLayout Layout { get; }

    /// <summary>The options the layer was made with.</summary>
    public RecurrentOptions Options { get; }

    /// <summary>The size of the input I.</summary>
    public int InputSize { get; }

    /// <summary>The hidden size H of the top layer.</summary>
    public int HiddenSize => HiddenSizes[^1];

    /// <summary>The hidden size of each layer, bottom first.</summary>
    public IReadOnlyList<int> HiddenSizes { get; }

    /// <summary>The size that hidden states are projected to, or 0 for none.</summary>
    public int ProjectionSize { get; }

    /// <summary>The size of the output: of both directions together where they are concatenated.</summary>
    public int OutputSize { get; }

    /// <summary>The number of stacked layers.</summary>
    public int Layers => HiddenSizes.Count;

    /// <summary>One, or two for a bidirectional layer.</summary>
    public int Directions { get; }

    /// <inheritdoc/>
    protected override string Description =>
        $"{Layout.Name}, {InputSize} → {string.Join(" → ", HiddenSizes)}{(Directions == 2 ? ", bidirectional" : string.Empty)}{(ProjectionSize > 0 ? $", projected to {ProjectionSize}" : string.Empty)}";

    /// <summary>The cell, and each option that changes what is computed from the same weights, in evaluation too.</summary>
    protected override string Arithmetic => string.Create(
        CultureInfo.InvariantCulture,
        $"{Layout.Name}{(Options.Reverse ? ", reverse" : string.Empty)}{(Merges ? $", {Options.Merge}" : string.Empty)}{(Options.Residual ? ", residual" : string.Empty)}{Zoneout("hidden", Options.HiddenZoneout)}{Zoneout("cell", Options.CellZoneout)}");

    private int States => Layout.States.Count;

    private bool Merges => Directions == 2 && Options.Merge is DirectionMerge.Sum or DirectionMerge.Mean;

    /// <summary>A layer of a cell of your own.</summary>
    /// <typeparam name="TCell">The cell.</typeparam>
    /// <param name="inputSize">The size of the input I.</param>
    /// <param name="hiddenSize">The hidden size H.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <remarks>
    /// The first layer of a cell runs the cell's step once, watched: an index that the layout does not have, a value read before it is set or
    /// never set, or a gradient that would be lost is an error here instead of wrong numbers later.
    /// </remarks>
    /// <exception cref="ArgumentException">A size or option is out of range, or the cell and its layout do not agree; the message says how.</exception>
    public static RecurrentLayer<T> Create<TCell>(int inputSize, int hiddenSize, RecurrentOptions? options = null)
        where TCell : struct, ICell
    {
        CellTrace.Run<TCell>();
        return new(CellKernels<T>.Create<TCell>(), inputSize, hiddenSize, options ?? new());
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
        else if (options.LayerNormalization)
        {
            cell += LayerNormalized.NameSuffix;
        }

        return new(CellCatalog.Create<T>(cell), inputSize, hiddenSize, options, projectionSize);
    }

    /// <summary>The output at every step for sequences of full length that start from the initial state.</summary>
    /// <param name="input">[N, T, <see cref="InputSize"/>].</param>
    /// <returns>[N, T, <see cref="OutputSize"/>].</returns>
    public override Tensor<T> Forward(Tensor<T> input) => Forward(input, default).Output;

    /// <summary>Runs a batch of sequences.</summary>
    /// <param name="input">[N, T, <see cref="InputSize"/>].</param>
    /// <param name="lengths">The number of valid steps of each row, 0 to T in any order; empty for full length. A row's state passes through the steps past its end.</param>
    /// <param name="initialState">The states to start from; null for zeros, or for the learned ones.</param>
    /// <param name="cellStates">Whether to give the cell state after every step too.</param>
    /// <exception cref="ArgumentException">A shape, length or state does not fit; the message says how.</exception>
    public RecurrentOutput<T> Forward(
        Tensor<T> input, ReadOnlySpan<int> lengths, RecurrentState<T>? initialState = null, bool cellStates = false)
    {
        RecurrentChecks.CheckBatch(input, lengths, InputSize);
        CheckState(initialState, input.Shape[0]);
        var final = new Tensor<T>[Layers * Directions * States];
        var cells = cellStates && States > 1 ? new List<Tensor<T>>() : null;
        var output = input;
        var topInput = input;
        for (var layer = 0; layer < Layers; layer++)
        {
            var below = output;
            var initial = new Tensor<T>?[Directions * States];
            for (var i = 0; i < initial.Length; i++)
            {
                initial[i] = Initial(initialState, (layer * initial.Length) + i, input.Shape[0]);
            }

            var result = _engines[layer].Forward(Dropped(below, layer), lengths, initial, Values(layer, IsTraining && Options.WeightDrop > 0), cells is not null, Noise());
            result.Final.CopyTo(final, layer * initial.Length);
            cells?.Add(result.Sequences![1]!);
            output = Merged(result.Output);
            output = AddsInput(layer, below.Shape[2]) ? ResidualSum.Apply(output, below, lengths) : output;
            topInput = below;
        }

        var state = new RecurrentState<T>(final, Layers, Directions);
        return new()
        {
            Output = output,
            Last = LastOutput(state, topInput, lengths),
            FinalState = state,
            Directions = Separates ? output.Split(2, OutputSize / 2, OutputSize / 2) : null,
            CellStates = cells,
        };
    }

    /// <summary>States of zeros for a batch of <paramref name="rows"/> rows.</summary>
    public RecurrentState<T> ZeroState(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        var tensors = new Tensor<T>[Layers * Directions * States];
        for (var i = 0; i < tensors.Length; i++)
        {
            tensors[i] = Tensor<T>.Zeros(rows, StateSize(i));
        }

        return new(tensors, Layers, Directions);
    }

    /// <summary>A stream that runs this layer one step at a time for one sequence, from zero or learned initial states.</summary>
    /// <exception cref="InvalidOperationException">The layer runs back in time: it would need the future.</exception>
    public RecurrentStream<T> CreateStream()
    {
        if (Directions == 2 || Options.Reverse)
        {
            throw new InvalidOperationException(
                "CreateStream: a bidirectional or reversed layer needs the whole sequence; use Forward, or a layer that runs forward only.");
        }

        return new(CreateStepper(rows: 1), InputSize, OutputSize);
    }

    // The layers of one direction, one step at a time for some rows, from zero or learned initial states.
    internal Stepper<T> CreateStepper(int rows)
    {
        var layers = new LayerStepper<T>[Layers];
        var width = InputSize;
        for (var layer = 0; layer < Layers; layer++)
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

    private int StateSize(int index) => _engines[index / (Directions * States)].Shape.StateSize(index % States);

    private Tensor<T>? Initial(RecurrentState<T>? state, int index, int rows) =>
        state?.At(index) ?? (_initial is null ? null : Tensor<T>.Zeros(rows, StateSize(index)).Add(_initial[index].Value));

    private Parameter<T>[] MakeInitialStates()
    {
        var parameters = new Parameter<T>[Layers * Directions * States];
        for (var i = 0; i < parameters.Length; i++)
        {
            var (layer, direction) = (i / (Directions * States), i / States % Directions);
            var name = $"initial_{Layout.States[i % States].Letter}_l{layer}{(direction == 1 ? "_reverse" : string.Empty)}";
            parameters[i] = AddParameter(name, Tensor<T>.Zeros(StateSize(i)));
        }

        return parameters;
    }

    private void CheckState(RecurrentState<T>? initialState, int rows)
    {
        if (initialState is not { } state)
        {
            return;
        }

        if (state.Layers != Layers || state.Directions != Directions || state.StatesPerLayer != States)
        {
            throw new ArgumentException(
                $"initialState: expected {Layers} layers of {Directions} directions with {States} states but got {state.Layers} of {state.Directions} with {state.StatesPerLayer}.",
                nameof(initialState));
        }

        for (var i = 0; i < state.Tensors.Count; i++)
        {
            var expected = new Shape(rows, StateSize(i));
            if (state.At(i).Shape != expected)
            {
                throw new ArgumentException(
                    $"initialState: expected {expected} for state {i} but got {state.At(i).Shape}; the first dimension is the batch size, the second the state's size.",
                    nameof(initialState));
            }
        }
    }
}
