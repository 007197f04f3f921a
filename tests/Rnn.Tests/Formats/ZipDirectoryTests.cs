using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Rnn.Formats;

namespace Rnn.Tests.Formats;

public class ZipDirectoryTests
{
    private static readonly byte[] Array = OtherFiles.Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}");

    [Fact]
    public void An_archive_with_sizes_of_64_bits_is_read() =>
        Assert.Equal([1f], WeightFile.Read(Zip64(0)).Get<float>("x").AsReadOnlySpan());

    [Fact]
    public void A_comment_behind_the_directory_is_passed_over()
    {
        byte[] bytes = [.. OtherFiles.Zip(("x.npy", Array)), .. "a comment"u8];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(bytes.Length - 11), 9);
        Assert.Equal([1f], WeightFile.Read(bytes).Get<float>("x").AsReadOnlySpan());
    }

    [Fact]
    public void Folders_are_no_members()
    {
        using var stream = new MemoryStream();
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            archive.CreateEntry("a/");
            using var member = archive.CreateEntry("a/x.npy").Open();
            member.Write(Array);
        }

        Assert.Equal(["a/x"], WeightFile.Read(stream.ToArray()).Entries.Select(entry => entry.Name));
    }

    [Theory]
    [InlineData(CompressionLevel.NoCompression)]
    [InlineData(CompressionLevel.Optimal)]
    public void A_changed_member_is_refused_by_its_checksum(CompressionLevel level)
    {
        var bytes = OtherFiles.Zip(level, ("x.npy", OtherFiles.Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])));
        if (level == CompressionLevel.NoCompression)
        {
            bytes[bytes.AsSpan().IndexOf(new byte[] { 1, 2, 3, 4, 5 })] ^= 0x40;
        }
        else
        {
            bytes[bytes.AsSpan().IndexOf("PK\x01\x02"u8) + 16] ^= 0x40;
        }

        var file = WeightFile.Read(bytes);
        Assert.Contains("the member 'x.npy' of the zip archive is damaged: its checksum is", Assert.Throws<InvalidDataException>(() => file.Get<float>("x")).Message);
        Assert.Throws<InvalidDataException>(() => file.Get<float>("x"));
    }

    // Fields of the central directory's only record, of the end record and of the local header, by their offsets.
    [Theory]
    [InlineData("PK\x01\x02", 8, 2, 1, "'x.npy' of the zip archive is encrypted")]
    [InlineData("PK\x01\x02", 10, 2, 12, "compressed by method 12")]
    [InlineData("PK\x01\x02", 20, 4, 5, "impossible sizes")]
    [InlineData("PK\x01\x02", 20, 4, 0x7FFFFFFF, "impossible sizes")]
    [InlineData("PK\x01\x02", 28, 2, 0xFFFF, "directory ends early")]
    [InlineData("PK\x01\x02", 42, 4, 0x7FFFFFFF, "impossible sizes")]
    [InlineData("PK\x01\x02", 42, 4, 1, "does not lie where the directory says")]
    [InlineData("PK\x01\x02", 0, 4, 0, "directory ends early")]
    [InlineData("PK\x03\x04", 26, 2, 0xFFFF, "does not lie where the directory says")]
    [InlineData("PK\x05\x06", 10, 2, 2, "2 members")]
    [InlineData("PK\x05\x06", 10, 2, 0, "has more than it says")]
    [InlineData("PK\x05\x06", 12, 4, 0x7FFFFFF0, "2147483632 bytes")]
    [InlineData("PK\x05\x06", 16, 4, 0x7FFFFFF0, "at 2147483632")]
    [InlineData("PK\x05\x06", 20, 2, 1, "its directory is missing")]
    [InlineData("PK\x05\x06", 0, 4, 0, "its directory is missing")]
    public void A_forged_field_is_refused(string record, int offset, int size, int value, string message)
    {
        var bytes = OtherFiles.Zip(("x.npy", Array));
        var at = bytes.AsSpan().IndexOf(Encoding.Latin1.GetBytes(record)) + offset;
        for (var i = 0; i < size; i++)
        {
            bytes[at + i] = (byte)(value >> (8 * i));
        }

        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => WeightFile.Read(bytes)).Message);
    }

    [Fact]
    public void A_member_that_comes_twice_is_refused() =>
        Assert.Contains("'x.npy' comes twice", Assert.Throws<InvalidDataException>(() => WeightFile.Read(OtherFiles.Zip(("x.npy", Array), ("x.npy", Array)))).Message);

    [Fact]
    public void A_deflated_member_of_another_length_is_refused()
    {
        var bytes = OtherFiles.Zip(CompressionLevel.Optimal, ("x.npy", OtherFiles.Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (30,)}", new byte[120])));
        var size = bytes.AsSpan().IndexOf("PK\x01\x02"u8) + 24;
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(size), BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(size)) + 4);
        Assert.Contains("need 120 bytes but 124 follow", Assert.Throws<InvalidDataException>(() => WeightFile.Read(bytes)).Message);
    }

    [Theory]
    [InlineData(1, "directory's end at")]
    [InlineData(2, "is not where it says")]
    [InlineData(3, "gives a directory of")]
    public void A_forged_end_of_64_bits_is_refused(int fault, string message) =>
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => WeightFile.Read(Zip64(fault))).Message);

    // One stored array, with sizes, offset and end of the directory in fields of 64 bits.
    private static byte[] Zip64(int fault)
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        var crc = ~Crc32.Add(uint.MaxValue, Array);
        writer.Write(0x04034B50);
        writer.Write([45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        writer.Write(crc);
        writer.Write(ulong.MaxValue);
        writer.Write((ushort)5);
        writer.Write((ushort)20);
        writer.Write("x.npy"u8);
        writer.Write([1, 0, 16, 0]);
        writer.Write((long)Array.Length);
        writer.Write((long)Array.Length);
        writer.Write(Array);
        var directory = stream.Position;
        writer.Write(0x02014B50);
        writer.Write([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        writer.Write(crc);
        writer.Write(ulong.MaxValue);
        writer.Write((ushort)5);
        writer.Write((ushort)34);
        writer.Write(new byte[10]);
        writer.Write(uint.MaxValue);
        writer.Write("x.npy"u8);

        // Another extra field stands before.
        writer.Write([7, 0, 2, 0, 1, 2, 1, 0, 24, 0]);
        writer.Write((long)Array.Length);
        writer.Write((long)Array.Length);
        writer.Write(0L);
        var end = stream.Position;
        writer.Write(fault == 2 ? 0 : 0x06064B50);
        writer.Write(44L);
        writer.Write([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        writer.Write(1L);
        writer.Write(fault == 3 ? long.MaxValue : 1L);
        writer.Write(end - directory);
        writer.Write(directory);
        writer.Write(0x07064B50);
        writer.Write(0);
        writer.Write(fault == 1 ? long.MaxValue : end);
        writer.Write(1);
        writer.Write(0x06054B50);
        writer.Write(0);
        writer.Write(uint.MaxValue);
        writer.Write(ulong.MaxValue);
        writer.Write((ushort)0);
        return stream.ToArray();
    }
}
