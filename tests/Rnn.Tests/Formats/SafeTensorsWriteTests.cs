using System.Numerics;
using System.Text;
using Rnn.Formats;
using Rnn.Tensors;

namespace Rnn.Tests.Formats;

public sealed class SafeTensorsWriteTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("rnn-tests-");

    public void Dispose() => _folder.Delete(recursive: true);

    // The bytes as the format's description gives them, written out by hand.
    [Fact]
    public void Bytes_are_those_of_the_format()
    {
        using var stream = new MemoryStream();
        SafeTensors.Write(
            stream,
            [Named("b", Make<float>([2], 1, -2)), Named("a", Make<float>([], 0.5))],
            [new("z", "last"), new("k", "τ")]);

        const string Json = """{"__metadata__":{"k":"τ","z":"last"},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""";
        var json = Encoding.UTF8.GetBytes(Json);
        var padding = (8 - (json.Length % 8)) % 8;
        byte[] expected =
        [
            (byte)(json.Length + padding), 0, 0, 0, 0, 0, 0, 0, .. json, .. Enumerable.Repeat((byte)' ', padding),
            0, 0, 0, 0x3F, 0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0,
        ];
        Assert.Equal(expected, stream.ToArray());
    }

    [Theory]
    [InlineData(new int[0])]
    [InlineData(new[] { 1 })]
    [InlineData(new[] { 3, 17 })]
    [InlineData(new[] { 37, 0, 2 })]
    [InlineData(new[] { 129, 700 })]
    public void What_is_written_is_read(int[] shape)
    {
        RoundTrip<float>(shape);
        RoundTrip<double>(shape);
    }

    [Fact]
    public void The_order_of_tensors_and_metadata_does_not_matter()
    {
        var (a, b) = (Make<double>([3], 1, 2, 3), Make<double>([2, 1], 4, 5));
        Assert.Equal(
            Bytes([Named("a", a), Named("b", b)], [new("x", "1"), new("y", "2")]),
            Bytes([Named("b", b), Named("a", a)], [new("y", "2"), new("x", "1")]));
    }

    [Fact]
    public void Names_of_any_letters_survive()
    {
        var names = new[] { "ä\"\\/\u0001", "日本", "👍", "a.b_c-d e", "" };
        var file = SafeTensors.Read(Bytes([.. names.Select((name, i) => Named(name, Make<double>([1], i)))], [new("\n", "</script>\t")]));
        Assert.Equal(names.Order(StringComparer.Ordinal), file.Entries.Select(entry => entry.Name));
        Assert.Equal("</script>\t", file.Metadata["\n"]);
        for (var i = 0; i < names.Length; i++)
        {
            Assert.Equal([i], file.Get<double>(names[i]).AsReadOnlySpan());
        }
    }

    [Fact]
    public void Wrong_names_are_refused()
    {
        var tensor = Make<float>([1], 0);
        var twice = Assert.Throws<ArgumentException>(() => SafeTensors.Write(Stream.Null, [Named("w", tensor), Named("w", tensor)]));
        Assert.Contains("the name 'w' comes twice", twice.Message);
        var reserved = Assert.Throws<ArgumentException>(() => SafeTensors.Write(Stream.Null, [Named("__metadata__", tensor)]));
        Assert.Contains("reserved", reserved.Message);
        var metadata = Assert.Throws<ArgumentException>(() => SafeTensors.Write<float>(Stream.Null, [], [new("k", "1"), new("k", "2")]));
        Assert.Contains("metadata: the name 'k' comes twice", metadata.Message);
    }

    [Fact]
    public void A_file_is_replaced_whole_and_leaves_nothing_beside()
    {
        var path = Path.Combine(_folder.FullName, "model.safetensors");
        SafeTensors.Write(path, [Named("w", Make<float>([2], 1, 2))]);
        SafeTensors.Write(path, [Named("w", Make<float>([3], 3, 4, 5))]);
        Assert.Equal([3f, 4f, 5f], SafeTensors.Read(path).Get<float>("w").AsReadOnlySpan());
        Assert.Equal([path], Directory.GetFileSystemEntries(_folder.FullName));
    }

    // Half of a surrogate pair would come back as U+FFFD, and two names might become one.
    [Theory]
    [InlineData("a<", "", "", "tensors: a name's character U+D83E at position 1")]
    [InlineData("🦉>", "", "", "tensors: a name's character U+DD89 at position 2")]
    [InlineData("a", ">b", "", "metadata: a key's character U+DD89 at position 0")]
    [InlineData("a", "key", "b < c", "metadata: in 'key' the character U+D83E at position 2")]
    public void Text_that_no_file_can_keep_is_refused(string name, string key, string text, string message)
    {
        // The halves of an owl; the test's arguments themselves must be text that can be kept.
        (name, key, text) = (Halves(name), Halves(key), Halves(text));
        static string Halves(string text) => text.Replace('<', '\ud83e').Replace('>', '\udd89');
        KeyValuePair<string, string>[] metadata = key.Length > 0 ? [new(key, text)] : [];
        var error = Assert.Throws<ArgumentException>(() => Bytes([Named(name, Make<float>([1]))], metadata));
        Assert.StartsWith(message, error.Message, StringComparison.Ordinal);
        var path = Path.Combine(_folder.FullName, "model.safetensors");
        Assert.Throws<ArgumentException>(() => SafeTensors.Write(path, [Named(name, Make<float>([1]))], metadata));
        Assert.Empty(Directory.GetFileSystemEntries(_folder.FullName));
    }

    [Fact]
    public void Names_beyond_the_basic_plane_are_kept()
    {
        var file = SafeTensors.Read(Bytes([Named("🦉", Make<float>([1], 3))], [new("key 🦉", "𝄞")]));
        Assert.Equal([3f], file.Get<float>("🦉").AsReadOnlySpan());
        Assert.Equal("𝄞", file.Metadata["key 🦉"]);
    }

    [Fact]
    public void A_cancelled_write_keeps_the_old_file()
    {
        var path = Path.Combine(_folder.FullName, "model.safetensors");
        SafeTensors.Write(path, [Named("w", Make<float>([1], 7))]);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => SafeTensors.Write(path, [Named("w", Make<float>([1], 8))], cancellationToken: cancelled.Token));
        Assert.Equal([7f], SafeTensors.Read(path).Get<float>("w").AsReadOnlySpan());
        Assert.Equal([path], Directory.GetFileSystemEntries(_folder.FullName));
    }

    [Fact]
    public void A_write_cancelled_or_failed_part_way_keeps_the_old_file()
    {
        var path = Path.Combine(_folder.FullName, "model.safetensors");
        File.WriteAllText(path, "old");
        using var source = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => AtomicFile.Write(
            path,
            stream =>
            {
                stream.Write("half"u8);
                source.Cancel();
            },
            source.Token));
        Assert.Throws<TimeoutException>(() => AtomicFile.Write(path, stream =>
        {
            stream.Write("half"u8);
            throw new TimeoutException();
        }));
        Assert.Equal("old", File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFileSystemEntries(_folder.FullName));
    }

    [Fact]
    public void Cancellation_is_seen_between_pieces()
    {
        using var source = new CancellationTokenSource();
        using var stream = new CancellingStream(source);
        Assert.Throws<OperationCanceledException>(() => SafeTensors.Write(stream, [Named("w", Make<float>([1]))], cancellationToken: source.Token));
    }

    [Fact]
    public void A_missing_folder_is_named()
    {
        var path = Path.Combine(_folder.FullName, "no", "model.safetensors");
        var error = Assert.Throws<DirectoryNotFoundException>(() => SafeTensors.Write(path, [Named("w", Make<float>([1]))]));
        Assert.Contains(path, error.Message);
    }

    [Fact]
    public void A_link_keeps_pointing_to_the_file()
    {
        var target = Path.Combine(_folder.FullName, "target.safetensors");
        var link = Path.Combine(_folder.FullName, "link.safetensors");
        File.WriteAllText(target, "old");
        try
        {
            File.CreateSymbolicLink(link, target);
        }
        catch (IOException) when (OperatingSystem.IsWindows())
        {
            return; // Windows lets only some accounts make links.
        }

        SafeTensors.Write(link, [Named("w", Make<float>([1], 9))]);
        Assert.NotNull(File.ResolveLinkTarget(link, returnFinalTarget: false));
        Assert.Equal([9f], SafeTensors.Read(target).Get<float>("w").AsReadOnlySpan());
    }

    private static void RoundTrip<T>(int[] shape)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var length = new Shape(shape).ElementCount;
        var random = new Random(length);
        var values = Enumerable.Range(0, length).Select(_ => T.CreateTruncating((random.NextDouble() - 0.5) * 1e10)).ToArray();
        if (length > 4)
        {
            (values[0], values[1], values[2], values[3]) = (T.NaN, T.NegativeInfinity, T.Epsilon, T.NegativeZero);
        }

        var file = SafeTensors.Read(Bytes([Named("x", new Tensor<T>(new Storage<T>(values), shape)), Named("y", Make<T>([1], 3))], []));
        Assert.Equal(shape, file["x"].Shape.Dimensions);
        Assert.Equal(typeof(T) == typeof(float) ? WeightType.Float32 : WeightType.Float64, file["x"].Type);
        var read = file.Get<T>("x").AsReadOnlySpan();
        Assert.True(System.Runtime.InteropServices.MemoryMarshal.AsBytes(read).SequenceEqual(System.Runtime.InteropServices.MemoryMarshal.AsBytes<T>(values)));
    }

    private static byte[] Bytes<T>(KeyValuePair<string, Tensor<T>>[] tensors, KeyValuePair<string, string>[] metadata)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var stream = new MemoryStream();
        SafeTensors.Write(stream, tensors, metadata);
        return stream.ToArray();
    }

    private static KeyValuePair<string, Tensor<T>> Named<T>(string name, Tensor<T> tensor)
        where T : unmanaged, IFloatingPointIeee754<T> => new(name, tensor);

    private static Tensor<T> Make<T>(int[] shape, params double[] values)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var data = new T[new Shape(shape).ElementCount];
        for (var i = 0; i < values.Length; i++)
        {
            data[i] = T.CreateTruncating(values[i]);
        }

        return new(new Storage<T>(data), shape);
    }

    private sealed class CancellingStream(CancellationTokenSource source) : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => source.Cancel();
    }
}
