using System.Numerics;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>
/// Attention by the product of query and memory, q·k (Luong, Pham and Manning 2015, arXiv:1508.04025, "dot"), or q·k/√Q (Vaswani et al. 2017, arXiv:1706.03762). No parameters; queries and memory
/// have the same size.
/// </summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class DotAttention<T> : Attention<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Attention for a size.</summary>
    /// <param name="size">The size of a query and of a step of the memory.</param>
    /// <param name="scaled">Whether scores are divided by the root of the size, so that they do not grow with it.</param>
    /// <exception cref="ArgumentOutOfRangeException">The size is not positive.</exception>
    public DotAttention(int size, bool scaled = false)
        : base(size, size) => IsScaled = scaled;

    /// <summary>Whether scores are divided by the root of the size.</summary>
    public bool IsScaled { get; }

    internal static string Type => "dot-attention";

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override string Arithmetic => IsScaled ? "scaled dot attention" : "dot attention";

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("size", QuerySize);
        writer.Write("scaled", IsScaled);
    }

    internal static DotAttention<T> Read(DescriptionReader reader) => new(reader.GetInt32("size"), reader.GetBoolean("scaled"));

    private protected override Tensor<T> Scores(Tensor<T> queries, Tensor<T> keys)
    {
        var scores = queries.MatMul(keys.Transpose());
        return IsScaled ? scores.Multiply(T.One / T.Sqrt(T.CreateChecked(QuerySize))) : scores;
    }

    internal override void StepScores(ReadOnlySpan<T> query, ReadOnlySpan<T> keys, Span<T> scores, Span<T> work)
    {
        AttentionStepper<T>.Products(query, keys, scores);
        if (IsScaled)
        {
            SpanKernels<T>.Scale(scores, T.One / T.Sqrt(T.CreateChecked(QuerySize)), scores);
        }
    }
}
