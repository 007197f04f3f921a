using System.Numerics;

namespace Rnn.Tensors;

public sealed partial class RandomSource
{
    /// <summary>Fills with numbers drawn evenly from [<paramref name="low"/>, <paramref name="high"/>).</summary>
    /// <param name="values">The values to write.</param>
    /// <param name="low">The lower end.</param>
    /// <param name="high">The upper end.</param>
    public void FillUniform<T>(Span<T> values, double low = 0, double high = 1)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var range = high - low;
        var end = T.CreateTruncating(high);
        for (var i = 0; i < values.Length; i++)
        {
            var value = T.CreateTruncating(low + (range * NextDouble()));

            // Rounding to float may reach the upper end, which is not part of the range.
            values[i] = value < end || range <= 0 ? value : T.BitDecrement(end);
        }
    }

    /// <summary>Fills with numbers drawn from the normal distribution.</summary>
    /// <param name="values">The values to write.</param>
    /// <param name="mean">The mean.</param>
    /// <param name="deviation">The standard deviation.</param>
    public void FillNormal<T>(Span<T> values, double mean = 0, double deviation = 1)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = T.CreateTruncating(mean + (deviation * NextNormal()));
        }
    }

    /// <summary>
    /// Fills with <paramref name="value"/> where a coin of the given probability falls, else with zero: a dropout mask. The probability is
    /// exact to 2⁻³²; one draw of the generator serves two elements.
    /// </summary>
    /// <param name="values">The values to write.</param>
    /// <param name="probability">How likely an element becomes <paramref name="value"/>, from 0 to 1.</param>
    /// <param name="value">The value of the others than zero, such as 1 / probability for inverted dropout.</param>
    /// <exception cref="ArgumentOutOfRangeException">The probability is outside of [0, 1].</exception>
    public void FillMask<T>(Span<T> values, double probability, T value)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!(probability >= 0 && probability <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(probability), probability, "expected a probability from 0 to 1.");
        }

        var threshold = (ulong)Math.Round(probability * (1UL << 32));
        for (var i = 0; i + 1 < values.Length; i += 2)
        {
            var bits = NextUInt64();
            values[i] = (uint)bits < threshold ? value : T.Zero;
            values[i + 1] = (bits >> 32) < threshold ? value : T.Zero;
        }

        if ((values.Length & 1) != 0)
        {
            values[^1] = (uint)NextUInt64() < threshold ? value : T.Zero;
        }
    }
}
