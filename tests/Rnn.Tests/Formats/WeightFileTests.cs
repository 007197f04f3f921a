using System.Text;
using Rnn.Formats;
using Rnn.Tensors;
using Rnn.Tests.Golden;
using Rnn.Tests.Learning;

namespace Rnn.Tests.Formats;

public sealed class WeightFileTests : IDisposable
{
    // Module.save of an LSTM of two units and three inputs by TorchSharp 0.107.
    internal const string TorchSharpLstm =
        "040C7765696768745F69685F6C3006020803F0DE463E224C66BEDBC634BE7D7429BFD46248BD72F14CBE5DC001BF9805FC3E9917293F83731F3FE5C5CD3E5D028F3D407E9ABC30A93F3E96CA313FE73802BF0CEFF4BC98642BBE9D7224BF776D19BF0C8488BDAC999A"
        + "BE707A0CBF37E9413E0C7765696768745F68685F6C3006020802B46B13BB8F0CD53C4C5E1B3FC0AFD43E916927BFAFC2EE3EC12FEDBE822B32BFE235DB3E13E1EDBE8E2BE33D59C0CB3E168B163C9CE8EFBED7D1003FCF74AC3E0A626961735F69685F6C3006010"
        + "8D74AA53E1A288C3E51A88A3D3736073F2B88103F7C56A53E55F5093EA354C7BE0A626961735F68685F6C3006010891D96CBEB08222BFD888E63E2DF7573DA251F53E749132BFB36C563DAA41FEBE";

    private readonly string _folder = Directory.CreateTempSubdirectory("rnn-weights-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_torch_sharp_file_is_read()
    {
        var file = WeightFile.Read(Convert.FromHexString(TorchSharpLstm));
        Assert.Equal("TorchSharp", file.Format);
        Assert.Equal(["weight_ih_l0 F32 [8, 3]", "weight_hh_l0 F32 [8, 2]", "bias_ih_l0 F32 [8]", "bias_hh_l0 F32 [8]"], file.Entries.Select(entry => entry.ToString()));
        Assert.Equal([0.19420981f, -0.2248998f, -0.17653982f], file.Get<float>("weight_ih_l0").AsReadOnlySpan()[..3]);
        Assert.Equal(-0.49659473f, file.Get<float>("bias_hh_l0")[7]);
    }

    [Fact]
    public void A_cut_torch_sharp_file_is_refused()
    {
        var bytes = Convert.FromHexString(TorchSharpLstm);
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.Throws<InvalidDataException>(() => WeightFile.Read(bytes.AsMemory(0, length)));
        }

        Assert.Contains("cut short behind the tensor 'weight_hh_l0'", Assert.Throws<InvalidDataException>(() => WeightFile.Read(bytes.AsMemory(0, 230))).Message);
        Assert.Contains("1 bytes behind its last tensor", Assert.Throws<InvalidDataException>(() => WeightFile.Read((byte[])[.. bytes, 1])).Message);
    }

    // The format follows from the content, whatever the file is called.
    [Theory]
    [InlineData("lstm.safetensors", "safetensors")]
    [InlineData("arrays.npz", "NumPy")]
    [InlineData("column.npy", "NumPy")]
    [InlineData("state.pt", "PyTorch")]
    [InlineData("state_legacy.pt", "PyTorch")]
    public void The_format_is_recognised_by_the_content(string name, string format)
    {
        var path = Path.Combine(_folder, "weights.bin");
        File.WriteAllBytes(path, GoldenFile.Resource(name));
        using var mapped = WeightFile.Open(path);
        using var stream = File.OpenRead(path);
        var read = WeightFile.Read(stream);
        Assert.Equal(format, mapped.Format);
        Assert.Equal(format, read.Format);
        Assert.Equal(read.Entries.Select(entry => entry.ToString()), mapped.Entries.Select(entry => entry.ToString()));
        foreach (var entry in read.Entries.Where(entry => entry.Type.IsReadable))
        {
            Assert.Equal(read.Get<double>(entry.Name).AsReadOnlySpan(), mapped.Get<double>(entry.Name).AsReadOnlySpan());
        }
    }

