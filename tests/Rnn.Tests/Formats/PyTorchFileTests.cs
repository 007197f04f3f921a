using System.Text;
using Rnn.Formats;
using Rnn.Tensors;
using Rnn.Tests.Golden;

namespace Rnn.Tests.Formats;

public class PyTorchFileTests
{
    [Theory]
    [InlineData("state.pt")]
    [InlineData("state_legacy.pt")]
    [InlineData("state_protocol4.pt")]
    public void Dictionaries_of_tensors_of_every_type_are_read(string name)
    {
        var file = WeightFile.Read(GoldenFile.Resource(name));
        Assert.Equal("PyTorch", file.Format);
        (string Name, string Type)[] types =
            [("float64", "F64"), ("float32", "F32"), ("float16", "F16"), ("bfloat16", "BF16"), ("int64", "I64"), ("int32", "I32"), ("int16", "I16"), ("int8", "I8"), ("uint8", "U8"), ("bool", "BOOL")];
        foreach (var (key, type) in types)
        {
            OtherFiles.Check(file, $"model.{key}", type, [3, 4]);
        }

        OtherFiles.Check(file, "model.base", "F32", [6, 5]);
        OtherFiles.Check(file, "model.transposed", "F32", [5, 6], i => (i % 6 * 5) + (i / 6));
        OtherFiles.Check(file, "model.tail", "F32", [4, 5], i => i + 10);
        OtherFiles.Check(file, "model.steps", "F32", [3, 3], i => (((i / 3 * 2) + 1) * 5) + (i % 3 * 2));
        OtherFiles.Check(file, "model.scalar", "F32", []);
        OtherFiles.Check(file, "model.empty", "F32", [0, 3]);
        OtherFiles.Check(file, "model.parameter", "F32", [3, 2]);
        OtherFiles.Check(file, "model.expanded", "F32", [3, 4], i => i % 4);
        OtherFiles.Check(file, "model.permuted", "F64", [4, 2, 3], i => (i % 6 * 4) + (i / 6));
        OtherFiles.Check(file, "list.0", "F32", [2]);
        OtherFiles.Check(file, "list.1.0", "F32", [3]);
        OtherFiles.Check(file, "3", "F32", [1]);
        var expected = new Dictionary<string, string>
        {
            ["list.1.1"] = "7",
            ["epoch"] = "12",
            ["rate"] = "0.125",
            ["name"] = "größe",
            ["done"] = "True",
            ["big"] = "1180591620717411303424",
            ["size.0"] = "2",
            ["size.1"] = "3",
        };
        Assert.Equal(expected.OrderBy(pair => pair.Key, StringComparer.Ordinal), file.Metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal));
        Assert.Equal("model.float64", file.Entries[0].Name);
    }

    [Fact]
    public void A_plain_tensor_has_no_name()
    {
        var file = WeightFile.Read(GoldenFile.Resource("plain.pt"));
        OtherFiles.Check(file, string.Empty, "F32", [2, 3]);
        Assert.Equal([2, 3], file.Get<float>().Shape.Dimensions);
    }

    [Fact]
    public void A_whole_module_is_refused_by_the_name_of_its_class()
    {
        var error = Assert.Throws<InvalidDataException>(() => WeightFile.Read(GoldenFile.Resource("module.pt")));
        Assert.Contains("the pickle names 'torch.nn.modules.linear.Linear'", error.Message);
        Assert.Contains("torch.save(model.state_dict(), path)", error.Message);
    }

    [Theory]
    [InlineData("cos\nsystem\n", "os.system")]
    [InlineData("cbuiltins\neval\n", "builtins.eval")]
    [InlineData("c__builtin__\nexec\n", "__builtin__.exec")]
    [InlineData("cposix\nsystem\n", "posix.system")]
    [InlineData("csubprocess\nPopen\n", "subprocess.Popen")]
    [InlineData("ctorch\nload\n", "torch.load")]
    [InlineData("ctorch._utils\n_rebuild_tensor_v2.__globals__\n", "torch._utils._rebuild_tensor_v2.__globals__")]
    [InlineData("ctorch\n_utils._rebuild_qtensor\n", "torch._utils._rebuild_qtensor")]
    [InlineData("ccollections\ndefaultdict\n", "collections.defaultdict")]
    [InlineData("cnumpy.core.multiarray\nscalar\n", "numpy.core.multiarray.scalar")]
    [InlineData("ctorch\n\n", "torch.")]
    public void A_pickle_that_names_anything_else_is_refused(string opcodes, string name)
    {
        foreach (var pickle in new[] { OtherFiles.Pickle(opcodes), OtherFiles.Pickle("}", OtherFiles.Text("x"), opcodes, "(", OtherFiles.Text("echo"), "tRs") })
        {
            Assert.Contains($"the pickle names '{name}'", Assert.Throws<InvalidDataException>(() => WeightFile.Read(OtherFiles.Torch(pickle))).Message);
        }

        var parts = opcodes[1..].Split('\n');
        var stacked = OtherFiles.Pickle(OtherFiles.Text(parts[0]), OtherFiles.Text(parts[1]), 0x93);
        Assert.Contains($"the pickle names '{name}'", Assert.Throws<InvalidDataException>(() => WeightFile.Read(OtherFiles.Torch(stacked))).Message);
    }

    [Theory]
    [InlineData("ccollections\nOrderedDict\n)\u0081", "makes an object of a class (collections.OrderedDict)")]
    [InlineData("ccollections\nOrderedDict\n)}\u0092", "makes an object of a class (collections.OrderedDict)")]
    [InlineData("(ios\nsystem\n", "makes an object of a class (os.system)")]
    [InlineData("(ccollections\nOrderedDict\no", "makes an object of a class")]
    [InlineData("]}b", "sets attributes of something that is no dictionary")]
    [InlineData("}]b", "sets attributes of something that is no dictionary")]
    [InlineData("ctorch\nFloatStorage\n)R", "'torch.FloatStorage' is called")]
    [InlineData("ctorch\nSize\n]R", "arguments are no tuple")]
    [InlineData("])R", "what would be called is no name")]
    [InlineData("ctorch\nSize\n)R", "a size is no tuple")]
    [InlineData("ctorch._utils\n_rebuild_tensor_v2\n)R", "a tensor is not made of a storage")]
    [InlineData("ctorch._utils\n_rebuild_parameter\n)R", "a parameter is no tensor")]
    [InlineData("ccollections\nOrderedDict\n}\u0085R", "a dictionary is made of no list of pairs")]
    [InlineData("ccollections\nOrderedDict\n]K\u0001a\u0085R", "a member of a dictionary is no pair")]
    [InlineData(")Q", "refers to something that is no storage")]
    [InlineData("]Q", "refers to a storage by what is no tuple")]
    [InlineData("h\u0001", "recalls a value that it has not kept")]
    [InlineData("t", "looks for a mark")]
    [InlineData("0", "takes a value where there is none")]
    [InlineData("(0", "takes a value where there is none")]
    [InlineData("]]", "ends with values left over")]
    [InlineData("](", "takes a value where there is none")]
    [InlineData("}NNs", "a key is neither text nor number")]
    [InlineData("})Ns", "a key is neither text nor number")]
    [InlineData("}(Nu", "a key has no value")]
    [InlineData("NNs", "takes a value where there is none")]
    [InlineData("NN\u0087", "takes values where there are none")]
    [InlineData("]NNs", "sets a member of what is no dictionary")]
    [InlineData("}Na", "appends to what is no list")]
    [InlineData("X\u00ff\u00ff\u00ff\u00ffx", "4294967295 bytes are announced")]
    [InlineData("X\u0001\u0000\u0000\u0000\u00ff", "not valid UTF-8")]
    [InlineData("\u008d\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff", "-1 bytes are announced")]
    [InlineData("\u008b\u00ff\u00ff\u00ff\u00ff", "a whole number of -1 bytes")]
    [InlineData("\u008b\u0000\u0000\u0001\u0000", "a whole number of 65536 bytes")]
    [InlineData("Ix\n", "'x' is no number")]
    [InlineData("\u0080\u0006", "a pickle of protocol 6")]
    [InlineData("\u0099", "the opcode 0x99 is not known")]
    public void A_pickle_that_breaks_the_rules_is_refused(string opcodes, string message)
    {
        var bytes = OtherFiles.Torch(OtherFiles.Pickle(opcodes));
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => WeightFile.Read(bytes)).Message);
    }

    [Fact]
    public void All_plain_values_are_read()
    {
        var pickle = OtherFiles.Pickle(
            "(", OtherFiles.Text("a"), "K\u0005", OtherFiles.Text("b"), "M\u0001\u0002", OtherFiles.Text("c"), OtherFiles.Whole(-3), OtherFiles.Text("d"), "\u008a\u0002\u00ff\u00ff", OtherFiles.Text("e"), 0x88,
            OtherFiles.Text("f"), "I01\n", OtherFiles.Text("g"), "I-12\n", OtherFiles.Text("h"), "U\u0002xy", OtherFiles.Text("i"), "T\u0001\u0000\u0000\u0000z", OtherFiles.Text("j"), 0x8C, "\u0001w", OtherFiles.Text("k"),
            new byte[] { (byte)'G', 0x3F, 0xE0, 0, 0, 0, 0, 0, 0 }, OtherFiles.Text("l"), "ctorch\nfloat32\n", OtherFiles.Text("m"), "ctorch\ndevice\n", OtherFiles.Text("cpu"), "\u0085R", OtherFiles.Text("n"), "(K\u0001Nl",
            OtherFiles.Text("o"), "ccollections\nOrderedDict\n]]", OtherFiles.Text("p"), "aK\u0007aa\u0085R", OtherFiles.Text("q"), "K\u0001q\u00030h\u00032\u0086", "d");
        var values = WeightFile.Read(OtherFiles.Torch(pickle)).Metadata;
        string[] expected = ["a 5", "b 513", "c -3", "d -1", "e True", "f True", "g -12", "h xy", "i z", "j w", "k 0.5", "l torch.float32", "m cpu", "n.0 1", "o.p 7", "q.0 1", "q.1 1"];
        Assert.Equal(expected, values.Select(pair => $"{pair.Key} {pair.Value}").Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(4, 0, new[] { 2, 2 }, new[] { 2, 1 }, "1 2 3 4")]
    [InlineData(4, 0, new[] { 2, 2 }, new[] { 1, 2 }, "1 3 2 4")]
    [InlineData(4, 1, new[] { 3 }, new[] { 1 }, "2 3 4")]
    [InlineData(4, 3, new int[0], new int[0], "4")]
    [InlineData(4, 1, new[] { 2, 1 }, new[] { 2, 99 }, "2 4")]
    [InlineData(4, 2, new[] { 2, 3 }, new[] { 0, 0 }, "3 3 3 3 3 3")]
    [InlineData(4, 9, new[] { 0, 3 }, new[] { 3, 1 }, "")]
    public void Views_of_a_storage_are_read(int count, int offset, int[] sizes, int[] strides, string expected)
    {
        var file = WeightFile.Read(OtherFiles.Torch(OtherFiles.Pickle(OtherFiles.Tensor(count, offset, sizes, strides)), 1, 2, 3, 4));
        Assert.Equal(expected, string.Join(' ', file.Get<float>().ToArray()));
    }

    [Theory]
    [InlineData(4, 1, new[] { 2, 2 }, new[] { 2, 1 }, "does not lie in its storage of 4 numbers")]
    [InlineData(4, -1, new[] { 2 }, new[] { 1 }, "does not lie in its storage")]
    [InlineData(4, 0, new[] { 2 }, new[] { 4 }, "does not lie in its storage")]
    [InlineData(4, 3, new[] { 2 }, new[] { -1 }, "does not lie in its storage")]
    [InlineData(4, 0, new[] { 2147483647, 2147483647 }, new[] { 2147483647, 2147483647 }, "larger than a tensor can be")]
    [InlineData(4, 0, new[] { 1000000000 }, new[] { 0 }, "spans too many")]
    [InlineData(4, 0, new[] { -1 }, new[] { 1 }, "is none")]
    [InlineData(4, 0, new[] { 2 }, new int[0], "not made of a storage, an offset, sizes and strides")]
    [InlineData(5, 0, new[] { 2 }, new[] { 1 }, "has 16 bytes where 5 numbers need 20")]
    [InlineData(-1, 0, new[] { 2 }, new[] { 1 }, "refers to something that is no storage")]
    public void Views_beyond_a_storage_are_refused(int count, int offset, int[] sizes, int[] strides, string message)
    {
        var bytes = OtherFiles.Torch(OtherFiles.Pickle(OtherFiles.Tensor(count, offset, sizes, strides)), 1, 2, 3, 4);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => WeightFile.Read(bytes)).Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4_000_000);
    }

    [Fact]
    public void A_storage_has_one_type()
    {
        var (one, other) = (OtherFiles.Tensor(2, 0, [2], [1]), OtherFiles.Tensor(2, 0, [2], [1], "IntStorage"));
        Assert.Contains("has two types or lengths", Assert.Throws<InvalidDataException>(() => WeightFile.Read(OtherFiles.Torch(OtherFiles.Pickle(one, other, 0x86), 1, 2))).Message);
        var missing = OtherFiles.Zip(("archive/data.pkl", OtherFiles.Pickle(one)));
        Assert.Contains("the storage 'archive/data/0' is missing", Assert.Throws<InvalidDataException>(() => WeightFile.Read(missing)).Message);

        // "a.b" and, in a dictionary "a", "b".
        var twice = OtherFiles.Pickle("}", OtherFiles.Text("a.b"), one, "s", OtherFiles.Text("a"), "}", OtherFiles.Text("b"), one, "ss");
        Assert.Contains("the name 'a.b' comes twice", Assert.Throws<InvalidDataException>(() => WeightFile.Read(OtherFiles.Torch(twice, 1, 2))).Message);
    }

    [Fact]
    public void Lists_that_contain_one_another_without_end_are_refused()
    {
        var itself = OtherFiles.Torch(OtherFiles.Pickle("]q\u0001h\u0001a"));
        Assert.Contains("contain one another without end", Assert.Throws<InvalidDataException>(() => WeightFile.Read(itself)).Message);

        // Each list holds the one before twice: 2⁶⁰ tensors in some hundred bytes.
        var doubled = OtherFiles.Torch(OtherFiles.Pickle([OtherFiles.Tensor(1, 0, [1], [1]), .. Enumerable.Repeat<object>("2\u0086", 60)]), 1);
        Assert.Contains("contain one another without end", Assert.Throws<InvalidDataException>(() => WeightFile.Read(doubled)).Message);
        var deep = OtherFiles.Torch(OtherFiles.Pickle(new string(']', 500) + new string('a', 499)));
        Assert.Contains("nested more than 100 deep", Assert.Throws<InvalidDataException>(() => WeightFile.Read(deep)).Message);
    }

    [Fact]
    public void A_pickle_of_millions_of_values_is_refused()
    {
        var bytes = OtherFiles.Torch(OtherFiles.Pickle(new string('N', 2_100_000)));
        Assert.Contains("more than 2000000 values", Assert.Throws<InvalidDataException>(() => WeightFile.Read(bytes)).Message);
    }

    [Fact]
    public void Untyped_storages_and_newer_types_are_read()
    {
        // _rebuild_tensor_v3, which newer versions write for types that have no class of storages.
        byte[] V3(string dtype) =>
        [
            .. "ctorch._utils\n_rebuild_tensor_v3\n(("u8, .. OtherFiles.Text("storage"), .. "ctorch.storage\nUntypedStorage\n"u8, .. OtherFiles.Text("0"), .. OtherFiles.Text("cpu"), .. OtherFiles.Whole(8), .. "tQK\0K\u0002"u8, 0x85,
            (byte)'K', 1, 0x85, 0x89, (byte)'}', .. Encoding.ASCII.GetBytes($"ctorch\n{dtype}\n"), .. "tR"u8,
        ];

        Assert.Equal([1f, 2f], WeightFile.Read(OtherFiles.Torch(OtherFiles.Pickle(V3("float32")), 1, 2)).Get<float>().AsReadOnlySpan());
        Assert.Equal([0f, 0x3F80], WeightFile.Read(OtherFiles.Torch(OtherFiles.Pickle(V3("uint16")), 1, 2)).Get<float>().AsReadOnlySpan());
        var eight = WeightFile.Read(OtherFiles.Torch(OtherFiles.Pickle(V3("float8_e4m3fn")), 1, 2));
        Assert.Contains("is of type F8_E4M3", Assert.Throws<InvalidDataException>(() => eight.Get<float>()).Message);
    }

    [Fact]
    public void Big_endian_storages_are_turned()
    {
        var pickle = OtherFiles.Pickle(OtherFiles.Tensor(1, 0, [1], [1]));
        var bytes = OtherFiles.Zip(("archive/data.pkl", pickle), ("archive/byteorder", "big"u8.ToArray()), ("archive/data/0", [0x3F, 0x80, 0, 0]));
        Assert.Equal([1f], WeightFile.Read(bytes).Get<float>().AsReadOnlySpan());
    }

    [Fact]
    public void A_torch_script_archive_is_named_as_such()
    {
        var bytes = OtherFiles.Zip(("m/data.pkl", OtherFiles.Pickle("}")), ("m/constants.pkl", OtherFiles.Pickle(")")));
        Assert.Contains("a TorchScript archive of torch.jit.save", Assert.Throws<InvalidDataException>(() => WeightFile.Read(bytes)).Message);
    }

    [Fact]
    public void A_legacy_file_that_is_cut_or_continued_is_refused()
    {
        var bytes = GoldenFile.Resource("state_legacy.pt");
        for (var length = 0; length < bytes.Length; length += 7)
        {
            Assert.Throws<InvalidDataException>(() => WeightFile.Read(bytes.AsMemory(0, length)));
        }

        Assert.Contains("1 bytes follow the last storage", Assert.Throws<InvalidDataException>(() => WeightFile.Read((byte[])[.. bytes, 0])).Message);
    }

    [Fact]
    public void What_is_written_comes_back_and_shares_what_was_shared()
    {
        var random = new RandomSource(1);
        var shared = Tensor<double>.RandomNormal(random, 0, 1, 30, 40);
        KeyValuePair<string, Tensor<double>>[] tensors =
            [new("größe.x", Tensor<double>.RandomNormal(random, 0, 1, 2, 3, 4)), new("scalar", Tensor<double>.RandomNormal(random, 0, 1)), new("empty", Tensor<double>.Zeros(2, 0)), new("a", shared), new("b", shared.Detach())];
        using var stream = new MemoryStream();
        PyTorchFile.Write(stream, tensors);
        Assert.InRange(stream.Length, 30 * 40 * 8, 1.5 * 30 * 40 * 8);
        var file = WeightFile.Read(stream.ToArray());
        Assert.Equal(tensors.Select(pair => pair.Key), file.Entries.Select(entry => entry.Name));
        foreach (var (name, tensor) in tensors)
        {
            Assert.Equal(tensor.Shape, file[name].Shape);
            Assert.Equal(tensor.AsReadOnlySpan(), file.Get<double>(name).AsReadOnlySpan());
        }
    }
}
