using System.Globalization;
using System.Numerics;
using Rnn.Formats;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>Options of a <see cref="LayerNorm{T}"/> layer.</summary>
public sealed record LayerNormOptions
{
    /// <summary>Added to the variance.</summary>
    public double Epsilon { get; init; } = 1e-5;

    /// <summary>Whether there is a learned scale.</summary>
    public bool Scale { get; init; } = true;

    /// <summary>Whether there is a learned shift.</summary>
    public bool Bias { get; init; } = true;
}

/// <summary>
/// Layer normalisation (Ba, Kiros and Hinton 2016, arXiv:1607.06450): every row along the last dimension is brought to mean 0 and
/// variance 1, then scaled and shifted.
/// </summary>
/// <remarks>Parameters are named as in PyTorch: <c>weight</c> [size], ones at first, and <c>bias</c> [size], zeros at first.</remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class LayerNorm<T> : Layer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>A layer for rows of a size.</summary>
    /// <param name="size">The size of the last dimension.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">The size is not positive, or epsilon is negative.</exception>
    public LayerNorm(int size, LayerNormOptions? options = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        options ??= new();
        ArgumentOutOfRangeException.ThrowIfNegative(options.Epsilon, "options.Epsilon");
        Size = size;
        Epsilon = options.Epsilon;
        Weight = options.Scale ? AddParameter("weight", Tensor<T>.Ones(size)) : null;
        Bias = options.Bias ? AddParameter("bias", Tensor<T>.Zeros(size)) : null;
    }

    /// <summary>The size of the last dimension.</summary>
    public int Size { get; }

    /// <summary>What is added to the variance.</summary>
    public double Epsilon { get; }

    /// <summary>The scale [size], or null.</summary>
    public Parameter<T>? Weight { get; }

    /// <summary>The shift [size], or null.</summary>
    public Parameter<T>? Bias { get; }

    internal static string Type => "layer-norm";

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override string Description => $"{Size}";

    /// <inheritdoc/>
    protected override string Arithmetic => string.Create(CultureInfo.InvariantCulture, $"layer normalisation, epsilon {Epsilon}");

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("size", Size);
        writer.Write("epsilon", Epsilon);
        writer.Write("scale", Weight is not null);
        writer.Write("bias", Bias is not null);
    }

    internal static LayerNorm<T> Read(DescriptionReader reader)
    {
        var size = reader.GetInt32("size");
        var options = new LayerNormOptions { Epsilon = reader.GetDouble("epsilon"), Scale = reader.GetBoolean("scale"), Bias = reader.GetBoolean("bias") };
        reader.CountWeights((double)size * ((options.Scale ? 1 : 0) + (options.Bias ? 1 : 0)));
        return new(size, options);
    }

    /// <summary>A layer with the weights of a state dict of PyTorch (<c>LayerNorm</c> over one dimension); its size and whether there is a shift are read from the file.</summary>
    /// <param name="file">The file, of any format.</param>
    /// <param name="prefix">What stands before each name, with its dot: <c>norm.</c>.</param>
    /// <param name="options">What the file does not say, such as the epsilon; null for the defaults.</param>
    /// <exception cref="InvalidDataException">The file has no such layer below the prefix, or it normalises several dimensions.</exception>
    public static LayerNorm<T> FromPyTorch(WeightFile file, string prefix = "", LayerNormOptions? options = null)
    {
        var shape = PyTorchSizes.Shape(file, $"{prefix}weight", 1, "[size], as of a normalisation over the last dimension");
        var layer = new LayerNorm<T>(shape[0], (options ?? new()) with { Scale = true, Bias = file.Contains($"{prefix}bias") });
        layer.LoadPyTorch(file, prefix, strict: false);
        return layer;
    }

    /// <summary>The input normalised along the last dimension.</summary>
    /// <param name="input">[…, <see cref="Size"/>].</param>
    /// <exception cref="ArgumentException">The last dimension is another.</exception>
    public override Tensor<T> Forward(Tensor<T> input)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (input.Rank == 0 || input.Shape[-1] != Size)
        {
            throw new ArgumentException($"input: expected [..., {Size}] but got {input.Shape}; the last dimension must be Size ({Size}).", nameof(input));
        }

        return input.LayerNorm(Weight?.Value, Bias?.Value, Epsilon);
    }
}
