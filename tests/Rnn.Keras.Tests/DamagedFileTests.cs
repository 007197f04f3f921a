using System.Globalization;

namespace Rnn.Keras.Tests;

/// <summary>Damaged files are loaded or refused; nothing else happens.</summary>
public class DamagedFileTests
{
    // RNN_KERAS_MUTATIONS sets how many of each file there are.
    private static readonly int Count = int.TryParse(Environment.GetEnvironmentVariable("RNN_KERAS_MUTATIONS"), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : 40;

    public static TheoryData<string> Files() => [.. GoldenModels.Names, "layers.weights.h5", "checksum.weights.h5"];

    [Theory]
    [MemberData(nameof(Files))]
    public void A_file_with_changed_bytes_is_loaded_or_refused(string name)
    {
        var bytes = File.ReadAllBytes(GoldenModels.PathOf(name));
        for (var number = 0; number < Count; number++)
        {
            var random = new Random(number);
            var changed = Change(bytes, random);
            var error = Record.Exception(() => Read(name, changed));
            Assert.True(error is null or InvalidDataException or NotSupportedException, $"{name}, change {number}: {error}");
        }
    }

    private static byte[] Change(byte[] bytes, Random random)
    {
        var changed = (byte[])bytes.Clone();
        switch (random.Next(4))
        {
            case 0:
                return changed[..random.Next(changed.Length)];
            case 1:
                // Structures stand at the beginning of a file mostly.
                for (var i = random.Next(1, 8); i > 0; i--)
                {
                    changed[random.Next(Math.Min(changed.Length, 4096))] = (byte)random.Next(256);
                }

                return changed;
            case 2:
                for (var i = random.Next(1, 30); i > 0; i--)
                {
                    changed[random.Next(changed.Length)] ^= (byte)(1 << random.Next(8));
                }

                return changed;
            default:
                var (from, to) = (random.Next(changed.Length), random.Next(changed.Length));
                var length = Math.Min(random.Next(1, 200), changed.Length - Math.Max(from, to));
                Array.Copy(bytes, from, changed, to, length);
                return changed;
        }
    }

    private static void Read(string name, byte[] bytes)
    {
        if (!name.Contains("weights", StringComparison.Ordinal))
        {
            KerasModel<float>.Load(new MemoryStream(bytes), name);
            return;
        }

        using var archive = KerasArchive.Open(new MemoryStream(bytes), name);
        foreach (var path in KerasWeightGroup.Layers(archive.Weights))
        {
            foreach (var array in KerasWeightGroup.At(archive.Weights, path).Part("cell").Arrays(null, 0, 1, 2, 3))
            {
                array.Read<float>();
            }
        }
    }
}
