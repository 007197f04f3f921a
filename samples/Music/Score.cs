using System.Text;
using NAudio.Midi;

namespace Samples;

/// <summary>Notes as a MIDI file and as text.</summary>
public static class Score
{
    private const int TicksPerQuarter = 480;
    private const int Velocity = 90;

    /// <summary>Writes a MIDI file of one track.</summary>
    /// <param name="path">The file.</param>
    /// <param name="notes">The notes.</param>
    /// <param name="stepsPerQuarter">How many steps a quarter note has.</param>
    /// <param name="beatsPerMinute">The quarter notes of a minute.</param>
    /// <param name="program">The instrument by the list of General MIDI from 0: 0 is a piano, 19 a church organ.</param>
    public static void WriteMidi(string path, IEnumerable<Note> notes, int stepsPerQuarter, int beatsPerMinute = 96, int program = 0)
    {
        ArgumentNullException.ThrowIfNull(notes);
        const int Channel = 1;
        var (ticks, end, events) = (TicksPerQuarter / stepsPerQuarter, 0L, new MidiEventCollection(midiFileType: 0, TicksPerQuarter));
        events.AddTrack();
        events.AddEvent(new TempoEvent(60_000_000 / beatsPerMinute, 0), 0);
        events.AddEvent(new PatchChangeEvent(0, Channel, program), 0);
        foreach (var note in notes)
        {
            var sounding = new NoteOnEvent((long)note.Start * ticks, Channel, note.Pitch, Velocity, note.Length * ticks);
            events.AddEvent(sounding, 0);
            events.AddEvent(sounding.OffEvent!, 0);
            end = Math.Max(end, (long)(note.Start + note.Length) * ticks);
        }

        events.AddEvent(new MetaEvent(MetaEventType.EndTrack, 0, end), 0);
        events.PrepareForExport();
        MidiFile.Export(path, events);
    }

    /// <summary>A piano roll: a line for each pitch, the highest first, a column for each step.</summary>
    public static string Draw(IReadOnlyList<Note> notes)
    {
        ArgumentNullException.ThrowIfNull(notes);
        var text = new StringBuilder();
        var end = notes.Select(note => note.Start + note.Length).DefaultIfEmpty().Max();
        foreach (var pitch in notes.Select(note => note.Pitch).Distinct().OrderDescending())
        {
            var line = new string('·', end).ToCharArray();
            foreach (var note in notes.Where(note => note.Pitch == pitch))
            {
                line.AsSpan(note.Start, note.Length).Fill('━');
                line[note.Start] = '■';
            }

            text.Append($"{Note.Name(pitch),4} ").Append(line).Append('\n');
        }

        return text.ToString().TrimEnd('\n');
    }
}
