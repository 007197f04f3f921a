using NAudio.Midi;
using Samples;

namespace Rnn.Tests.Samples;

/// <summary>What the samples that make music write.</summary>
public sealed class ScoreTests
{
    private static readonly Note[] Notes = [new(60, 0, 2), new(64, 0, 1), new(60, 2, 2), new(67, 3, 1)];

    [Fact]
    public void A_midi_file_has_the_notes_at_their_times()
    {
        var folder = Directory.CreateTempSubdirectory("midi-");
        try
        {
            var path = Path.Combine(folder.FullName, "notes.mid");
            Score.WriteMidi(path, Notes, stepsPerQuarter: 2, beatsPerMinute: 120, program: 19);
            var file = new MidiFile(path, strictChecking: true);
            var step = file.DeltaTicksPerQuarterNote / 2;
            var read = file.Events[0].OfType<NoteOnEvent>().Where(MidiEvent.IsNoteOn)
                .Select(note => new Note(note.NoteNumber, (int)(note.AbsoluteTime / step), note.NoteLength / step)).OrderBy(note => (note.Start, note.Pitch));
            Assert.Equal(Notes.OrderBy(note => (note.Start, note.Pitch)), read);
            Assert.Equal(120, file.Events[0].OfType<TempoEvent>().Single().Tempo, 3);
            Assert.Equal(19, file.Events[0].OfType<PatchChangeEvent>().Single().Patch);
            var first = File.ReadAllBytes(path);
            Score.WriteMidi(path, Notes, 2, 120, 19);
            Assert.Equal(first, File.ReadAllBytes(path));
            Score.WriteMidi(path, [], stepsPerQuarter: 1);
            Assert.DoesNotContain(new MidiFile(path, strictChecking: true).Events[0], MidiEvent.IsNoteOn);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void A_piano_roll_has_a_line_for_each_pitch_and_a_column_for_each_step()
    {
        Assert.Equal("  G4 ···■\n  E4 ■···\n  C4 ■━■━", Score.Draw(Notes));
        Assert.Equal(string.Empty, Score.Draw([]));
    }

    [Fact]
    public void Names_of_pitches_are_read_again()
    {
        Assert.Equal(("C4", "F#4", "A0", "C8"), (Note.Name(60), Note.Name(66), Note.Name(21), Note.Name(108)));
        Assert.All(Enumerable.Range(12, 97), pitch => Assert.Equal(pitch, Note.ParsePitch(Note.Name(pitch))));
        Assert.All(["", "C", "4", "H4", "C44", "c4", "C#"], name => Assert.Null(Note.ParsePitch(name)));
    }
}
