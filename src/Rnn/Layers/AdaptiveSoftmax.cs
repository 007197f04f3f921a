using System.Globalization;
using System.Numerics;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>
/// An output layer for many classes, such as the words of a language, sorted by how often they come. A head scores the frequent ones and, as one class each, clusters of rarer ones; inside a cluster
/// its classes are scored from a projection of the input that is the smaller the rarer they are. log p(class) = log p(cluster) + log p(class | cluster).
/// </summary>
/// <remarks>
/// Grave et al., "Efficient softmax approximation for GPUs" (2017, arXiv:1609.04309). The point is the loss, <c>Loss.AdaptiveCrossEntropy</c>: it scores a cluster only for the steps whose target is in it. Class 0 must be the most frequent one,
/// as in a <c>WordVocabulary</c>. Parameters are named as in PyTorch's <c>AdaptiveLogSoftmaxWithLoss</c>: <c>head.weight</c>, <c>head.bias</c>, <c>tail.0.0.weight</c> (the projection of
/// the first cluster), <c>tail.0.1.weight</c> (its scores).
/// </remarks>
/// <example>
/// <code>
/// var output = new AdaptiveSoftmax&lt;float&gt;(inputSize: 256, classes: 30_000, new() { Cutoffs = [2_000, 10_000] });
/// var loss = Loss.AdaptiveCrossEntropy(lstm.Forward(x), output, targets);
/// var logProbabilities = output.Forward(hidden);   // of all classes
/// </code>
/// </example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class AdaptiveSoftmax<T> : Layer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly int[] _cutoffs;
    private readonly Sequential<T>[] _clusters;

    /// <summary>A layer with new weights.</summary>
    /// <param name="inputSize">The size I of the input's last dimension.</param>
    /// <param name="classes">The number of classes V, the most frequent first.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    /// <exception cref="ArgumentException">The cutoffs are not ascending between 0 and V, or the options give both a seed and a source.</exception>
    public AdaptiveSoftmax(int inputSize, int classes, AdaptiveSoftmaxOptions? options = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(inputSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(classes);
        Options = options ??= new();
        (InputSize, OutputSize) = (inputSize, classes);
        _cutoffs = CutoffsOf(options, classes);
        var random = new RandomSource(RandomSource.ChooseSeed(options.Seed, options.Random)).Split("adaptive softmax");
        Head = AddModule("head", new Linear<T>(inputSize, FrequentCount + _cutoffs.Length, new() { Bias = options.HeadBias, Random = random }));
        _clusters = new Sequential<T>[_cutoffs.Length];
        for (var i = 0; i < _clusters.Length; i++)
        {
            var size = ProjectionSize(inputSize, options.ProjectionDivisor, i);
            _clusters[i] = new(
                new Linear<T>(inputSize, size, new() { Bias = false, Random = random }),
                new Linear<T>(size, EndOf(i) - _cutoffs[i], new() { Bias = false, Random = random }));
        }

        AddModule("tail", new Tail(_clusters));
    }

    /// <summary>The options the layer was made with.</summary>
    public AdaptiveSoftmaxOptions Options { get; }

    /// <summary>The size I of the input's last dimension.</summary>
    public int InputSize { get; }

    /// <summary>The number of classes V.</summary>
    public int OutputSize { get; }

    /// <summary>Where the clusters begin; empty where there are none.</summary>
    public ReadOnlySpan<int> Cutoffs => _cutoffs;

    /// <summary>Scores the frequent classes and, behind them, the clusters.</summary>
    public Linear<T> Head { get; }

    /// <summary>The classes that the head scores itself: those from 0 to the first cutoff.</summary>
    internal int FrequentCount => _cutoffs.Length > 0 ? _cutoffs[0] : OutputSize;

    internal static string Type => "adaptive-softmax";

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override string Description => $"{InputSize} → {OutputSize}, cutoffs [{string.Join(", ", _cutoffs)}]";

    /// <inheritdoc/>
    protected override string Arithmetic => "adaptive softmax";

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("input_size", InputSize);
        writer.Write("output_size", OutputSize);
        writer.Write("cutoffs", _cutoffs);
        writer.Write("projection_divisor", Options.ProjectionDivisor);
        writer.Write("bias", Options.HeadBias);
    }

    internal static AdaptiveSoftmax<T> Read(DescriptionReader reader)
    {
        var (inputSize, classes, cutoffs) = (reader.GetInt32("input_size"), reader.GetInt32("output_size"), reader.GetIntegers("cutoffs"));
        var divisor = reader.GetDouble("projection_divisor");
        reader.CountWeights((double)inputSize * (cutoffs.Length > 0 ? (double)cutoffs[0] + cutoffs.Length : classes));
        for (var i = 0; i < cutoffs.Length; i++)
        {
            var end = i + 1 < cutoffs.Length ? cutoffs[i + 1] : classes;
            reader.CountWeights(ProjectionSize(inputSize, divisor, i) * ((double)inputSize + end - cutoffs[i]));
        }

        return new(inputSize, classes, new() { Cutoffs = cutoffs, ProjectionDivisor = divisor, HeadBias = reader.GetBoolean("bias"), Seed = 0 });
    }

    /// <summary>The logarithms of the probabilities of all classes: scores every cluster of every step.</summary>
    /// <param name="input">[…, <see cref="InputSize"/>].</param>
    /// <returns>[…, <see cref="OutputSize"/>], whose exponentials sum to 1.</returns>
    /// <exception cref="ArgumentException">The last dimension is another.</exception>
    public override Tensor<T> Forward(Tensor<T> input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var head = Head.Forward(input).LogSoftmax();
        if (_clusters.Length == 0)
        {
            return head;
        }

        var parts = new Tensor<T>[_clusters.Length + 1];
        parts[0] = head.Slice(-1, ..FrequentCount);
        for (var i = 0; i < _clusters.Length; i++)
        {
            parts[i + 1] = _clusters[i].Forward(input).LogSoftmax() + head.Slice(-1, (FrequentCount + i)..(FrequentCount + i + 1));
        }

        return Tensor<T>.Concat(parts, -1);
    }

    /// <summary>Where a cluster ends.</summary>
    internal int EndOf(int cluster) => cluster + 1 < _cutoffs.Length ? _cutoffs[cluster + 1] : OutputSize;

    /// <summary>The projection of a cluster.</summary>
    internal Linear<T> Projection(int cluster) => (Linear<T>)_clusters[cluster][0];

    /// <summary>The scores of a cluster's classes.</summary>
    internal Linear<T> Scores(int cluster) => (Linear<T>)_clusters[cluster][1];

    /// <inheritdoc/>
    protected internal override void StepRows(int rows, ReadOnlySpan<T> input, Span<T> output)
    {
        // The parts of a row lie apart, so each is scored into memory that is rented, and goes from there to its place.
        var widest = FrequentCount + _clusters.Length;
        var projected = 0;
        for (var i = 0; i < _clusters.Length; i++)
        {
            widest = Math.Max(widest, EndOf(i) - _cutoffs[i]);
            projected = Math.Max(projected, Projection(i).OutputSize);
        }

        var (ofCluster, scores, features) = (TensorPool<T>.Rent(rows * Math.Max(1, _clusters.Length)), TensorPool<T>.Rent(rows * widest), TensorPool<T>.Rent(Math.Max(1, rows * projected)));
        try
        {
            var width = FrequentCount + _clusters.Length;
            LogSoftmax(Head, rows, input, scores.AsSpan(0, rows * width));
            for (var row = 0; row < rows; row++)
            {
                var from = scores.AsSpan(row * width, width);
                from[..FrequentCount].CopyTo(output[(row * OutputSize)..]);
                from[FrequentCount..].CopyTo(ofCluster.AsSpan(row * _clusters.Length));
            }

            for (var i = 0; i < _clusters.Length; i++)
            {
                var projection = features.AsSpan(0, rows * Projection(i).OutputSize);
                Projection(i).StepRows(rows, input, projection);
                width = EndOf(i) - _cutoffs[i];
                LogSoftmax(Scores(i), rows, projection, scores.AsSpan(0, rows * width));
                for (var row = 0; row < rows; row++)
                {
                    var to = output.Slice((row * OutputSize) + _cutoffs[i], width);
                    scores.AsSpan(row * width, width).CopyTo(to);
                    SpanKernels<T>.AddConstant(ofCluster[(row * _clusters.Length) + i], to);
                }
            }
        }
        finally
        {
            TensorPool<T>.Return(ofCluster);
            TensorPool<T>.Return(scores);
            TensorPool<T>.Return(features);
        }
    }

    /// <summary>The cutoffs for a number of classes.</summary>
    /// <exception cref="ArgumentException">They are not ascending between 0 and the number.</exception>
    private static int[] CutoffsOf(AdaptiveSoftmaxOptions options, int classes)
    {
        if (options.Cutoffs is not { } cutoffs)
        {
            // Of few classes some of these are 0 or the same.
            return [.. new[] { classes / 15, classes / 5 }.Where(cutoff => cutoff > 0).Distinct()];
        }

        for (var i = 0; i < cutoffs.Count; i++)
        {
            if (cutoffs[i] <= (i == 0 ? 0 : cutoffs[i - 1]) || cutoffs[i] >= classes)
            {
                throw new ArgumentException($"Cutoffs: expected ascending numbers above 0 and below {classes}, the number of classes, but got [{string.Join(", ", cutoffs)}].", nameof(options));
            }
        }

        return [.. cutoffs];
    }

    private static int ProjectionSize(int inputSize, double divisor, int cluster) => Math.Max(1, (int)(inputSize / Math.Pow(divisor, cluster + 1)));

    private static unsafe void LogSoftmax(Linear<T> layer, int rows, ReadOnlySpan<T> input, Span<T> scores)
    {
        layer.StepRows(rows, input, scores);
        fixed (T* x = scores)
        {
            RowKernels<T>.Current.LogSoftmax(new(x, layer.OutputSize), new(x, layer.OutputSize), rows, layer.OutputSize);
        }
    }

    /// <summary>The clusters under the names that they have in PyTorch.</summary>
    private sealed class Tail : Module<T>
    {
        internal Tail(Sequential<T>[] clusters)
        {
            for (var i = 0; i < clusters.Length; i++)
            {
                AddModule(i.ToString(CultureInfo.InvariantCulture), clusters[i]);
            }
        }
    }
}
