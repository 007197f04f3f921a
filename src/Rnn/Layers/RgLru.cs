using System.Globalization;
using System.Numerics;
using Rnn.Cells;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>
/// The real-gated linear recurrent unit: r = σ(W_r x + b_r), i = σ(W_i x + b_i), a = σ(Λ)^(c·r), h = a⊙h₋ + √(1−a²)⊙(i⊙x).
/// </summary>
/// <remarks>
/// De et al. 2024, "Griffin: Mixing gated linear recurrences with local attention for efficient language models" (arXiv:2402.19427). Input and state have the same size; a <see cref="Linear{T}"/> before it
/// changes sizes. The parameter <c>decay</c> [H] is Λ. The paper's gates are block-diagonal: <see cref="RgLruOptions.Heads"/>.
/// </remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class RgLru<T> : ScanLayer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>A layer with new weights.</summary>
    /// <param name="size">The size H of input and state.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">The size is not positive, the heads do not divide it, the least decay is above the greatest, or the options give both a seed and a source.</exception>
    public RgLru(int size, RgLruOptions? options = null)
        : this(size, options ?? new(), RandomSource.ChooseSeed(options?.Seed, options?.Random))
    {
    }

    // Written where there are several; files from before heads were an option have none.
    private const string HeadsKey = "heads";

    private RgLru(int size, RgLruOptions options, ulong seed)
        : base(ScanKernels<T>.Create<RgLruCell>(), size, size, new() { Bias = options.Bias, WeightInitializer = options.WeightInitializer, Seed = seed }, CheckedHeads(size, options))
    {
        if (options.MinDecay > options.MaxDecay)
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"MinDecay: expected at most MaxDecay ({options.MaxDecay}) but got {options.MinDecay}."), nameof(options));
        }

        Options = options;
        Decay = AddParameter("decay", Initializer.Uniform(options.MinDecay, options.MaxDecay).Create<T>(new RandomSource(seed).Split("decay"), size));
        foreach (ref var value in Decay.Value.AsSpan())
        {
            // Λ with σ(Λ)ᶜ = value: log σ(Λ) = log(value)/c.
            var log = Math.Log(double.CreateChecked(value)) / options.Exponent;
            value = T.CreateChecked(log - Math.Log(-Math.Exp(log) + 1));
        }
    }

    /// <summary>The options the layer was made with.</summary>
    public RgLruOptions Options { get; }

    /// <summary>Λ [H]: an open gate keeps σ(Λ)ᶜ of the state.</summary>
    public Parameter<T> Decay { get; }

    internal static string Type => "rg-lru";

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override string Arithmetic => string.Create(CultureInfo.InvariantCulture, $"rg-lru, exponent {Options.Exponent}");

    // c·log σ(Λ) = −c·softplus(−Λ), recorded as operations: H numbers only.
    internal override Tensor<T> PerUnit => (-Decay.Value).Softplus() * T.CreateChecked(-Options.Exponent);

    internal override Parameter<T> PerUnitSource => Decay;

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("size", HiddenSize);
        writer.Write("exponent", Options.Exponent);
        writer.Write("bias", Options.Bias);
        if (Options.Heads != 1)
        {
            writer.Write(HeadsKey, Options.Heads);
        }
    }

    internal static RgLru<T> Read(DescriptionReader reader)
    {
        var size = reader.GetInt32("size");
        var heads = reader.Has(HeadsKey) ? reader.GetInt32(HeadsKey) : 1;
        reader.CountWeights(2.0 * size * size / Math.Max(1, heads));
        return new(size, new RgLruOptions { Heads = heads, Exponent = reader.GetDouble("exponent"), Bias = reader.GetBoolean("bias"), WeightInitializer = Initializer.Zeros });
    }

    private static int CheckedHeads(int size, RgLruOptions options) => size % options.Heads == 0
        ? options.Heads
        : throw new ArgumentException($"Heads: expected a number that divides the size {size} but got {options.Heads}.", nameof(options));
}
