using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Rnn.Formats;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>Options of an <see cref="Embedding{T}"/> layer.</summary>
public sealed record EmbeddingOptions
{
    /// <summary>The index whose row is zero and gets no gradient, not from an output layer that shares the table either; null for none.</summary>
    public int? PaddingIndex { get; init; }

    /// <summary>How the rows start.</summary>
    public Initializer Initializer { get; init; } = Initializer.Normal(0, 1);

    /// <summary>The seed of the initialisation; null for the next one of the process (see <see cref="RandomSource.SetSeed"/>), so that two layers differ.</summary>
    public ulong? Seed { get; init; }

    /// <summary>A source that gives the seed, by one number, in place of <see cref="Seed"/>; null for none.</summary>
    public RandomSource? Random { get; init; }
}

/// <summary>A table of one learned row for each index, such as a token: looks rows up.</summary>
/// <remarks>The table is the parameter <c>weight</c> [V, size], named as in PyTorch.</remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class Embedding<T> : Layer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>A table with new rows.</summary>
    /// <param name="count">The number of rows V.</param>
    /// <param name="size">The size of a row.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive, or the padding index is out of range.</exception>
    /// <exception cref="ArgumentException">The options give both a seed and a source.</exception>
    public Embedding(int count, int size, EmbeddingOptions? options = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        options ??= new();
        if (options.PaddingIndex is { } padding && (padding < 0 || padding >= count))
        {
            throw new ArgumentOutOfRangeException(nameof(options), padding, $"options.PaddingIndex: expected 0 to {count - 1} but got {padding}.");
        }

        PaddingIndex = options.PaddingIndex;
        var weight = options.Initializer.Create<T>(new RandomSource(RandomSource.ChooseSeed(options.Seed, options.Random)).Split("embedding"), count, size);
        if (PaddingIndex is { } zero)
        {
            weight.AsSpan().Slice(zero * size, size).Clear();
        }

        Weight = AddParameter("weight", new Parameter<T>("weight", weight) { PaddingRow = PaddingIndex, IsWeightMatrix = true });
    }

    /// <summary>The number of rows V.</summary>
    public int Count => Weight.Shape[0];

    /// <summary>The size of a row.</summary>
    public int Size => Weight.Shape[1];

    /// <summary>The index whose row is zero and gets no gradient, or null.</summary>
    public int? PaddingIndex { get; }

    /// <summary>The table [V, size].</summary>
    public Parameter<T> Weight { get; }

    internal static string Type => "embedding";

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override string Description => $"{Count} × {Size}{(PaddingIndex is { } padding ? $", padding {padding}" : string.Empty)}";

    /// <inheritdoc/>
    protected override string Arithmetic => "embedding";

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("count", Count);
        writer.Write("size", Size);
        if (PaddingIndex is { } padding)
        {
            writer.Write("padding_index", padding);
        }
    }

    internal static Embedding<T> Read(DescriptionReader reader)
    {
        var (count, size) = (reader.GetInt32("count"), reader.GetInt32("size"));
        reader.CountWeights((double)count * size);
        return new(count, size, new() { PaddingIndex = reader.Has("padding_index") ? reader.GetInt32("padding_index") : null, Initializer = Initializer.Zeros });
    }

    /// <summary>A table with the rows of a state dict of PyTorch (<c>Embedding</c>); its sizes are read from the shape.</summary>
    /// <param name="file">The file, of any format.</param>
    /// <param name="prefix">What stands before the name <c>weight</c>, with its dot: <c>embedding.</c>.</param>
    /// <param name="options">What the file does not say, such as the padding index; null for the defaults.</param>
    /// <exception cref="InvalidDataException">The file has no such table below the prefix.</exception>
    public static Embedding<T> FromPyTorch(WeightFile file, string prefix = "", EmbeddingOptions? options = null)
    {
        var (count, size) = PyTorchSizes.Matrix(file, $"{prefix}weight");
        var layer = new Embedding<T>(count, size, (options ?? new()) with { Initializer = Initializer.Zeros });
        layer.LoadPyTorch(file, prefix, strict: false);
        return layer;
    }

    /// <summary>The rows of indices.</summary>
    /// <param name="indices">Indices from 0 to V − 1, row-major; copied.</param>
    /// <param name="shape">The shape of the indices, such as [N, T]; null for a vector.</param>
    /// <returns>The shape of the indices followed by <see cref="Size"/>.</returns>
    /// <exception cref="ArgumentException">An index is out of range, or the shape does not fit the indices.</exception>
    public Tensor<T> Forward(ReadOnlySpan<int> indices, Shape? shape = null) => Weight.Value.Embedding(indices, shape, PaddingIndex);

    /// <summary>The rows of indices.</summary>
    /// <param name="indices">Indices from 0 to V − 1, [N, T].</param>
    /// <returns>[N, T, <see cref="Size"/>].</returns>
    /// <exception cref="ArgumentException">An index is out of range.</exception>
    public Tensor<T> Forward(int[,] indices)
    {
        ArgumentNullException.ThrowIfNull(indices);
        var flat = MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<byte, int>(ref MemoryMarshal.GetArrayDataReference(indices)), indices.Length);
        return Forward(flat, [indices.GetLength(0), indices.GetLength(1)]);
    }

    /// <summary>The rows of indices that are given as numbers of the element type, so that the layer can stand first in a <see cref="Sequential{T}"/>.</summary>
    /// <param name="input">Whole numbers from 0 to V − 1, of any shape.</param>
    /// <returns>The shape of the input followed by <see cref="Size"/>.</returns>
    /// <exception cref="ArgumentException">A number is not whole or out of range.</exception>
    public override Tensor<T> Forward(Tensor<T> input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var indices = new int[input.Length];
        var values = input.AsReadOnlySpan();
        for (var i = 0; i < indices.Length; i++)
        {
            indices[i] = T.IsInteger(values[i]) ? int.CreateSaturating(values[i]) : -1;
            if ((uint)indices[i] >= (uint)Count)
            {
                throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"input: expected whole numbers from 0 to {Count - 1} but got {values[i]}."), nameof(input));
            }
        }

        return Forward(indices, input.Shape);
    }
}
