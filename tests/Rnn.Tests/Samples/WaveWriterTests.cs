using System.Buffers.Binary;
using System.Text;
using Samples;
using Waveforms;

namespace Rnn.Tests.Samples;

public sealed class WaveWriterTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("waves-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_wave_is_written_as_one_channel_of_16_bits()
    {
        var path = Path.Combine(_folder, "7_ann_0.wav");
        WaveWriter.Save(path, 8000, [0, 0.5f, -1, 1, 2, -3]);
        var bytes = File.ReadAllBytes(path);
        Assert.Equal("RIFF", Encoding.ASCII.GetString(bytes, 0, 4));
        Assert.Equal("WAVEfmt ", Encoding.ASCII.GetString(bytes, 8, 8));
        Assert.Equal([1, 1], new[] { Short(bytes, 20), Short(bytes, 22) });
        Assert.Equal(8000, BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(24)));
        Assert.Equal(16, Short(bytes, 34));
        Assert.Equal([0, 16384, -32768, 32767, 32767, -32768], Enumerable.Range(0, 6).Select(i => (int)Short(bytes, bytes.Length - 12 + (2 * i))));
        var utterance = Assert.Single(Utterance.Read(_folder));
        Assert.Equal(("7", "ann", true), (utterance.Label, utterance.Speaker, utterance.IsTest));
        Assert.Equal([0, 0.5f, -1, 32767f / 32768, 32767f / 32768, -1], utterance.Signal.Samples);
    }

    [Fact]
    public void Recordings_are_told_apart_by_their_takes_and_refused_without_any_to_test_with()
    {
        foreach (var name in new[] { "7_ann_0", "7_bob_5", "3_ann_6" })
        {
            WaveWriter.Save(Path.Combine(_folder, $"{name}.wav"), 8000, [0, 0.25f]);
        }

        var set = WaveSet.Read(_folder);
        Assert.Equal([["3", "7"], ["ann", "bob"]], set.Conditions);
        Assert.Equal([["3", "ann"], ["7", "bob"]], set.Training.Select(wave => wave.Classes));
        Assert.Equal(["7", "ann"], Assert.Single(set.Test).Classes);
        File.Delete(Path.Combine(_folder, "7_ann_0.wav"));
        Assert.StartsWith("--data: expected a folder", Assert.Throws<InputException>(() => WaveSet.Read(_folder)).Message, StringComparison.Ordinal);
    }

    private static short Short(byte[] bytes, int offset) => BinaryPrimitives.ReadInt16LittleEndian(bytes.AsSpan(offset));
}