    [Theory]
    [InlineData(new byte[0], "the file is empty")]
    [InlineData(new byte[] { 1, 2, 3 }, "begins with 010203 ('...')")]
    [InlineData(new byte[] { 0x89, (byte)'H', (byte)'D', (byte)'F', 0x0D, 0x0A, 0x1A, 0x0A, 0 }, "the package Rnn.Keras reads it")]
    [InlineData(new byte[] { (byte)'P', (byte)'K', 5, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, "its directory is missing")]
    [InlineData(new byte[] { 0x80, 2, (byte)'}', (byte)'.' }, "neither safetensors nor")]
    public void What_is_of_no_format_is_refused(byte[] bytes, string message)
    {
        var path = Path.Combine(_folder, "odd.pt");
        File.WriteAllBytes(path, bytes);
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => WeightFile.Open(path)).Message);
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => WeightFile.Read(bytes)).Message);
    }

    [Fact]
    public void A_file_that_was_opened_is_mapped_until_it_is_closed()
    {
        var path = Path.Combine(_folder, "large.safetensors");
        SafeTensors.Write<float>(path, [new("x", Tensor<float>.Ones(4_000_000)), new("y", Tensor<float>.Full(2, 3))]);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var file = WeightFile.Open(path);
        Assert.Equal([2f, 2f, 2f], file.Get<float>("y").AsReadOnlySpan());
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
        var renamed = file.Rename(name => name == "y" ? "z" : null);
        Assert.Equal(["z"], renamed.Entries.Select(entry => entry.Name));
        file.Dispose();
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => file.Get<float>("x"));
        Assert.Throws<ObjectDisposedException>(() => renamed.Get<float>("z"));
        File.Delete(path);
    }

    // Five gigabytes, of which the system keeps a few pages: most of the file was never written.
    [LongFact]
    public void Tensors_beyond_four_gigabytes_are_read()
    {
        const long Large = 5L << 30;
        var path = Path.Combine(_folder, "huge.safetensors");
        var header = Encoding.ASCII.GetBytes($$$"""{"a":{"dtype":"F64","shape":[671088640],"data_offsets":[0,{{{Large}}}]},"b":{"dtype":"F32","shape":[2],"data_offsets":[{{{Large}}},{{{Large + 8}}}]}}""");
        using (var stream = File.Create(path))
        {
            stream.Write(BitConverter.GetBytes((long)header.Length));
            stream.Write(header);
            stream.Position += Large;
            stream.Write([0, 0, 0x80, 0x3F, 0, 0, 0, 0x40]);
        }

        using var file = WeightFile.Open(path);
        Assert.Equal([1f, 2f], file.Get<float>("b").AsReadOnlySpan());
    }

    [Fact]
    public void Files_are_written_by_their_names()
    {
        var tensor = Tensor<float>.RandomNormal(new RandomSource(1), 0, 1, 3, 4);
        foreach (var (name, format) in new[] { ("x.safetensors", "safetensors"), ("x.npz", "NumPy"), ("x.pt", "PyTorch"), ("x.PTH", "PyTorch") })
        {
            var path = Path.Combine(_folder, name);
            WeightFile.Write<float>(path, [new("a.b", tensor)]);
            using var file = WeightFile.Open(path);
            Assert.Equal(format, file.Format);
            Assert.Equal(tensor.AsReadOnlySpan(), file.Get<float>("a.b").AsReadOnlySpan());
        }

        Assert.Contains("'x.onnx' ends with none of", Assert.Throws<ArgumentException>(() => WeightFile.Write<float>(Path.Combine(_folder, "x.onnx"), [new("a", tensor)])).Message);
    }

    [Fact]
    public void Names_are_given_anew()
    {
        var file = WeightFile.Read(GoldenFile.Resource("state.pt"));
        var model = file.Rename(name => name.StartsWith("model.", StringComparison.Ordinal) ? name["model.".Length..] : null);
        Assert.Equal(file.Entries.Count - 3, model.Entries.Count);
        Assert.Equal(file.Get<float>("model.transposed").AsReadOnlySpan(), model.Get<float>("transposed").AsReadOnlySpan());
        Assert.Contains("two tensors get the name 'x'", Assert.Throws<ArgumentException>(() => file.Rename(_ => "x")).Message);
        Assert.Contains("expected a file of one tensor but it has", Assert.Throws<InvalidOperationException>(() => file.Get<float>()).Message);
    }
}
