using System.Buffers.Binary;
using System.Text;
using Rnn.Formats;
using Rnn.Tests.Golden;

namespace Rnn.Tests.Formats;

public class SafeTensorsReadTests
{
    // Two readers written apart agree on files that PyTorch's values were put into by Python.
    [Theory]
    [InlineData("lstm.safetensors")]
    [InlineData("training.safetensors")]
    [InlineData("losses.safetensors")]
    public void Files_of_another_writer_are_read(string name)
    {
        var golden = GoldenFile.Open(name);
        var file = SafeTensors.Read(GoldenFile.Resource(name));
        Assert.Equal(golden.Names.Order(), file.Entries.Select(entry => entry.Name).Order());
        Assert.Contains(file.Entries, entry => entry.Type == WeightType.Float64);
        foreach (var entry in file.Entries.Where(entry => entry.Type.IsReadable))
        {
            var expected = golden.Values(entry.Name);
            Assert.Equal(golden.Shape(entry.Name), entry.Shape.Dimensions);
            Assert.Equal(expected, file.Get<double>(entry.Name).AsReadOnlySpan());
            Assert.Equal(expected.Select(value => (float)value).ToArray(), file.Get<float>(entry.Name).AsReadOnlySpan());
        }
    }

    [Fact]
    public void Half_precisions_convert_exactly()
    {
        // Every bit pattern of the two sixteen-bit types.
        var bytes = new byte[2 << 16];
        for (var bits = 0; bits < 1 << 16; bits++)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(bits * 2), (ushort)bits);
        }

        var file = SafeTensors.Read(FileOf("""{"h":{"dtype":"F16","shape":[256,256],"data_offsets":[0,131072]},"b":{"dtype":"BF16","shape":[65536],"data_offsets":[131072,262144]}}""", [.. bytes, .. bytes]));
        var halves = file.Get<float>("h").AsReadOnlySpan();
        var brains = file.Get<double>("b").AsReadOnlySpan();
        for (var bits = 0; bits < 1 << 16; bits++)
        {
            Assert.Equal((float)BitConverter.UInt16BitsToHalf((ushort)bits), halves[bits]);

            // Sign, eight bits of exponent, seven of fraction.
            var (exponent, fraction) = ((bits >> 7) & 0xFF, bits & 0x7F);
            var magnitude = exponent switch
            {
                0 => Math.ScaleB(fraction, -133),
                255 => fraction == 0 ? double.PositiveInfinity : double.NaN,
                _ => Math.ScaleB(128 + fraction, exponent - 134),
            };
            Assert.Equal(bits >> 15 == 0 ? magnitude : -magnitude, brains[bits]);
        }
    }

    [Fact]
    public void Doubles_round_to_nearest_single()
    {
        var values = new[] { 0.1, 1e300, -1e-300, 16777217.0, double.NaN };
        var file = SafeTensors.Read(FileOf("""{"x":{"dtype":"F64","shape":[5],"data_offsets":[0,40]}}""", [.. values.SelectMany(BitConverter.GetBytes)]));
        Assert.Equal([0.1f, float.PositiveInfinity, -0f, 16777216f, float.NaN], file.Get<float>("x").AsReadOnlySpan());
    }

    [Fact]
    public void A_stream_that_cannot_seek_is_read()
    {
        var bytes = GoldenFile.Resource("losses.safetensors");
        var expected = SafeTensors.Read(bytes);
        var file = SafeTensors.Read(new SlowStream(bytes));
        Assert.Equal(expected.Entries.Select(entry => entry.ToString()), file.Entries.Select(entry => entry.ToString()));
        foreach (var entry in file.Entries.Where(entry => entry.Type.IsReadable))
        {
            Assert.Equal(expected.Get<double>(entry.Name).AsReadOnlySpan(), file.Get<double>(entry.Name).AsReadOnlySpan());
        }
    }

    [Fact]
    public void A_stream_is_read_from_its_position()
    {
        using var stream = new MemoryStream();
        stream.Write("before"u8);
        stream.Write(FileOf("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", [0, 0, 0x80, 0x3F]));
        stream.Position = 6;
        Assert.Equal([1f], SafeTensors.Read(stream).Get<float>("x").AsReadOnlySpan());
    }

    [Fact]
    public void An_empty_file_of_tensors_is_valid()
    {
        var file = SafeTensors.Read(FileOf("{}", []));
        Assert.Empty(file.Entries);
        Assert.Empty(file.Metadata);
    }

    [Fact]
    public void Empty_tensors_stand_between_others()
    {
        var file = SafeTensors.Read(FileOf(
            """{"z":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},"e":{"dtype":"F64","shape":[0,3],"data_offsets":[4,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""",
            [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40]));
        Assert.Equal(["a", "e", "z"], file.Entries.Select(entry => entry.Name));
        Assert.Equal(0, file.Get<float>("e").Length);
        Assert.Equal([2f], file.Get<float>("z").AsReadOnlySpan());
    }

    [Fact]
    public void Copy_to_checks_the_length()
    {
        var file = SafeTensors.Read(FileOf("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", [0, 0, 0x80, 0x3F]));
        var values = new double[1];
        file.CopyTo<double>("x", values);
        Assert.Equal([1.0], values);
        var error = Assert.Throws<ArgumentException>(() => file.CopyTo<double>("x", new double[2]));
        Assert.Contains("expected 1 elements for x F32 [1] but got 2", error.Message);
    }

    [Fact]
    public void What_is_not_there_or_not_readable_is_named()
    {
        var file = SafeTensors.Read(FileOf("""{"ids":{"dtype":"F8_E8M0","shape":[4],"data_offsets":[0,4]}}""", [1, 0, 0, 0]));
        Assert.True(file.Contains("ids"));
        Assert.False(file.Contains("x"));
        Assert.Contains("there is no tensor 'x'; the file has ids.", Assert.Throws<KeyNotFoundException>(() => file.Get<float>("x")).Message);
        Assert.Contains("'ids' is of type F8_E8M0", Assert.Throws<InvalidDataException>(() => file.Get<float>("ids")).Message);
    }

    // Types that are not read, also those that the format may get one day, keep nobody from the other tensors.
    [Theory]
    [InlineData("F8_E4M3", 4)]
    [InlineData("F8_E5M2", 4)]
    [InlineData("C64", 32)]
    [InlineData("F31", 7)]
    [InlineData("F4", 2)]
    public void A_tensor_of_a_type_that_is_not_read_is_listed_and_refused_when_asked_for(string type, int bytes)
    {
        var file = SafeTensors.Read(FileOf(
            $$$"""{"odd":{"dtype":"{{{type}}}","shape":[2,2],"data_offsets":[0,{{{bytes}}}]},"x":{"dtype":"F32","shape":[1],"data_offsets":[{{{bytes}}},{{{bytes + 4}}}]}}""",
            [.. new byte[bytes], 0, 0, 0x80, 0x3F]));
        Assert.Equal($"odd {type} [2, 2]", file["odd"].ToString());
        Assert.False(file["odd"].Type.IsReadable);
        Assert.Equal([1f], file.Get<float>("x").AsReadOnlySpan());
        Assert.Contains($"'odd' is of type {type}", Assert.Throws<InvalidDataException>(() => file.Get<float>("odd")).Message);
    }

    [Theory]
    [InlineData("""[]""", "does not begin with '{'")]
    [InlineData("""  {}""", "does not begin with '{'")]
    [InlineData("""{"x":1}""", "'x' is not an object")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1]}}""", "'x' lacks")]
    [InlineData("""{"x":{"dtype":"F32","shape":1,"data_offsets":[0,4]}}""", "'x' has a shape that comes twice or is none")]
    [InlineData("""{"x":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "'x' has a dtype that comes twice or is none")]
    [InlineData("""{"__metadata__":[]}""", "'__metadata__' is not an object")]
    [InlineData("""{"x":null}""", "'x' is not an object")]
    [InlineData("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", "needs 8 bytes but its data_offsets are 0 to 4")]
    [InlineData("""{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", "shape that is not a list of whole numbers")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}""", "shape that is not a list of whole numbers")]
    [InlineData("""{"x":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}}""", "shape that is not a list of whole numbers")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", "data_offsets are 4 to 0")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}""", "two data_offsets")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "neither holes nor overlap")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"y":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "neither holes nor overlap")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"y":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""", "neither holes nor overlap")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"x":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "'x' comes twice")]
    [InlineData("""{"x":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}""", "larger than any file")]
    [InlineData("""{"x":{"dtype":"F32","shape":[65536,65536],"data_offsets":[0,17179869184]}}""", "larger than a tensor can be")]
    [InlineData("""{"x":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}}""", "needs 0 bytes")]
    [InlineData("""{"__metadata__":{"a":1}}""", "metadata 'a' is not one text")]
    [InlineData("""{"__metadata__":{"a":"1","a":"2"}}""", "metadata 'a' is not one text")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}""", "not valid JSON")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} {}""", "not valid JSON")]
    [InlineData("""{"x":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}}""", "shape that is not a list of whole numbers")]
    public void A_header_that_breaks_the_format_is_refused(string json, string message)
    {
        var bytes = FileOf(json, [0, 0, 0, 0, 0, 0, 0, 0]);
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => SafeTensors.Read(bytes)).Message);
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => SafeTensors.Read(new SlowStream(bytes))).Message);
    }

    // As the reference reader does.
    [Theory]
    [InlineData("""{"__metadata__":null,"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"__metadata__":null}""")]
    [InlineData("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}}""")]
    [InlineData("""{"x":{"more":{"a":[1,{"b":null}],"dtype":"F64"},"dtype":"F32","also":["x"],"shape":[1],"data_offsets":[0,4],"last":"text"}}""")]
    public void What_the_format_leaves_open_is_read(string json)
    {
        var bytes = FileOf(json, [0, 0, 0x80, 0x3F]);
        foreach (var file in new[] { SafeTensors.Read(bytes), SafeTensors.Read(new SlowStream(bytes)) })
        {
            Assert.Empty(file.Metadata);
            Assert.Equal([1f], file.Get<float>("x").AsReadOnlySpan());
        }
    }

    [Fact]
    public void The_longest_header_is_taken()
    {
        byte[] prefix = new byte[8];
        foreach (var (length, isTaken) in new[] { (1L, false), (2, true), (100_000_000, true), (100_000_001, false), (-1, false) })
        {
            BinaryPrimitives.WriteInt64LittleEndian(prefix, length);
            if (isTaken)
            {
                Assert.Equal(length, SafeTensorsHeader.JsonLength(prefix, "bytes"));
            }
            else
            {
                Assert.Throws<InvalidDataException>(() => SafeTensorsHeader.JsonLength(prefix, "bytes"));
            }
        }
    }

    [Fact]
    public void Invalid_UTF8_is_refused()
    {
        var bytes = FileOf("""{"@":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}""", []);
        bytes[10] = 0xFF;
        Assert.Contains("not valid JSON", Assert.Throws<InvalidDataException>(() => SafeTensors.Read(bytes)).Message);
    }

    // Cut after every byte: each is a clear error, none an index out of range.
    [Fact]
    public void A_cut_file_is_refused_wherever_it_ends()
    {
        var bytes = FileOf("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", [1, 2, 3, 4, 5, 6, 7, 8]);
        for (var length = 0; length < bytes.Length; length++)
        {
            var cut = bytes[..length];
            Assert.Throws<InvalidDataException>(() => SafeTensors.Read(cut));
            Assert.Throws<InvalidDataException>(() => SafeTensors.Read(new MemoryStream(cut)));
            Assert.Throws<InvalidDataException>(() => SafeTensors.Read(new SlowStream(cut)));
        }

        var error = Assert.Throws<InvalidDataException>(() => SafeTensors.Read(bytes.AsMemory()[..^3]));
        Assert.Contains($"cut short: its header needs {bytes.Length} bytes but there are {bytes.Length - 3}", error.Message);
    }

    // Whatever one byte is changed to: the file is read, or refused as invalid, and never anything else.
    [Fact]
    public void A_damaged_file_is_read_or_refused()
    {
        var bytes = FileOf("""{"__metadata__":{"k":"v"},"x":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"y":{"dtype":"F16","shape":[],"data_offsets":[8,10]}}""", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        var (read, refused) = (0, 0);
        for (var position = 0; position < bytes.Length; position++)
        {
            var original = bytes[position];
            foreach (var value in (byte[])[0, 1, 0x20, 0x22, 0x2C, 0x30, 0x39, 0x5C, 0x7D, 0x80, 0xFF, (byte)(original + 1), (byte)(original ^ 0x40)])
            {
                bytes[position] = value;
                try
                {
                    var file = SafeTensors.Read(bytes);
                    foreach (var entry in file.Entries.Where(entry => entry.Type.IsReadable))
                    {
                        Assert.Equal(entry.Shape.ElementCount, file.Get<double>(entry.Name).Length);
                    }

                    read++;
                }
                catch (InvalidDataException)
                {
                    refused++;
                }
            }

            bytes[position] = original;
        }

        Assert.True(read > 100 && refused > 100, $"read {read}, refused {refused}");
    }

    [Fact]
    public void Bytes_after_the_last_tensor_are_refused()
    {
        byte[] bytes = [.. FileOf("""{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", [1, 2, 3, 4]), 5];
        Assert.Contains("1 bytes follow", Assert.Throws<InvalidDataException>(() => SafeTensors.Read(bytes)).Message);
        Assert.Contains("bytes follow", Assert.Throws<InvalidDataException>(() => SafeTensors.Read(new SlowStream(bytes))).Message);
    }

    // The header promises a gigabyte of data, then of header: the reader must not believe it.
    [Fact]
    public void A_promise_of_huge_data_costs_no_memory()
    {
        var bytes = FileOf("""{"x":{"dtype":"F32","shape":[268435456],"data_offsets":[0,1073741824]}}""", [1, 2, 3, 4]);
        byte[] longHeader = [0, 0xE0, 0xF5, 5, 0, 0, 0, 0, (byte)'{'];
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<InvalidDataException>(() => SafeTensors.Read(bytes));
        Assert.Throws<InvalidDataException>(() => SafeTensors.Read(new MemoryStream(bytes)));
        Assert.Throws<InvalidDataException>(() => SafeTensors.Read(new SlowStream(bytes)));
        Assert.Throws<InvalidDataException>(() => SafeTensors.Read(longHeader));
        Assert.Throws<InvalidDataException>(() => SafeTensors.Read(new SlowStream(longHeader)));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4_000_000);
    }

    [Theory]
    [InlineData("PK\u0003\u0004 a zip archive, as PyTorch's own files are")]
    [InlineData("{\"a\": 1, \"this\": \"is JSON\"}")]
    [InlineData("\0\0\0\0\0\0\0\0")]
    public void Foreign_files_are_named_as_such(string content)
    {
        var error = Assert.Throws<InvalidDataException>(() => SafeTensors.Read(Encoding.Latin1.GetBytes(content)));
        Assert.Contains("not a safetensors file", error.Message);
    }

    private static byte[] FileOf(string json, byte[] data)
    {
        var header = Encoding.UTF8.GetBytes(json);
        var bytes = new byte[8 + header.Length + data.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, (ulong)header.Length);
        header.CopyTo(bytes, 8);
        data.CopyTo(bytes, 8 + header.Length);
        return bytes;
    }

    // Cannot seek, and gives at most a few bytes a call.
    private sealed class SlowStream(byte[] bytes) : Stream
    {
        private int _position;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            count = Math.Min(Math.Min(count, 1013), bytes.Length - _position);
            Array.Copy(bytes, _position, buffer, offset, count);
            _position += count;
            return count;
        }

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
