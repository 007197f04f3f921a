using System.Numerics;
using Rnn.Formats;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>Options of a <see cref="CausalConvolution{T}"/>.</summary>
public sealed record CausalConvolutionOptions
{
    /// <summary>The number of taps K, the steps that an output is made of.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int KernelSize
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(KernelSize), value, $"KernelSize: expected 1 or more but got {value}.");
    } = 2;

    /// <summary>The steps d from one tap to the next; 1 for neighbours.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public int Dilation
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(Dilation), value, $"Dilation: expected 1 or more but got {value}.");
    } = 1;

    /// <summary>Whether there is a bias.</summary>
    public bool Bias { get; init; } = true;

    /// <summary>How the weights start.</summary>
    public Initializer WeightInitializer { get; init; } = Initializer.GlorotUniform;

    /// <summary>The seed of the initialisation; null for the next one of the process (see <see cref="RandomSource.SetSeed"/>), so that two layers differ.</summary>
    public ulong? Seed { get; init; }

    /// <summary>A source that gives the seed, by one number, in place of <see cref="Seed"/>; null for none.</summary>
    public RandomSource? Random { get; init; }
}

/// <summary>
/// A causal convolution over time: y_t = b + Σₖ W_k x_{t − (K−1−k)·d}, so that an output depends on its own step and on steps before. What lies before the beginning of a sequence is zero.
/// </summary>
/// <remarks>
/// The parameters are <c>taps.weight</c> [O, K·I], the oldest tap first (of a PyTorch <c>Conv1d</c> weight [O, I, K] the permutation [O, K, I]), and <c>taps.bias</c> [O]. The state is <c>x</c> [N, (K−1)·d, I], the
/// last inputs, so that chunks of a sequence one after another give what the whole gives. Dilated causal convolutions: van den Oord et al. 2016, "WaveNet" (arXiv:1609.03499).
/// </remarks>
/// <example>
/// <code>
/// var layer = new CausalConvolution&lt;float&gt;(16, 32, new() { KernelSize = 3, Dilation = 4 });
/// </code>
/// </example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class CausalConvolution<T> : SequenceLayer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private static readonly string[] Names = ["x"];

    /// <summary>A layer with new weights.</summary>
    /// <param name="inputSize">The size of the input I.</param>
    /// <param name="outputSize">The size of the output O.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">A size is not positive, or the options give both a seed and a source.</exception>
    public CausalConvolution(int inputSize, int outputSize, CausalConvolutionOptions? options = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(inputSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(outputSize);
        Options = options ??= new();
        if (((options.KernelSize - 1.0) * options.Dilation) + 1 > int.MaxValue || (double)options.KernelSize * inputSize > int.MaxValue)
        {
            throw new ArgumentException(
                $"options: KernelSize and Dilation, or KernelSize and the {inputSize} inputs, reach further than a number can hold: {options.KernelSize} taps with a dilation of {options.Dilation}.", nameof(options));
        }

        (InputSize, Reach) = (inputSize, (options.KernelSize - 1) * options.Dilation);
        Taps = AddModule("taps", new Linear<T>(options.KernelSize * inputSize, outputSize, new() { Bias = options.Bias, WeightInitializer = options.WeightInitializer, Seed = options.Seed, Random = options.Random }));
    }

    /// <summary>The options the layer was made with.</summary>
    public CausalConvolutionOptions Options { get; }

    /// <inheritdoc/>
    public override int InputSize { get; }

    /// <inheritdoc/>
    public override int OutputSize => Taps.OutputSize;

    /// <summary>The steps that an output depends on, (K−1)·d + 1.</summary>
    public int ReceptiveField => Reach + 1;

    /// <summary>The weights of all taps, a product of K·I inputs.</summary>
    public Linear<T> Taps { get; }

    internal static string Type => "causal-convolution";

    /// <summary>How many steps the oldest tap looks back.</summary>
    internal int Reach { get; }

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override string Description => $"{InputSize} → {OutputSize}, {Options.KernelSize} taps{(Options.Dilation == 1 ? string.Empty : $", dilation {Options.Dilation}")}{(Options.Bias ? string.Empty : ", no bias")}";

    /// <inheritdoc/>
    protected override string Arithmetic => $"causal convolution, {Options.KernelSize} taps, dilation {Options.Dilation}";

    /// <summary>A layer with the weights of a state dict of PyTorch (<c>Conv1d</c> of one group, whose input is padded by (K−1)·d zeros before its beginning and not behind its end); sizes, taps and whether there is a bias are read from
    /// the shapes.</summary>
    /// <param name="file">The file, of any format.</param>
    /// <param name="prefix">What stands before each name, with its dot: <c>conv.</c>.</param>
    /// <param name="options">What the file does not say, such as the dilation; null for the defaults.</param>
    /// <exception cref="InvalidDataException">The file has no such layer below the prefix, or its shapes do not fit together.</exception>
    public static CausalConvolution<T> FromPyTorch(WeightFile file, string prefix = "", CausalConvolutionOptions? options = null)
    {
        var shape = PyTorchSizes.Shape(file, $"{prefix}weight", 3, "[outputs, inputs, taps], as of a Conv1d");
        var layer = new CausalConvolution<T>(
            shape[1], shape[0], (options ?? new()) with { KernelSize = shape[2], Bias = file.Contains($"{prefix}bias"), WeightInitializer = Initializer.Zeros });
        layer.LoadPyTorch(file, prefix, strict: false);
        return layer;
    }

    private protected override IEnumerable<PyTorchPart<T>> PyTorchParts(string prefix, WeightFile? file)
    {
        yield return new PyTorchTaps<T>(Taps.Weight.Value, $"{prefix}weight", InputSize, Options.KernelSize);
        if (Taps.Bias is { } bias)
        {
            yield return new PyTorchPart<T>(bias.Value, bias.Shape, $"{prefix}bias");
        }
    }

    /// <inheritdoc/>
    public override SequenceState<T> ZeroState(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        return new(rows, Names, [Tensor<T>.Zeros(rows, Reach, InputSize)]);
    }

    /// <inheritdoc/>
    public override SequenceLayerOutput<T> Forward(Tensor<T> input, ReadOnlySpan<int> lengths, SequenceState<T>? initialState = null)
    {
        var state = CheckBatch(input, lengths, initialState).At(0);
        var output = ConvolutionNode<T>.Apply(Taps, input, state, Options.KernelSize, Options.Dilation, lengths);
        return new(output, new(input.Shape[0], Names, [HistoryNode<T>.Apply(state, input, lengths)]), lengths);
    }

    /// <inheritdoc/>
    public override SequenceStepper<T> CreateStepper(int rows = 1) => new ConvolutionStepper<T>(this, rows);

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("input_size", InputSize);
        writer.Write("output_size", OutputSize);
        writer.Write("kernel_size", Options.KernelSize);
        writer.Write("dilation", Options.Dilation);
        writer.Write("bias", Options.Bias);
    }

    internal static CausalConvolution<T> Read(DescriptionReader reader)
    {
        var (inputSize, outputSize, kernelSize) = (reader.GetInt32("input_size"), reader.GetInt32("output_size"), reader.GetInt32("kernel_size"));
        reader.CountWeights((double)kernelSize * inputSize * outputSize);
        return new(inputSize, outputSize, new() { KernelSize = kernelSize, Dilation = reader.GetInt32("dilation"), Bias = reader.GetBoolean("bias"), WeightInitializer = Initializer.Zeros });
    }
}
