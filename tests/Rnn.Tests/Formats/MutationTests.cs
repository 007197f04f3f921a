using System.Diagnostics;
using System.IO.Compression;
using Rnn.Formats;
using Rnn.Tests.Golden;
using Rnn.Tests.Learning;

namespace Rnn.Tests.Formats;

/// <summary>
/// Damaged files: bytes flipped, lengths forged, pieces cut out, doubled or exchanged. Each is read or refused as invalid, and takes little memory and time. The numbers come from a seed, so that a failure repeats itself.
/// </summary>
public class MutationTests
{
    private const long MostBytes = 256L << 20;

    public static TheoryData<string> Files => ["lstm.safetensors", "arrays.npz", "arrays_deflated.npz", "column.npy", "state.pt", "state_legacy.pt", "state_protocol4.pt", "layers.pt", "lstm.dat"];

    [Theory]
    [MemberData(nameof(Files))]
    public void Some_damaged_files_are_read_or_refused(string name) => Run(name, 300);

    [LongTheory]
    [MemberData(nameof(Files))]
    public void Ten_thousand_damaged_files_are_read_or_refused(string name) => Run(name, 10_000);

    private static void Run(string name, int count)
    {
        var original = Small(name);
        var (read, refused, slowest, most) = (0, 0, TimeSpan.Zero, 0L);
        for (var seed = 0; seed < count; seed++)
        {
            // Checksums guard what archives hold: half of the time a member is damaged and the archive made anew.
            var random = new Random(seed);
            var bytes = original.AsSpan().StartsWith("PK"u8) && seed % 2 == 0 ? DamageMember(original, random) : Damage(original, random);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var start = Stopwatch.GetTimestamp();
            try
            {
                var file = WeightFile.Read(bytes);
                foreach (var entry in file.Entries.Where(entry => entry.Type.IsReadable))
                {
                    Assert.Equal(entry.Shape.ElementCount, file.Get<float>(entry.Name).Length);
                }

                read++;
            }
            catch (InvalidDataException)
            {
                refused++;
            }
            catch (Exception exception)
            {
                Assert.Fail($"{name}, seed {seed}: {exception}");
            }

            slowest = TimeSpan.FromTicks(Math.Max(slowest.Ticks, Stopwatch.GetElapsedTime(start).Ticks));
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated < MostBytes, $"{name}, seed {seed}: {allocated} bytes");
            most = Math.Max(most, allocated);
        }

        Console.WriteLine($"{name}: {read} read, {refused} refused, the slowest in {slowest.TotalMilliseconds:F0} ms, at most {most:N0} bytes");
        Assert.True(refused > count / 10, $"{name}: {read} read, {refused} refused");
    }

    // A large file is mostly numbers, which may be anything: one with a few tensors of it has as much of everything else.
    private static byte[] Small(string name)
    {
        if (name == "lstm.dat")
        {
            return Convert.FromHexString(WeightFileTests.TorchSharpLstm);
        }

        var bytes = GoldenFile.Resource(name);
        if (bytes.Length < 30_000)
        {
            return bytes;
        }

        var file = SafeTensors.Read(bytes);
        using var stream = new MemoryStream();
        SafeTensors.Write(stream, file.Entries.Take(12).Select(entry => new KeyValuePair<string, Rnn.Tensors.Tensor<float>>(entry.Name, file.Get<float>(entry.Name))), [new("key", "value")]);
        return stream.ToArray();
    }

    private static byte[] DamageMember(byte[] original, Random random)
    {
        using var archive = new ZipArchive(new MemoryStream(original));
        var members = archive.Entries.Select(entry =>
        {
            using var stream = entry.Open();
            using var copy = new MemoryStream();
            stream.CopyTo(copy);
            return (entry.FullName, Bytes: copy.ToArray());
        }).ToArray();
        var pickle = Array.FindIndex(members, member => member.FullName.EndsWith(".pkl", StringComparison.Ordinal));
        var damaged = pickle >= 0 && random.Next(4) > 0 ? pickle : random.Next(members.Length);
        members[damaged].Bytes = members[damaged].Bytes.Length == 0 ? [] : Damage(members[damaged].Bytes, random);
        return OtherFiles.Zip(random.Next(2) == 0 ? CompressionLevel.NoCompression : CompressionLevel.Fastest, members);
    }

    private static byte[] Damage(byte[] original, Random random)
    {
        var bytes = original.ToArray();
        for (var changes = 1 + random.Next(4); changes > 0; changes--)
        {
            // Headers and directories stand at the beginning and at the end.
            var at = random.Next(3) switch { 0 => random.Next(Math.Min(300, bytes.Length)), 1 => bytes.Length - 1 - random.Next(Math.Min(300, bytes.Length)), _ => random.Next(bytes.Length) };
            switch (random.Next(8))
            {
                case 0 or 1:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 2:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 3:
                    bytes[at] = (byte)(random.Next(2) == 0 ? 0xFF : 0);
                    break;
                case 4:
                    // A length or offset of four or eight bytes.
                    var size = Math.Min(random.Next(2) == 0 ? 4 : 8, bytes.Length - at);
                    var value = random.Next(4) switch { 0 => long.MaxValue, 1 => -1L, 2 => int.MaxValue, _ => random.NextInt64() };
                    BitConverter.GetBytes(value).AsSpan(0, size).CopyTo(bytes.AsSpan(at));
                    break;
                case 5:
                    bytes = bytes[..Math.Max(1, at)];
                    break;
                case 6:
                    var length = Math.Min(1 + random.Next(40), bytes.Length - at);
                    bytes = [.. bytes[..at], .. random.Next(2) == 0 ? [] : bytes.AsSpan(at, length), .. random.Next(2) == 0 || length == bytes.Length ? bytes.AsSpan(at) : bytes.AsSpan(at + length)];
                    break;
                default:
                    // A digit of a header in JSON or of a dictionary of Python.
                    var digit = bytes.AsSpan(at).IndexOfAnyInRange((byte)'0', (byte)'9');
                    bytes[digit < 0 ? at : at + digit] = (byte)('0' + random.Next(10));
                    break;
            }

            if (bytes.Length == 0)
            {
                return bytes;
            }
        }

        return bytes;
    }
}
