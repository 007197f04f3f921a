using System.Numerics;
using Rnn.Formats;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>Options of a <see cref="Linear{T}"/> layer.</summary>
public sealed record LinearOptions
{
    /// <summary>Whether there is a bias.</summary>
    public bool Bias { get; init; } = true;

    /// <summary>How the weights start.</summary>
    public Initializer WeightInitializer { get; init; } = Initializer.GlorotUniform;

    /// <summary>How the bias starts.</summary>
    public Initializer BiasInitializer { get; init; } = Initializer.Zeros;

    /// <summary>The seed of the initialisation; null for the next one of the process (see <see cref="RandomSource.SetSeed"/>), so that two layers differ.</summary>
    public ulong? Seed { get; init; }

    /// <summary>A source that gives the seed, by one number, in place of <see cref="Seed"/>; null for none.</summary>
    public RandomSource? Random { get; init; }
}

/// <summary>A fully connected layer: y = x Wᵀ + b over the last dimension.</summary>
/// <remarks>Parameters are named as in PyTorch: <c>weight</c> [outputs, inputs] and <c>bias</c> [outputs].</remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class Linear<T> : Layer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>A layer with new weights.</summary>
    /// <param name="inputSize">The size of the input's last dimension.</param>
    /// <param name="outputSize">The size of the output's last dimension.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    /// <exception cref="ArgumentException">The options give both a seed and a source.</exception>
    public Linear(int inputSize, int outputSize, LinearOptions? options = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(inputSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(outputSize);
        options ??= new();
        var random = new RandomSource(RandomSource.ChooseSeed(options.Seed, options.Random)).Split("linear");
        Weight = AddParameter("weight", options.WeightInitializer.Create<T>(random, outputSize, inputSize));
        Weight.IsWeightMatrix = true;
        Product = new(paddingRow: null);
        Bias = options.Bias ? AddParameter("bias", options.BiasInitializer.Create<T>(random, outputSize)) : null;
    }

    /// <summary>Block-diagonal matrices side by side: <paramref name="stacked"/> blocks of outputs, each with <paramref name="heads"/> heads that read as many parts of the input. The weights are [outputs, inputs / heads].</summary>
    internal Linear(int inputSize, int outputSize, LinearOptions options, int heads, int stacked)
    {
        var random = new RandomSource(RandomSource.ChooseSeed(options.Seed, options.Random)).Split("linear");
        var (rows, columns) = (outputSize / (heads * stacked), inputSize / heads);
        var weight = Tensor<T>.Zeros(outputSize, columns);
        for (var block = 0; block < heads * stacked; block++)
        {
            options.WeightInitializer.Fill(weight.AsSpan().Slice(block * rows * columns, rows * columns), rows, columns, random);
        }

        Weight = AddParameter("weight", weight);
        Weight.IsWeightMatrix = true;
        Product = new(heads, stacked, outputSize);
        Bias = options.Bias ? AddParameter("bias", options.BiasInitializer.Create<T>(random, outputSize)) : null;
    }

    /// <summary>
    /// A layer that shares its weights with another module, such as an embedding: tied weights. The padding row of an embedding gets no gradient from here
    /// either, so that it stays zero.
    /// </summary>
    /// <param name="weight">The shared weights [outputs, inputs].</param>
    /// <param name="options">Options, or null for the defaults; the weights stay as they are.</param>
    /// <exception cref="ArgumentException">The weights are not a matrix, or the options give both a seed and a source.</exception>
    public Linear(Parameter<T> weight, LinearOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(weight);
        if (weight.Shape.Rank != 2)
        {
            throw new ArgumentException($"weight: expected [outputs, inputs] but got {weight.Shape}.", nameof(weight));
        }

        options ??= new();
        Weight = AddParameter(weight);
        Weight.IsWeightMatrix = true;
        Product = new(weight.PaddingRow);
        Bias = options.Bias
            ? AddParameter("bias", options.BiasInitializer.Create<T>(new RandomSource(RandomSource.ChooseSeed(options.Seed, options.Random)).Split("linear"), weight.Shape[0]))
            : null;
    }

    /// <summary>The size of the input's last dimension.</summary>
    public int InputSize => Weight.Shape[1] * Product.Heads;

    /// <summary>The size of the output's last dimension.</summary>
    public int OutputSize => Weight.Shape[0];

    /// <summary>The weights [outputs, inputs].</summary>
    public Parameter<T> Weight { get; }

    /// <summary>The bias [outputs], or null.</summary>
    public Parameter<T>? Bias { get; }

    /// <summary>The product with its packed weights.</summary>
    internal LinearProduct<T> Product { get; }

    internal static string Type => "linear";

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override string Description => $"{InputSize} → {OutputSize}{(Product.Heads > 1 ? $", {Product.Heads} heads" : string.Empty)}{(Bias is null ? ", no bias" : string.Empty)}";

    /// <inheritdoc/>
    protected override string Arithmetic => "linear";

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("input_size", InputSize);
        writer.Write("output_size", OutputSize);
        writer.Write("bias", Bias is not null);
    }

    internal static Linear<T> Read(DescriptionReader reader)
    {
        var (inputSize, outputSize) = (reader.GetInt32("input_size"), reader.GetInt32("output_size"));
        reader.CountWeights((double)inputSize * outputSize);
        return new(inputSize, outputSize, new() { Bias = reader.GetBoolean("bias"), WeightInitializer = Initializer.Zeros });
    }

    /// <summary>A layer with the weights of a state dict of PyTorch (<c>Linear</c>); its sizes and whether there is a bias are read from the shapes.</summary>
    /// <param name="file">The file, of any format.</param>
    /// <param name="prefix">What stands before each name, with its dot: <c>head.</c>.</param>
    /// <exception cref="InvalidDataException">The file has no such layer below the prefix, or its shapes do not fit together.</exception>
    public static Linear<T> FromPyTorch(WeightFile file, string prefix = "")
    {
        var (outputs, inputs) = PyTorchSizes.Matrix(file, $"{prefix}weight");
        var layer = new Linear<T>(inputs, outputs, new() { Bias = file.Contains($"{prefix}bias"), WeightInitializer = Initializer.Zeros });
        layer.LoadPyTorch(file, prefix, strict: false);
        return layer;
    }

    private protected override IEnumerable<PyTorchPart<T>> PyTorchParts(string prefix, WeightFile? file) => Product.Heads == 1
        ? base.PyTorchParts(prefix, file)
        : throw new NotSupportedException($"{prefix}: PyTorch's Linear has no heads, and this one has {Product.Heads}.");

    /// <summary>x Wᵀ + b.</summary>
    /// <param name="input">[…, <see cref="InputSize"/>].</param>
    /// <returns>[…, <see cref="OutputSize"/>].</returns>
    /// <exception cref="ArgumentException">The last dimension is another.</exception>
    public override Tensor<T> Forward(Tensor<T> input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.Rank == 0 || input.Shape[-1] != InputSize)
        {
            throw new ArgumentException(
                $"input: expected [..., {InputSize}] but got {input.Shape}; the last dimension must be InputSize ({InputSize}).", nameof(input));
        }

        return Product.Apply(input, Weight, Bias?.Value);
    }

    /// <inheritdoc/>
    protected internal override void StepRows(int rows, ReadOnlySpan<T> input, Span<T> output) => Product.Apply(input, Weight, Bias?.Value, output);
}
