using System.Globalization;
using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>
/// A stack of dilated causal convolutions with gated units, residual and skip connections: what a step gives depends on the <see cref="ReceptiveField"/> of steps up to it, which doubles with every layer of a block.
/// Where a recurrent layer takes one step after another, all steps of a sequence are computed at once; a stepper keeps the last inputs of each layer and computes a step as cheaply as any other layer.
/// </summary>
/// <remarks>
/// <para>Van den Oord et al. 2016, "WaveNet: A Generative Model for Raw Audio" (arXiv:1609.03499). Of input x and condition c:
/// h⁰ = W_in x + b; in layer l, z = tanh(W_f ∗ h + V_f c + b_f) ⊙ σ(W_g ∗ h + V_g c + b_g), h′ = h + W_r z + b_r; the output is relu(W_o relu(Σ_l W_s z_l + b_s) + b_o). The paper's last 1×1 convolution, to
/// the scores of the classes, is the output layer of the model that this layer stands in.</para>
/// <para>With <see cref="WaveNetOptions.ConditionSize"/> C the last C numbers of each step's input are the condition. A vector for a whole row, such as a speaker's embedding (global conditioning), is
/// repeated at every step, and features of steps (local conditioning) stand there as they are.</para>
/// <para>The parameters are <c>input</c> [R, I − C], for each layer <c>gates_l0</c> [2·D, K·R + C] (the filter's rows before the gate's, the oldest tap first, the condition last) and <c>residual_l0</c> [R, D] (not of the
/// last layer, whose h′ nobody reads), <c>skip</c> [S, L·D] (the layers side by side) and <c>output</c> [S, S]. The state is <c>x_l0</c> [N, (K−1)·d, R], …, the last inputs of each layer's convolution.</para>
/// </remarks>
/// <example>
/// <code>
/// var layer = new WaveNet&lt;float&gt;(inputSize: 32, new() { LayersPerBlock = 10, Blocks = 2 });      // sees 2047 steps
/// var model = new LanguageModel&lt;float&gt;(MuLaw.Levels, layer);                                       // waves as tokens
/// </code>
/// </example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class WaveNet<T> : SequenceLayer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly string[] _names;

    /// <summary>A layer with new weights.</summary>
    /// <param name="inputSize">The size of the input I, that of the condition included.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">The input is not larger than the condition, the receptive field is more than a number can hold, or the options give both a seed and a source.</exception>
    public WaveNet(int inputSize, WaveNetOptions? options = null)
    {
        Options = options ??= new();
        if (inputSize <= options.ConditionSize)
        {
            throw new ArgumentOutOfRangeException(
                nameof(inputSize), inputSize, $"inputSize: expected more than {options.ConditionSize}, the ConditionSize, which is a part of it, but got {inputSize}; add the two sizes.");
        }

        var layers = (long)options.Blocks * options.LayersPerBlock;
        var reach = options.Blocks * (options.KernelSize - 1.0) * ((1 << options.LayersPerBlock) - 1);
        if (reach >= int.MaxValue || layers * options.DilationChannels > int.MaxValue)
        {
            throw new ArgumentException("options: the layers see more steps, or have more channels, than a number can hold; take fewer blocks or layers.", nameof(options));
        }

        InputSize = inputSize;
        ReceptiveField = (int)reach + 1;
        var dilations = new int[layers];
        for (var layer = 0; layer < dilations.Length; layer++)
        {
            dilations[layer] = 1 << (layer % options.LayersPerBlock);
        }

        Dilations = dilations;
        _names = Array.ConvertAll(dilations, _ => string.Empty);
        var (gates, residuals) = (new Linear<T>[layers], new Linear<T>[layers - 1]);
        var random = new RandomSource(RandomSource.ChooseSeed(options.Seed, options.Random)).Split("wavenet");
        Input = AddLinear("input", inputSize - options.ConditionSize, options.ResidualChannels);
        for (var layer = 0; layer < dilations.Length; layer++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"l{layer}");
            _names[layer] = $"x_{name}";
            gates[layer] = AddLinear($"gates_{name}", checked((options.KernelSize * options.ResidualChannels) + options.ConditionSize), checked(2 * options.DilationChannels));
            if (layer < residuals.Length)
            {
                residuals[layer] = AddLinear($"residual_{name}", options.DilationChannels, options.ResidualChannels);
            }
        }

        (Gates, Residuals) = (gates, residuals);
        Skip = AddLinear("skip", dilations.Length * options.DilationChannels, options.SkipChannels);
        Output = AddLinear("output", options.SkipChannels, options.SkipChannels);

        Linear<T> AddLinear(string name, int inputs, int outputs) => AddModule(name, new Linear<T>(inputs, outputs, new() { Random = random.Split(name) }));
    }

    /// <summary>The options the layer was made with.</summary>
    public WaveNetOptions Options { get; }

    /// <inheritdoc/>
    public override int InputSize { get; }

    /// <inheritdoc/>
    public override int OutputSize => Options.SkipChannels;

    /// <summary>The dilation of each layer.</summary>
    public IReadOnlyList<int> Dilations { get; }

    /// <summary>The steps that an output depends on: its own and those before.</summary>
    public int ReceptiveField { get; }

    internal static string Type => "wavenet";

    internal Linear<T> Input { get; }

    internal Linear<T>[] Gates { get; }

    internal Linear<T>[] Residuals { get; }

    internal Linear<T> Skip { get; }

    internal Linear<T> Output { get; }

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override string Description =>
        $"{InputSize} → {OutputSize}, {Options.Blocks} × {Options.LayersPerBlock} layers of {Options.KernelSize} taps, receptive field {ReceptiveField}{(Options.ConditionSize > 0 ? $", condition {Options.ConditionSize}" : string.Empty)}";

    /// <inheritdoc/>
    protected override string Arithmetic => $"wavenet, {Options.KernelSize} taps, {Options.LayersPerBlock} layers a block, condition {Options.ConditionSize}";

    /// <inheritdoc/>
    public override SequenceState<T> ZeroState(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        return State(rows, layer => Tensor<T>.Zeros(rows, Reach(layer), Options.ResidualChannels));
    }

    /// <inheritdoc/>
    public override SequenceLayerOutput<T> Forward(Tensor<T> input, ReadOnlySpan<int> lengths, SequenceState<T>? initialState = null)
    {
        var state = CheckBatch(input, lengths, initialState);
        input = StepMask.ClearPastEnds(input, lengths);
        var condition = Options.ConditionSize > 0 ? input.Slice(-1, ^Options.ConditionSize..) : null;
        var hidden = Input.Forward(condition is null ? input : input.Slice(-1, ..^Options.ConditionSize));
        var (units, next) = (new Tensor<T>[Gates.Length], new Tensor<T>[Gates.Length]);
        for (var layer = 0; layer < units.Length; layer++)
        {
            next[layer] = HistoryNode<T>.Apply(state.At(layer), hidden, lengths);
            (units[layer], var sum) = ConvolutionNode<T>.ApplyGated(
                Gates[layer], hidden, state.At(layer), condition, Options.KernelSize, Dilations[layer], layer < Residuals.Length ? Residuals[layer] : null, lengths);
            hidden = sum ?? hidden;
        }

        var output = Output.Forward(Skip.Forward(Tensor<T>.Concat(units, -1)).Relu()).Relu();
        return new(StepMask.ClearPastEnds(output, lengths), new(input.Shape[0], _names, next), lengths);
    }

    /// <inheritdoc/>
    public override SequenceStepper<T> CreateStepper(int rows = 1) => new WaveNetStepper<T>(this, rows);

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("input_size", InputSize);
        writer.Write("residual_channels", Options.ResidualChannels);
        writer.Write("dilation_channels", Options.DilationChannels);
        writer.Write("skip_channels", Options.SkipChannels);
        writer.Write("kernel_size", Options.KernelSize);
        writer.Write("layers_per_block", Options.LayersPerBlock);
        writer.Write("blocks", Options.Blocks);
        writer.Write("condition_size", Options.ConditionSize);
    }

    internal static WaveNet<T> Read(DescriptionReader reader)
    {
        var options = new WaveNetOptions
        {
            ResidualChannels = reader.GetInt32("residual_channels"),
            DilationChannels = reader.GetInt32("dilation_channels"),
            SkipChannels = reader.GetInt32("skip_channels"),
            KernelSize = reader.GetInt32("kernel_size"),
            LayersPerBlock = reader.GetInt32("layers_per_block"),
            Blocks = reader.GetInt32("blocks"),
            ConditionSize = reader.GetInt32("condition_size"),
        };
        var inputSize = reader.GetInt32("input_size");
        var (residual, dilation, skip) = ((double)options.ResidualChannels, (double)options.DilationChannels, (double)options.SkipChannels);
        var gates = 2 * dilation * ((options.KernelSize * residual) + options.ConditionSize);
        reader.CountWeights((inputSize * residual) + (options.Blocks * options.LayersPerBlock * (gates + (dilation * skip))) + (skip * skip));
        return new(inputSize, options);
    }

    internal int Reach(int layer) => (Options.KernelSize - 1) * Dilations[layer];

    /// <summary>A state made of what each layer remembers.</summary>
    internal SequenceState<T> State(int rows, Func<int, Tensor<T>> ofLayer)
    {
        var tensors = new Tensor<T>[_names.Length];
        for (var layer = 0; layer < tensors.Length; layer++)
        {
            tensors[layer] = ofLayer(layer);
        }

        return new(rows, _names, tensors);
    }
}
