using System.Numerics;
using Rnn.Autograd;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>
/// Attention by a small network, vᵀ tanh(W_q q + W_k k + b) (Bahdanau, Cho and Bengio 2015, arXiv:1409.0473; "additive", Luong's "concat").
/// </summary>
/// <remarks>Parameters: <c>query.weight</c> [A, Q], <c>memory.weight</c> [A, M], <c>memory.bias</c> [A], <c>score</c> [A].</remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class AdditiveAttention<T> : Attention<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Linear<T> _query;
    private readonly Linear<T> _memory;

    /// <summary>Attention with new weights.</summary>
    /// <param name="querySize">The size of a query Q.</param>
    /// <param name="memorySize">The size of a step of the memory M.</param>
    /// <param name="hiddenSize">The size of the network's hidden layer A.</param>
    /// <param name="seed">The seed of the initialisation (Glorot, uniform); null for the next one of the process.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public AdditiveAttention(int querySize, int memorySize, int hiddenSize, ulong? seed = null)
        : base(querySize, memorySize)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(hiddenSize);
        HiddenSize = hiddenSize;
        var random = new RandomSource(RandomSource.ChooseSeed(seed, null)).Split("attention");
        _query = AddModule("query", new Linear<T>(querySize, hiddenSize, new() { Bias = false, Random = random }));
        _memory = AddModule("memory", new Linear<T>(memorySize, hiddenSize, new() { Random = random }));
        Score = AddParameter("score", Initializer.GlorotUniform.Create<T>(random, 1, hiddenSize).Reshape(hiddenSize));
    }

    /// <summary>The size of the hidden layer A.</summary>
    public int HiddenSize { get; }

    /// <summary>The weights v of the hidden layer's units [A].</summary>
    public Parameter<T> Score { get; }

    internal static string Type => "additive-attention";

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("query_size", QuerySize);
        writer.Write("memory_size", MemorySize);
        writer.Write("hidden_size", HiddenSize);
    }

    internal static AdditiveAttention<T> Read(DescriptionReader reader)
    {
        var (querySize, memorySize, hiddenSize) = (reader.GetInt32("query_size"), reader.GetInt32("memory_size"), reader.GetInt32("hidden_size"));
        reader.CountWeights(hiddenSize * ((double)querySize + memorySize + 2));
        return new(querySize, memorySize, hiddenSize, seed: 0);
    }

    private protected override Tensor<T> Keys(Tensor<T> memory) => _memory.Forward(memory);

    // [N, U, 1, A] + [N, 1, T, A] → [N, U, T].
    private protected override Tensor<T> Scores(Tensor<T> queries, Tensor<T> keys) =>
        (_query.Forward(queries).Unsqueeze(2) + keys.Unsqueeze(1)).Tanh().Multiply(Score.Value).Sum(-1);

    internal override int StepWork(int steps) => steps * HiddenSize;

    internal override int StepQuerySize => HiddenSize;

    internal override void StepQueries(ReadOnlySpan<T> queries, Span<T> prepared) => _query.StepRows(queries.Length / QuerySize, queries, prepared);

    internal override void StepScores(ReadOnlySpan<T> query, ReadOnlySpan<T> keys, Span<T> scores, Span<T> work)
    {
        var hidden = work[..keys.Length];
        keys.CopyTo(hidden);
        for (var step = 0; step < scores.Length; step++)
        {
            SpanKernels<T>.Add(query, hidden.Slice(step * HiddenSize, HiddenSize));
        }

        Unary.InPlace(hidden, default(ActivationFunction<T, Tanh>));
        AttentionStepper<T>.Products(Score.Value.AsReadOnlySpan(), hidden, scores);
    }
}
