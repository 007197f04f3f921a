using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>
/// Attention by a learned product of query and memory, qᵀ W k (Luong, Pham and Manning 2015, arXiv:1508.04025, "general").
/// </summary>
/// <remarks>The parameter is <c>weight</c> [Q, M].</remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class GeneralAttention<T> : Attention<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly LinearProduct<T> _product = new(paddingRow: null);

    /// <summary>Attention with new weights.</summary>
    /// <param name="querySize">The size of a query Q.</param>
    /// <param name="memorySize">The size of a step of the memory M.</param>
    /// <param name="seed">The seed of the initialisation (Glorot, uniform); null for the next one of the process.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public GeneralAttention(int querySize, int memorySize, ulong? seed = null)
        : base(querySize, memorySize)
    {
        var random = new RandomSource(RandomSource.ChooseSeed(seed, null)).Split("attention");
        Weight = AddParameter("weight", Initializer.GlorotUniform.Create<T>(random, querySize, memorySize));
        Weight.IsWeightMatrix = true;
    }

    /// <summary>The weights [Q, M].</summary>
    public Parameter<T> Weight { get; }

    internal static string Type => "general-attention";

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("query_size", QuerySize);
        writer.Write("memory_size", MemorySize);
    }

    internal static GeneralAttention<T> Read(DescriptionReader reader)
    {
        var (querySize, memorySize) = (reader.GetInt32("query_size"), reader.GetInt32("memory_size"));
        reader.CountWeights((double)querySize * memorySize);
        return new(querySize, memorySize, seed: 0);
    }

    private protected override Tensor<T> Keys(Tensor<T> memory) => _product.Apply(memory, Weight, null);

    private protected override Tensor<T> Scores(Tensor<T> queries, Tensor<T> keys) => queries.MatMul(keys.Transpose());

    internal override void StepScores(ReadOnlySpan<T> query, ReadOnlySpan<T> keys, Span<T> scores, Span<T> work) => AttentionStepper<T>.Products(query, keys, scores);
}
