using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Tests.Golden;

/// <summary>Comparison of whole tensors: the worst difference, relative to the largest entry of what was expected.</summary>
internal static class GoldenAssert
{
    /// <summary>Fails with the worst entry unless all differences are within <paramref name="tolerance"/> of the largest expected entry.</summary>
    public static void Close<T>(ReadOnlySpan<double> expected, ReadOnlySpan<T> actual, double tolerance, string name)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Assert.True(expected.Length == actual.Length, $"{name}: expected {expected.Length} numbers but got {actual.Length}.");
        var (error, worst) = WorstError(expected, actual);
        Assert.True(
            error <= tolerance,
            error <= tolerance ? null : $"{name}[{worst}]: expected {expected[worst]:R} but got {actual[worst]}; relative to the largest entry the error is {error:E2}, allowed {tolerance:E0}.");
    }

    /// <inheritdoc cref="Close{T}(ReadOnlySpan{double}, ReadOnlySpan{T}, double, string)"/>
    public static void Close<T>(Tensor<double>? expected, Tensor<T>? actual, double tolerance, string name)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (expected is null || actual is null)
        {
            Assert.Fail($"{name}: a tensor is missing (expected {expected is not null}, actual {actual is not null}).");
        }

        Assert.True(expected.Shape == actual.Shape, $"{name}: expected the shape {expected.Shape} but got {actual.Shape}.");
        Close(expected.AsReadOnlySpan(), actual.AsReadOnlySpan(), tolerance, name);
    }

    /// <summary>The largest difference over the largest expected entry, and where it stands; a NaN counts as infinitely wrong.</summary>
    public static (double Error, int Index) WorstError<T>(ReadOnlySpan<double> expected, ReadOnlySpan<T> actual)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (scale, largest, worst) = (0.0, 0.0, 0);
        for (var i = 0; i < expected.Length; i++)
        {
            scale = Math.Max(scale, Math.Abs(expected[i]));
            var difference = Math.Abs(double.CreateTruncating(actual[i]) - expected[i]);
            difference = double.IsNaN(difference) ? double.PositiveInfinity : difference;
            if (difference > largest)
            {
                (largest, worst) = (difference, i);
            }
        }

        return (largest == 0 ? 0 : largest / scale, worst);
    }
}
