using System.Numerics;
using System.Runtime.CompilerServices;

namespace Rnn.Tensors;

public sealed partial class RandomSource
{
    /// <summary>Fills with numbers drawn evenly from [<paramref name="low"/>, <paramref name="high"/>).</summary>
    /// <param name="values">The values to write.</param>
    /// <param name="low">The lower end.</param>
    /// <param name="high">The upper end.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public void FillUniform<T>(Span<T> values, double low = 0, double high = 1)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var range = high - low;
        var end = Element.From<T>(high);
        var last = range > 0 ? T.BitDecrement(end) : end;
        var generator = _generator;
        for (var i = 0; i < values.Length; i++)
        {
            var value = Element.From<T>(low + (range * ((generator.Next() >> 11) * UnitOf53Bits)));

            // Rounding to float may reach the upper end, which is not part of the range.
            values[i] = value < end ? value : last;
        }

        _generator = generator;
    }

    /// <summary>Fills with numbers drawn from the normal distribution.</summary>
    /// <param name="values">The values to write.</param>
    /// <param name="mean">The mean.</param>
    /// <param name="standardDeviation">The standard deviation.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public void FillNormal<T>(Span<T> values, double mean = 0, double standardDeviation = 1)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var generator = _generator;
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = Element.From<T>(mean + (standardDeviation * NormalDistribution.Quantile(((generator.Next() >> 11) + 0.5) * UnitOf53Bits)));
        }

        _generator = generator;
    }

    /// <summary>
    /// Sets each element to <paramref name="value"/> with the given probability, else to zero: a dropout mask. The probability is
    /// exact to 2⁻³². Draws one number, whatever the length; each element follows from it and from its position.
    /// </summary>
    /// <param name="values">The values to write.</param>
    /// <param name="probability">How likely an element becomes <paramref name="value"/>, from 0 to 1.</param>
    /// <param name="value">The value of the elements that are not zero, such as 1 / probability for inverted dropout.</param>
    /// <exception cref="ArgumentOutOfRangeException">The probability is outside of [0, 1].</exception>
    public void FillMask<T>(Span<T> values, double probability, T value)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!(probability >= 0 && probability <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(probability), probability, "expected a probability from 0 to 1.");
        }

        RandomMask.Fill(values, NextUInt64(), probability, value);
    }
}
