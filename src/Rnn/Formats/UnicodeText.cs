using System.Buffers;
using System.Globalization;
using System.Text;

namespace Rnn.Formats;

/// <summary>Text that a file can keep: UTF-16 without half surrogate pairs, which would come back as U+FFFD.</summary>
internal static class UnicodeText
{
    /// <summary>Where the first half of a surrogate pair stands alone, or −1.</summary>
    internal static int IndexOfLoneSurrogate(ReadOnlySpan<char> text)
    {
        for (var position = 0; position < text.Length;)
        {
            var next = text[position..].IndexOfAnyInRange('\uD800', '\uDFFF');
            if (next < 0)
            {
                return -1;
            }

            position += next;
            if (Rune.DecodeFromUtf16(text[position..], out _, out var length) != OperationStatus.Done)
            {
                return position;
            }

            position += length;
        }

        return -1;
    }

    /// <summary>Refuses text that no file could keep.</summary>
    /// <exception cref="ArgumentException">Half of a surrogate pair stands alone.</exception>
    internal static void Check(ReadOnlySpan<char> text, string parameterName, string what)
    {
        if (IndexOfLoneSurrogate(text) is >= 0 and var position)
        {
            throw new ArgumentException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{parameterName}: {what} U+{(int)text[position]:X4} at position {position} is half of a surrogate pair; the text is not valid Unicode, and no file could keep it."),
                parameterName);
        }
    }
}
