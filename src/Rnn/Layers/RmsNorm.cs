using System.Globalization;
using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>Options of a <see cref="RmsNorm{T}"/> layer.</summary>
public sealed record RmsNormOptions
{
    /// <summary>How many groups of neighbouring elements of a row are normalised each by itself, such as the heads of a recurrent layer; it divides the size.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>Added to the mean square.</summary>
    public double Epsilon { get; init; } = 1e-6;

    /// <summary>Whether there is a learned scale.</summary>
    public bool Scale { get; init; } = true;
}

/// <summary>
/// Root mean square normalisation: every row along the last dimension is divided by its root mean square, then scaled, y = γ⊙x / √(mean(x²) + ε).
/// </summary>
/// <remarks>
/// Zhang and Sennrich 2019 (arXiv:1910.07467): <see cref="LayerNorm{T}"/> without mean and shift. The parameter is <c>weight</c> [size], ones at first, as in PyTorch.
/// </remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class RmsNorm<T> : Layer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>A layer for rows of a size.</summary>
    /// <param name="size">The size of the last dimension.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">The size or the number of groups is not positive, the groups do not divide the size, or epsilon is negative.</exception>
    public RmsNorm(int size, RmsNormOptions? options = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        options ??= new();
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Groups, "options.Groups");
        ArgumentOutOfRangeException.ThrowIfNegative(options.Epsilon, "options.Epsilon");
        if (size % options.Groups != 0)
        {
            throw new ArgumentException($"Groups: expected a number that divides the size {size} but got {options.Groups}.", nameof(options));
        }

        Size = size;
        Groups = options.Groups;
        Epsilon = options.Epsilon;
        Weight = options.Scale ? AddParameter("weight", Tensor<T>.Ones(size)) : null;
    }

    /// <summary>The size of the last dimension.</summary>
    public int Size { get; }

    /// <summary>How many groups of a row are normalised each by itself.</summary>
    public int Groups { get; }

    /// <summary>What is added to the mean square.</summary>
    public double Epsilon { get; }

    /// <summary>The scale γ [size], or null.</summary>
    public Parameter<T>? Weight { get; }

    internal static string Type => "rms-norm";

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override string Description => Groups == 1 ? $"{Size}" : $"{Size} in {Groups} groups";

    /// <inheritdoc/>
    protected override string Arithmetic => string.Create(CultureInfo.InvariantCulture, $"root mean square normalisation, groups {Groups}, epsilon {Epsilon}");

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("size", Size);
        writer.Write("groups", Groups);
        writer.Write("epsilon", Epsilon);
        writer.Write("scale", Weight is not null);
    }

    internal static RmsNorm<T> Read(DescriptionReader reader)
    {
        var size = reader.GetInt32("size");
        var options = new RmsNormOptions { Groups = reader.GetInt32("groups"), Epsilon = reader.GetDouble("epsilon"), Scale = reader.GetBoolean("scale") };
        reader.CountWeights(options.Scale ? size : 0);
        return new(size, options);
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

        return input.RmsNorm(Weight?.Value, Groups, Epsilon);
    }
}
