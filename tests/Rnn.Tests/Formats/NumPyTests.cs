using System.Buffers.Binary;
using System.IO.Compression;
using Rnn.Formats;
using Rnn.Tensors;
using Rnn.Tests.Golden;

namespace Rnn.Tests.Formats;

public sealed class NumPyTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("rnn-numpy-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("arrays.npz")]
    [InlineData("arrays_deflated.npz")]
    public void Archives_of_arrays_are_read(string name)
    {
        var file = WeightFile.Read(GoldenFile.Resource(name));
        Assert.Equal("NumPy", file.Format);
        (string Kind, string Type)[] types =
        [
            ("<f2", "F16"), ("<f4", "F32"), ("<f8", "F64"), (">f2", "F16"), (">f4", "F32"), (">f8", "F64"), ("i1", "I8"), ("<i2", "I16"), (">i4", "I32"), ("<i8", "I64"), ("u1", "U8"), (">u2", "U16"), ("<u4", "U32"),
            ("<u8", "U64"), ("?", "BOOL"),
        ];
        foreach (var (kind, type) in types)
        {
            OtherFiles.Check(file, $"row{kind}", type, [2, 3, 5]);
            OtherFiles.Check(file, $"column{kind}", type, [4, 3, 2]);
        }

        OtherFiles.Check(file, "scalar", "F32", []);
        OtherFiles.Check(file, "vector", "F64", [7]);
        OtherFiles.Check(file, "empty", "F32", [0, 3]);
        foreach (var (odd, type) in new[] { ("text", "<U3"), ("complex", "C64"), ("record", "[('a', '<f4'), ('b', '<i4', (2,))]") })
        {
            Assert.Contains($"'{odd}' is of type {type};", Assert.Throws<InvalidDataException>(() => file.Get<float>(odd)).Message);
        }

        if (name == "arrays.npz")
        {
            OtherFiles.Check(file, "version1", "F32", [3, 2]);
            OtherFiles.Check(file, "version2", "F32", [3, 2]);
            OtherFiles.Check(file, "version3", "F32", [3, 2]);
        }
    }

    [Fact]
    public void An_array_in_column_order_is_read_from_a_file()
    {
        var path = Path.Combine(_folder, "column.npy");
        File.WriteAllBytes(path, GoldenFile.Resource("column.npy"));
        using (var file = WeightFile.Open(path))
        {
            OtherFiles.Check(file, string.Empty, "F32", [3, 4]);
        }

        Assert.Equal([3, 4], NumPy.Read<double>(path).Shape.Dimensions);
    }

    [Fact]
    public void Arrays_and_archives_come_back()
    {
        var random = new RandomSource(1);
        var tensors = new Dictionary<string, Tensor<double>>
        {
            ["größe/x"] = Tensor<double>.RandomNormal(random, 0, 1, 3, 1, 4),
            ["scalar"] = Tensor<double>.RandomNormal(random, 0, 1),
            ["vector"] = Tensor<double>.RandomNormal(random, 0, 1, 70_000),
            ["empty"] = Tensor<double>.Zeros(2, 0),
        };
        foreach (var compressed in new[] { false, true })
        {
            var path = Path.Combine(_folder, "archive.npz");
            NumPy.WriteArchive(path, tensors, compressed);
            using var file = WeightFile.Open(path);
            Assert.Equal(tensors.Keys, file.Entries.Select(entry => entry.Name));
            foreach (var (name, tensor) in tensors)
            {
                Assert.Equal(tensor.Shape, file[name].Shape);
                Assert.Equal(tensor.AsReadOnlySpan(), file.Get<double>(name).AsReadOnlySpan());
            }
        }

        foreach (var tensor in tensors.Values)
        {
            var path = Path.Combine(_folder, "array.npy");
            NumPy.Write(path, tensor);
            Assert.Equal(tensor.AsReadOnlySpan(), NumPy.Read<double>(path).AsReadOnlySpan());
            NumPy.Write(path, tensor, half: true);
            var half = NumPy.Read<double>(path);
            Assert.Equal(tensor.Shape, half.Shape);
            Assert.Equal(tensor.ToArray().Select(value => (double)(Half)value), half.ToArray());
        }

        // Data at a multiple of 64 bytes, as the format asks for.
        var bytes = new MemoryStream();
        NumPy.Write(bytes, tensors["vector"]);
        Assert.Equal(0, (bytes.Length - (8 * 70_000)) % 64);
    }

    [Fact]
    public void An_archive_is_no_single_array()
    {
        var path = Path.Combine(_folder, "archive.npz");
        NumPy.WriteArchive<float>(path, [new("x", Tensor<float>.Ones(2))]);
        Assert.Contains("expected an .npy array", Assert.Throws<InvalidDataException>(() => NumPy.Read<float>(path)).Message);
        Assert.Contains("'x' comes twice", Assert.Throws<ArgumentException>(() => NumPy.WriteArchive<float>(path, [new("x", Tensor<float>.Ones(2)), new("x", Tensor<float>.Ones(2))])).Message);
        Assert.Throws<ArgumentException>(() => NumPy.WriteArchive<float>(path, [new(string.Empty, Tensor<float>.Ones(2))]));
        Assert.Throws<ArgumentException>(() => NumPy.WriteArchive<float>(path, [new("\ud800", Tensor<float>.Ones(2))]));
    }

    [Theory]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }")]
    [InlineData("{\"shape\":(1L,),\"fortran_order\":True,\"descr\":\"<f4\"}\n")]
    [InlineData("{'descr': '=f4', 'fortran_order': False, 'shape': (), }      \n")]
    public void Headers_are_read_as_Python_writes_them(string header)
    {
        Assert.Equal([1f], WeightFile.Read(OtherFiles.Npy(header)).Get<float>().AsReadOnlySpan());
        Assert.Equal([1f], WeightFile.Read(OtherFiles.Npy(header, version: 2)).Get<float>().AsReadOnlySpan());
    }

    [Theory]
    [InlineData("", "its header is not the dictionary")]
    [InlineData("{", "its header is not the dictionary")]
    [InlineData("{'descr': '<f4', 'fortran_order': False}", "its header is not the dictionary")]
    [InlineData("{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}", "its header is not the dictionary")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}", "its header is not the dictionary")]
    [InlineData("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", "its header is not the dictionary")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", "its header is not the dictionary")]
    [InlineData("{'descr': [('a', '<f4'), 'fortran_order': False, 'shape': (1,)}", "its header is not the dictionary")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", "its header is not the dictionary")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1.0,)}", "its header is not the dictionary")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", "its header is not the dictionary")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", "need 8 bytes but 4 follow")]
    [InlineData("{'descr': '<f2', 'fortran_order': False, 'shape': (1,)}", "need 2 bytes but 4 follow")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (65536, 65536)}", "larger than a tensor can be")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999, 0)}", "larger than a tensor can be")]
    public void A_header_that_breaks_the_format_is_refused(string header, string message)
    {
        var bytes = OtherFiles.Npy(header);
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => WeightFile.Read(bytes)).Message);
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => WeightFile.Read(OtherFiles.Zip(("x.npy", bytes)))).Message);
    }

    [Fact]
    public void What_is_no_array_is_named()
    {
        var good = OtherFiles.Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}");
        for (var length = 0; length < good.Length; length++)
        {
            Assert.Throws<InvalidDataException>(() => WeightFile.Read(good.AsMemory(0, length)));
        }

        byte[] newer = [.. good];
        newer[6] = 4;
        Assert.Contains("its version is 4.0", Assert.Throws<InvalidDataException>(() => WeightFile.Read(newer)).Message);
        byte[] longer = [.. good];
        BinaryPrimitives.WriteUInt16LittleEndian(longer.AsSpan(8), ushort.MaxValue);
        Assert.Contains("its header of 65535 bytes is longer", Assert.Throws<InvalidDataException>(() => WeightFile.Read(longer)).Message);
        Assert.Contains("a member 'readme.txt', which is no .npy array", Assert.Throws<InvalidDataException>(() => WeightFile.Read(OtherFiles.Zip(("x.npy", good), ("readme.txt", good)))).Message);
        var pickled = WeightFile.Read(OtherFiles.Npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}"));
        Assert.Contains("is of type |O", Assert.Throws<InvalidDataException>(() => pickled.Get<float>()).Message);
    }

    // The header alone is inflated before.
    [Fact]
    public void A_deflated_array_is_inflated_when_it_is_asked_for()
    {
        var bytes = OtherFiles.Zip(CompressionLevel.Fastest, ("x.npy", OtherFiles.Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (8000000,)}", new byte[32_000_000])));
        var before = GC.GetAllocatedBytesForCurrentThread();
        var file = WeightFile.Read(bytes);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4_000_000);
        Assert.Equal(8_000_000, file.Get<float>("x").Length);
    }
}
