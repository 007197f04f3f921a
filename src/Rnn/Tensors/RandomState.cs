using System.Globalization;

namespace Rnn.Tensors;

/// <summary>The state of a <see cref="RandomSource"/>; as text it can be saved in a checkpoint.</summary>
/// <param name="Seed">The seed that the source was made from; what Split gives depends on it.</param>
/// <param name="S0">First word of the generator's state.</param>
/// <param name="S1">Second word.</param>
/// <param name="S2">Third word.</param>
/// <param name="S3">Fourth word.</param>
public readonly record struct RandomState(ulong Seed, ulong S0, ulong S1, ulong S2, ulong S3)
{
    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    /// <param name="text">Five hexadecimal numbers with dashes between them.</param>
    /// <exception cref="FormatException">The text is something else.</exception>
    public static RandomState Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Split('-');
        Span<ulong> words = stackalloc ulong[5];
        if (parts.Length != words.Length)
        {
            throw Mistake(text);
        }

        for (var i = 0; i < words.Length; i++)
        {
            if (!ulong.TryParse(parts[i], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out words[i]))
            {
                throw Mistake(text);
            }
        }

        return new(words[0], words[1], words[2], words[3], words[4]);
    }

    /// <summary>Five hexadecimal numbers with dashes between them.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Seed:x16}-{S0:x16}-{S1:x16}-{S2:x16}-{S3:x16}");

    private static FormatException Mistake(string text) =>
        new($"text: expected five hexadecimal numbers with dashes between them, as RandomState.ToString writes, but got '{text}'.");
}
