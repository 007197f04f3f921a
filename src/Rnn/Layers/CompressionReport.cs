using System.Globalization;

namespace Rnn.Layers;

/// <summary>What compression does to the results of a module on given data; see <see cref="ModuleCompression.MeasureCompression(Module{float}, WeightFormat, Func{Tensors.Tensor{float}})"/>.</summary>
public sealed record CompressionReport
{
    private CompressionReport()
    {
    }

    /// <summary>The format.</summary>
    public required WeightFormat Format { get; init; }

    /// <summary>The bytes of all parameters and buffers in single precision.</summary>
    public required long FullBytes { get; init; }

    /// <summary>The bytes of all parameters and buffers as a file of the compressed module holds them.</summary>
    public required long CompressedBytes { get; init; }

    /// <summary>The mean of the results before: the loss, where the result is a loss.</summary>
    public required double FullMean { get; init; }

    /// <summary>The mean of the results after.</summary>
    public required double CompressedMean { get; init; }

    /// <summary>The largest difference of a result, in its unit.</summary>
    public required double LargestError { get; init; }

    /// <summary>The root of the mean of the squared differences, in the unit of the results.</summary>
    public required double RootMeanSquareError { get; init; }

    /// <summary>The root of the mean of the squared results before, which the errors compare with.</summary>
    public required double RootMeanSquare { get; init; }

    /// <summary>How much the mean has grown: the loss that compression costs, where the result is a loss.</summary>
    public double MeanDifference => CompressedMean - FullMean;

    /// <summary>The sizes and errors in one line.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Format}: {FullBytes:N0} bytes become {CompressedBytes:N0}; results differ by {RootMeanSquareError:G3} (root mean square; theirs is {RootMeanSquare:G3}), at most {LargestError:G3}; their mean goes from {FullMean:G6} to {CompressedMean:G6}");

    internal static CompressionReport Compare(WeightFormat format, long fullBytes, long compressedBytes, double[] full, double[] compressed)
    {
        if (full.Length != compressed.Length || full.Length == 0)
        {
            throw new ArgumentException($"evaluate: expected results of the same size twice but got {full.Length} and {compressed.Length} numbers.");
        }

        double largest = 0, squares = 0;
        for (var i = 0; i < full.Length; i++)
        {
            var error = Math.Abs(compressed[i] - full[i]);
            largest = Math.Max(largest, error);
            squares += error * error;
        }

        return new()
        {
            Format = format,
            FullBytes = fullBytes,
            CompressedBytes = compressedBytes,
            FullMean = full.Average(),
            CompressedMean = compressed.Average(),
            LargestError = largest,
            RootMeanSquareError = Math.Sqrt(squares / full.Length),
            RootMeanSquare = Math.Sqrt(full.Sum(value => value * value) / full.Length),
        };
    }
}
