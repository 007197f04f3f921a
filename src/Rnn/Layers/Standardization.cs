using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>
/// Brings features to mean 0 and standard deviation 1 by fixed statistics of the training data: y = (x − mean) / deviation over the last dimension. It stands in front of the first layer of a
/// <see cref="SequenceChain{T}"/> or <see cref="Sequential{T}"/>, so that the model takes raw features wherever it is used and its file holds the statistics.
/// </summary>
/// <remarks>The statistics are buffers, <c>mean</c> [size] and <c>deviation</c> [size]: saved with the model, not trained.</remarks>
/// <example><code>
/// var layer = new SequenceChain&lt;float&gt;(Standardization&lt;float&gt;.Fit(trainingSequences), new Lstm&lt;float&gt;(inputSize: 24, hiddenSize: 64));
/// </code></example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class Standardization<T> : Layer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>A layer with statistics that are known.</summary>
    /// <param name="mean">The mean of each feature, [size].</param>
    /// <param name="deviation">The standard deviation of each feature, [size], above 0.</param>
    /// <exception cref="ArgumentException">The tensors are not of one size, or a number is not finite or a deviation not above 0.</exception>
    public Standardization(Tensor<T> mean, Tensor<T> deviation)
    {
        ArgumentNullException.ThrowIfNull(mean);
        ArgumentNullException.ThrowIfNull(deviation);
        if (mean.Rank != 1 || mean.Length == 0)
        {
            throw new ArgumentException($"mean: expected one number for each feature, [size], but got {mean.Shape}.", nameof(mean));
        }

        if (deviation.Shape != mean.Shape)
        {
            throw new ArgumentException($"deviation: expected {mean.Shape}, the shape of mean, but got {deviation.Shape}.", nameof(deviation));
        }

        for (var i = 0; i < mean.Length; i++)
        {
            if (!T.IsFinite(mean[i]) || !T.IsFinite(deviation[i]) || deviation[i] <= T.Zero)
            {
                throw new ArgumentException($"deviation: expected finite means and deviations above 0 but feature {i} has mean {mean[i]} and deviation {deviation[i]}.", nameof(deviation));
            }
        }

        Mean = AddBuffer("mean", mean.Detach().Clone());
        Deviation = AddBuffer("deviation", deviation.Detach().Clone());
    }

    /// <summary>The number of features.</summary>
    public int Size => Mean.Length;

    /// <summary>The mean of each feature, [size].</summary>
    public Tensor<T> Mean { get; }

    /// <summary>The standard deviation of each feature, [size].</summary>
    public Tensor<T> Deviation { get; }

    internal static string Type => "standardization";

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override string Arithmetic => "standardization";

    /// <summary>A layer with the statistics of data; a feature that never changes is only shifted.</summary>
    /// <param name="data">Tensors […, size] of one size, such as the training sequences; each is looked at once.</param>
    /// <exception cref="ArgumentException">There are no features, sizes differ, or a number is not finite.</exception>
    public static Standardization<T> Fit(IEnumerable<Tensor<T>> data)
    {
        ArgumentNullException.ThrowIfNull(data);
        double[]? means = null, squares = null;
        long count = 0;
        foreach (var tensor in data)
        {
            means ??= new double[tensor.Rank == 0 ? 0 : tensor.Shape[-1]];
            squares ??= new double[means.Length];
            if (means.Length == 0 || tensor.Rank == 0 || tensor.Shape[-1] != means.Length)
            {
                throw new ArgumentException($"data: expected tensors of one number of features, [..., {means.Length}], but one is {tensor.Shape}.", nameof(data));
            }

            var values = tensor.AsReadOnlySpan();
            for (var start = 0; start < values.Length; start += means.Length)
            {
                // Welford 1962: no large sums whose difference would lose the digits.
                count++;
                for (var i = 0; i < means.Length; i++)
                {
                    var distance = double.CreateChecked(values[start + i]) - means[i];
                    means[i] += distance / count;
                    squares[i] += distance * (double.CreateChecked(values[start + i]) - means[i]);
                }
            }
        }

        if (means is null || squares is null || count == 0)
        {
            throw new ArgumentException("data: expected at least one row of features but got none.", nameof(data));
        }

        var deviations = Array.ConvertAll(squares, square => Math.Sqrt(square / count));
        var wrong = Array.FindIndex(deviations, deviation => !double.IsFinite(deviation));
        return wrong < 0
            ? new(Of(means), Of(Array.ConvertAll(deviations, deviation => T.CreateChecked(deviation) > T.Zero ? deviation : 1)))
            : throw new ArgumentException($"data: expected finite numbers but feature {wrong} has others.", nameof(data));
    }

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write("size", Size);
    }

    internal static Standardization<T> Read(DescriptionReader reader)
    {
        var size = reader.GetInt32("size");
        reader.CountWeights(2.0 * size);
        return new(Tensor<T>.Zeros(size), Tensor<T>.Ones(size));
    }

    /// <summary>(x − mean) / deviation.</summary>
    /// <param name="input">[…, <see cref="Size"/>].</param>
    /// <exception cref="ArgumentException">The last dimension is another.</exception>
    public override Tensor<T> Forward(Tensor<T> input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return input.Rank > 0 && input.Shape[-1] == Size
            ? (input - Mean) / Deviation
            : throw new ArgumentException($"input: expected [..., {Size}] but got {input.Shape}; the last dimension must be Size ({Size}).", nameof(input));
    }

    /// <inheritdoc/>
    protected internal override void StepRows(int rows, ReadOnlySpan<T> input, Span<T> output)
    {
        var mean = Mean.AsReadOnlySpan();
        var deviation = Deviation.AsReadOnlySpan();
        for (var i = 0; i < input.Length; i++)
        {
            output[i] = (input[i] - mean[i % mean.Length]) / deviation[i % mean.Length];
        }
    }

    private static Tensor<T> Of(double[] values) => Tensor<T>.From(Array.ConvertAll(values, T.CreateChecked), values.Length);
}
