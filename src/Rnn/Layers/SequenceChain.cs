using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>
/// Sequence layers one after another, with layers between them that work on each step by itself, such as <see cref="Linear{T}"/>, <see cref="LayerNorm{T}"/> and <see cref="Dropout{T}"/>:
/// itself a sequence layer, with a state made of theirs. <c>new SequenceChain&lt;float&gt;(gru, new LayerNorm&lt;float&gt;(64), lstm)</c>.
/// </summary>
/// <remarks>The layers are named <c>0</c>, <c>1</c>, … in paths and in names of states.</remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
[SuppressMessage("Naming", "CA1710", Justification = "A layer that happens to list its parts.")]
public sealed class SequenceChain<T> : SequenceLayer<T>, IReadOnlyList<Layer<T>>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly List<Layer<T>> _layers = [];
    private readonly List<int> _sizes = [];
    private readonly string[] _stateNames;

    /// <summary>A chain whose input size the first layers tell: a sequence layer, linear, normalising or standardising layer does.</summary>
    /// <param name="layers">One layer or more, first first.</param>
    /// <exception cref="ArgumentException">The sizes do not fit together, a layer does not work step by step, or the size of the input cannot be told.</exception>
    public SequenceChain(params ReadOnlySpan<Layer<T>> layers)
        : this(FindInputSize(layers), layers)
    {
    }

    /// <summary>A chain of an input size.</summary>
    /// <param name="inputSize">The size of the input I.</param>
    /// <param name="layers">The layers, first first.</param>
    /// <exception cref="ArgumentException">The sizes do not fit together, or a layer does not work step by step.</exception>
    public SequenceChain(int inputSize, params ReadOnlySpan<Layer<T>> layers)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(inputSize);
        InputSize = OutputSize = inputSize;
        var names = new List<string>();
        foreach (var layer in layers)
        {
            ArgumentNullException.ThrowIfNull(layer, nameof(layers));
            OutputSize = SizeAfter(layers, _layers.Count, OutputSize);
            _sizes.Add(OutputSize);
            names.AddRange(StateNames(layer).Select(name => $"{_layers.Count}.{name}"));
            _layers.Add(AddModule(_layers.Count.ToString(CultureInfo.InvariantCulture), layer));
        }

        _stateNames = [.. names];
    }

    /// <inheritdoc/>
    public override int InputSize { get; }

    /// <inheritdoc/>
    public override int OutputSize { get; }

    /// <inheritdoc/>
    public override bool IsCausal => _layers.TrueForAll(layer => layer is not SequenceLayer<T> { IsCausal: false });

    /// <inheritdoc/>
    public override bool HasLearnedInitialState => _layers.Exists(layer => layer is SequenceLayer<T> { HasLearnedInitialState: true });

    /// <summary>The number of layers.</summary>
    public int Count => _layers.Count;

    /// <summary>One of the layers.</summary>
    /// <param name="index">Its number, from 0.</param>
    public Layer<T> this[int index] => _layers[index];

    internal static string Type => "sequence-chain";

    /// <summary>The size of what a layer gives.</summary>
    internal int SizeAfter(int index) => _sizes[index];

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override string Description => $"{InputSize} → {OutputSize}";

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("input_size", InputSize);
        writer.Write("layers", _layers);
    }

    /// <inheritdoc/>
    public override SequenceState<T> ZeroState(int rows) => Join(rows, layer => layer.ZeroState(rows));

    /// <inheritdoc/>
    public override SequenceState<T> InitialState(int rows) => Join(rows, layer => layer.InitialState(rows));

    /// <inheritdoc/>
    public override SequenceLayerOutput<T> Forward(Tensor<T> input, ReadOnlySpan<int> lengths, SequenceState<T>? initialState = null)
    {
        RecurrentChecks.CheckBatch(input, lengths, InputSize);
        var states = initialState is null ? null : Split(initialState, nameof(initialState));
        var final = new List<Tensor<T>>();
        SequenceLayerOutput<T>? output = null;
        Tensor<T>? last = null;
        var sequences = 0;
        foreach (var layer in _layers)
        {
            if (layer is SequenceLayer<T> sequence)
            {
                output = sequence.Forward(input, lengths, states?[sequences++]);
                final.AddRange(output.FinalState.Tensors);
                input = output.Output;

                // The last output of a backward direction stands at the first step; what follows in the chain works on it as on any other.
                last = sequence.IsCausal ? null : output.Last;
            }
            else
            {
                input = layer.Forward(input);
                output = null;
                last = last is null ? null : layer.Forward(last.Unsqueeze(1)).Squeeze(1);
            }
        }

        var state = new SequenceState<T>(input.Shape[0], _stateNames, [.. final]);
        if (output is not null)
        {
            return new(input, state, output.Last);
        }

        var cleared = StepMask.ClearPastEnds(input, lengths);
        return last is null ? new(cleared, state, lengths) : new(cleared, state, last);
    }

    /// <inheritdoc/>
    public override SequenceStepper<T> CreateStepper(int rows = 1)
    {
        CheckCausal(nameof(CreateStepper));
        return new ChainStepper<T>(this, rows);
    }

    /// <inheritdoc/>
    public IEnumerator<Layer<T>> GetEnumerator() => _layers.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The states of the sequence layers as one.</summary>
    internal SequenceState<T> Join(int rows, Func<SequenceLayer<T>, SequenceState<T>> stateOf) =>
        new(rows, _stateNames, [.. _layers.OfType<SequenceLayer<T>>().SelectMany(layer => stateOf(layer).Tensors)]);

    /// <summary>The state of each sequence layer.</summary>
    internal SequenceState<T>[] Split(SequenceState<T> state, string parameter)
    {
        var tensors = state.InOrder(_stateNames, parameter);
        var parts = new List<SequenceState<T>>();
        var at = 0;
        foreach (var layer in _layers.OfType<SequenceLayer<T>>())
        {
            var names = StateNames(layer);
            parts.Add(new(state.Rows, names, tensors[at..(at + names.Length)]));
            at += names.Length;
        }

        return [.. parts];
    }

    private static string[] StateNames(Layer<T> layer) => layer is SequenceLayer<T> sequence ? [.. sequence.ZeroState(0).Names] : [];

    private static int FindInputSize(ReadOnlySpan<Layer<T>> layers)
    {
        var size = 0;
        for (var i = 0; i < layers.Length && size == 0; i++)
        {
            size = layers[i] switch
            {
                SequenceLayer<T> sequence => sequence.InputSize,
                Linear<T> linear => linear.InputSize,
                LayerNorm<T> norm => norm.Size,
                RmsNorm<T> norm => norm.Size,
                Standardization<T> standardization => standardization.Size,
                Dropout<T> or ActivationLayer<T> => 0,
                _ => -1,
            };
        }

        return size > 0
            ? size
            : throw new ArgumentException("layers: the size of the input cannot be told from these layers; give it as the first argument.", nameof(layers));
    }

    // Two steps go through a layer that is no sequence layer: they must come out as two.
    private static int SizeAfter(ReadOnlySpan<Layer<T>> layers, int index, int size)
    {
        var layer = layers[index];
        if (layer is SequenceLayer<T> sequence)
        {
            return sequence.InputSize == size
                ? sequence.OutputSize
                : throw new ArgumentException($"layers: layer {index} reads {sequence.InputSize} features but gets {size}.", nameof(layers));
        }

        using var evaluation = Evaluation.Enter();
        using var noGradient = NoGradient.Enter();
        var output = layer.Forward(Tensor<T>.Zeros(1, 2, size)).Shape;
        return output.Rank == 3 && output[0] == 1 && output[1] == 2
            ? output[2]
            : throw new ArgumentException($"layers: layer {index} turns two steps [1, 2, {size}] into {output}; between sequence layers stand layers that work on each step by itself.", nameof(layers));
    }
}
