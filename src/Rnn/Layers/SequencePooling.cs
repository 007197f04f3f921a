using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>How the outputs of a sequence become one vector.</summary>
public enum PoolingKind
{
    /// <summary>The output that has seen all of the sequence: the last one, of a backward direction the one at the first step.</summary>
    Last,

    /// <summary>The mean over the steps.</summary>
    Mean,

    /// <summary>The largest value over the steps, for each feature.</summary>
    Max,

    /// <summary>A weighted mean, whose weights are learned: softmax over the steps of vᵀ tanh(W y + b) (Yang et al. 2016, "Hierarchical Attention Networks for Document Classification").</summary>
    Attention,
}

/// <summary>Turns the outputs of a sequence layer [N, T, O] into one vector for each row [N, O]. Steps past the end of a row do not count; a row without steps gives zeros, of <see cref="PoolingKind.Last"/> its initial hidden state.</summary>
/// <remarks>Parameters of <see cref="PoolingKind.Attention"/> alone: <c>hidden.weight</c> [A, O], <c>hidden.bias</c> [A], <c>score</c> [A].</remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class SequencePooling<T> : Module<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>A pooling of a kind.</summary>
    /// <param name="kind">What is taken of the steps.</param>
    /// <param name="size">The size of a step's output O.</param>
    /// <param name="hiddenSize">The size A of the hidden layer of <see cref="PoolingKind.Attention"/>; 0 for O.</param>
    /// <param name="seed">The seed of its initialisation; null for the next one of the process.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is out of range, or there is no such kind.</exception>
    public SequencePooling(PoolingKind kind, int size, int hiddenSize = 0, ulong? seed = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        ArgumentOutOfRangeException.ThrowIfNegative(hiddenSize);
        if (!Enum.IsDefined(kind))
        {
            throw new ArgumentOutOfRangeException(nameof(kind), kind, $"kind: there is no PoolingKind {kind}.");
        }

        (Kind, Size) = (kind, size);
        if (kind == PoolingKind.Attention)
        {
            var (random, hidden) = (new RandomSource(RandomSource.ChooseSeed(seed, null)).Split("pooling"), hiddenSize == 0 ? size : hiddenSize);
            Hidden = AddModule("hidden", new Linear<T>(size, hidden, new() { Random = random }));
            Score = AddParameter("score", Initializer.GlorotUniform.Create<T>(random, 1, hidden).Reshape(hidden));
        }
    }

    /// <summary>What is taken of the steps.</summary>
    public PoolingKind Kind { get; }

    /// <summary>The size of a step's output O.</summary>
    public int Size { get; }

    /// <summary>The hidden layer of attention, O → A.</summary>
    internal Linear<T>? Hidden { get; }

    /// <summary>What scores its values, [A].</summary>
    internal Parameter<T>? Score { get; }

    internal static string Type => "sequence-pooling";

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override string Arithmetic => $"{Kind} pooling";

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("kind", $"{Kind}");
        writer.Write("size", Size);
        writer.Write("hidden_size", Hidden?.OutputSize ?? 0);
    }

    internal static SequencePooling<T> Read(DescriptionReader reader)
    {
        var (size, hiddenSize) = (reader.GetInt32("size"), reader.GetInt32("hidden_size"));
        reader.CountWeights(hiddenSize * (size + 2.0));
        return new(Enum.Parse<PoolingKind>(reader.GetString("kind")), size, hiddenSize, seed: 0);
    }

    /// <summary>One vector for each row.</summary>
    /// <param name="output">What the sequence layer gave.</param>
    /// <param name="lengths">The lengths that it was given; empty for full length.</param>
    /// <returns>[N, <see cref="Size"/>].</returns>
    /// <exception cref="ArgumentException">A size or a length does not fit.</exception>
    public Tensor<T> Forward(SequenceLayerOutput<T> output, ReadOnlySpan<int> lengths = default)
    {
        ArgumentNullException.ThrowIfNull(output);
        var y = output.Output;
        RecurrentChecks.CheckBatch(y, lengths, Size, nameof(output), nameof(Size));
        var (rows, steps) = (y.Shape[0], y.Shape[1]);
        switch (Kind)
        {
            case PoolingKind.Last:
                return output.Last;
            case PoolingKind.Mean:
                var counts = new T[rows];
                for (var row = 0; row < rows; row++)
                {
                    counts[row] = T.One / T.CreateTruncating(Math.Max(1, lengths.IsEmpty ? steps : lengths[row]));
                }

                // Outputs past the end are zero.
                return y.Sum(1) * Tensor<T>.From(counts, rows, 1);
            case PoolingKind.Max:
                if (steps == 0)
                {
                    return Tensor<T>.Zeros(rows, Size);
                }

                // A row without steps is past its end from the first on.
                return StepMask.PastEnds<T>(rows, steps, lengths) is { } ended
                    ? y.MaskedFill(ended.Unsqueeze(2), double.NegativeInfinity).Max(1).MaskedFill(ended.Select(1, 0).Unsqueeze(1), 0)
                    : y.Max(1);
            default:
                if (steps == 0)
                {
                    return Tensor<T>.Zeros(rows, Size);
                }

                var past = StepMask.PastEnds<T>(rows, steps, lengths)?.Unsqueeze(2);
                var scores = Hidden!.Forward(y).Tanh().Multiply(Score!.Value).Sum(-1, keepDimensions: true);
                return ((past is null ? scores : scores.MaskedFill(past, StepMask.Impossible)).Softmax(1) * y).Sum(1);
        }
    }
}
