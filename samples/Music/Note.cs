using System.Globalization;

namespace Samples;

/// <summary>A note.</summary>
/// <param name="Pitch">Its MIDI number, 0 to 127; 60 is C4, the middle C.</param>
/// <param name="Start">The step at which it begins.</param>
/// <param name="Length">How many steps it sounds.</param>
public readonly record struct Note(int Pitch, int Start, int Length)
{
    private static readonly string[] Names = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];

    /// <summary>The name of a pitch, such as F#4.</summary>
    public static string Name(int pitch) => string.Create(CultureInfo.InvariantCulture, $"{Names[pitch % 12]}{(pitch / 12) - 1}");

    /// <summary>The pitch of a name such as F#4, or null where it is none.</summary>
    public static int? ParsePitch(ReadOnlySpan<char> name)
    {
        var digits = name.IndexOfAnyInRange('0', '9');
        var pitchClass = digits > 0 ? Array.IndexOf(Names, name[..digits].ToString()) : -1;
        return pitchClass >= 0 && int.TryParse(name[digits..], NumberStyles.None, CultureInfo.InvariantCulture, out var octave) && octave <= 8 ? ((octave + 1) * 12) + pitchClass : null;
    }
}
