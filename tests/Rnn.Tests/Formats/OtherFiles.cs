using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Rnn.Formats;

namespace Rnn.Tests.Formats;

/// <summary>Files of other libraries for tests: the numbers that <c>write_formats.py</c> puts into them, and small ones made by hand.</summary>
internal static class OtherFiles
{
    /// <summary>The number at a place of a tensor of this type.</summary>
    public static double Number(string type, int index) => type switch
    {
        "BOOL" => index % 2,
        _ when type[0] is 'F' or 'B' => ((index * 37 % 101) - 50) / 8.0,
        _ when type[0] == 'I' => (index * 37 % 101) - 50,
        _ => index * 37 % 101,
    };

    /// <summary>Compares a tensor of the file with the numbers of the rule, or with a function of the place.</summary>
    public static void Check(WeightFile file, string name, string type, int[] shape, Func<int, int>? place = null)
    {
        var entry = file[name];
        Assert.Equal(type, entry.Type.Name);
        Assert.Equal(shape, entry.Shape.Dimensions);
        var expected = Enumerable.Range(0, entry.Shape.ElementCount).Select(i => Number(type, place?.Invoke(i) ?? i)).ToArray();
        Assert.Equal(expected, file.Get<double>(name).AsReadOnlySpan());
        Assert.Equal(expected.Select(value => (float)value).ToArray(), file.Get<float>(name).AsReadOnlySpan());
    }

    /// <summary>A zip archive of members.</summary>
    public static byte[] Zip(params (string Name, byte[] Bytes)[] members) => Zip(CompressionLevel.NoCompression, members);

    public static byte[] Zip(CompressionLevel level, params (string Name, byte[] Bytes)[] members)
    {
        using var stream = new MemoryStream();
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, bytes) in members)
            {
                using var member = archive.CreateEntry(name, level).Open();
                member.Write(bytes);
            }
        }

        return stream.ToArray();
    }

    /// <summary>An array of one float by its header.</summary>
    public static byte[] Npy(string header, byte[]? data = null, byte version = 1)
    {
        using var stream = new MemoryStream();
        stream.Write([0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', version, 0]);
        var length = new byte[version == 1 ? 2 : 4];
        length[0] = (byte)header.Length;
        length[1] = (byte)(header.Length >> 8);
        stream.Write(length);
        stream.Write(Encoding.Latin1.GetBytes(header));
        stream.Write(data ?? [0, 0, 0x80, 0x3F]);
        return stream.ToArray();
    }

    /// <summary>A file of <c>torch.save</c> with this pickle and one storage, "0", of these floats.</summary>
    public static byte[] Torch(byte[] pickle, params float[] storage)
    {
        var data = new byte[4 * storage.Length];
        for (var i = 0; i < storage.Length; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(data.AsSpan(4 * i), storage[i]);
        }

        return Zip(("archive/data.pkl", pickle), ("archive/data/0", data), ("archive/version", "3\n"u8.ToArray()));
    }

    /// <summary>The opcodes of a pickle: a text stands for its Latin letters, a number for its byte.</summary>
    public static byte[] Pickle(params object[] parts) =>
        [0x80, 2, .. parts.SelectMany(part => part switch { string text => Encoding.Latin1.GetBytes(text), byte[] bytes => bytes, int number => [(byte)number], _ => throw new ArgumentException(part.ToString()) }), (byte)'.'];

    /// <summary>The opcodes of a text.</summary>
    public static byte[] Text(string text) => [(byte)'X', (byte)Encoding.UTF8.GetByteCount(text), 0, 0, 0, .. Encoding.UTF8.GetBytes(text)];

    /// <summary>The opcodes of a whole number.</summary>
    public static byte[] Whole(int number) => [(byte)'J', (byte)number, (byte)(number >> 8), (byte)(number >> 16), (byte)(number >> 24)];

    /// <summary>The opcodes of a tensor in the storage "0" of so many floats.</summary>
    public static byte[] Tensor(int count, int offset, int[] sizes, int[] strides, string storage = "FloatStorage") =>
    [
        .. "ctorch._utils\n_rebuild_tensor_v2\n(("u8, .. Text("storage"), .. Encoding.ASCII.GetBytes($"ctorch\n{storage}\n"), .. Text("0"), .. Text("cpu"), .. Whole(count), .. "tQ"u8, .. Whole(offset),
        .. "("u8, .. sizes.SelectMany(Whole), .. "t("u8, .. strides.SelectMany(Whole), .. "t"u8, 0x89, .. "}tR"u8,
    ];
}
