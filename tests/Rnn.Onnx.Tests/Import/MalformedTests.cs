using Google.Protobuf;
using Rnn.Onnx.Schema;
using Rnn.Onnx.Tests.Support;
using Rnn.Tensors;

namespace Rnn.Onnx.Tests.Import;

/// <summary>Damaged and hostile files: each is loaded and run or refused with the reason, soon and without much memory.</summary>
public class MalformedTests
{
    // 10,000 with RNN_LONG_TESTS=1.
    private static readonly int Count = Environment.GetEnvironmentVariable("RNN_LONG_TESTS") == "1" ? 10_000 : 400;

    [Fact]
    public void Mutated_files_are_run_or_refused_with_little_memory()
    {
        byte[][] files = [.. Samples().Select(model => model.ToByteArray())];
        var random = new Random(11);
        long largest = 0;
        var slowest = TimeSpan.Zero;
        for (var i = 0; i < Count; i++)
        {
            var bytes = Mutate((byte[])files[i % files.Length].Clone(), random);
            var (before, start) = (GC.GetAllocatedBytesForCurrentThread(), Environment.CpuUsage.UserTime);
            try
            {
                LoadAndRun(bytes);
            }
            catch (InvalidDataException exception)
            {
                Assert.NotEmpty(exception.Message);
            }

            largest = Math.Max(largest, GC.GetAllocatedBytesForCurrentThread() - before);
            var elapsed = Environment.CpuUsage.UserTime - start;
            slowest = elapsed > slowest ? elapsed : slowest;
        }

        Assert.True(largest < 256 << 20, $"{largest} bytes");
        Console.WriteLine($"{Count} files: at most {largest >> 20} MB, {slowest.TotalMilliseconds:0} ms of processor time");
    }

    [Fact]
    public void An_unknown_operator_is_named_with_its_node_and_operator_set()
    {
        var node = Small.Node("QAttention", ["x", "x"], ["y"]);
        (node.Domain, node.Name) = ("com.microsoft", "block/1");
        Refused(Simple(node), "node 'block/1' (com.microsoft.QAttention, opset 17): the operator com.microsoft.QAttention is not supported");
        Refused(Simple(Small.Node("NonMaxSuppression", ["x"], ["y"])), "node 'the_NonMaxSuppression' (NonMaxSuppression, opset 17)");
    }

    [Fact]
    public void Graphs_that_do_not_hold_together_are_refused()
    {
        Refused(Simple(Small.Node("Relu", ["missing"], ["y"])), "reads 'missing', which nothing makes");
        Refused(Simple(Small.Node("Add", ["x", "b"], ["a"]), Small.Node("Relu", ["a"], ["b"]), Small.Node("Relu", ["b"], ["y"])), "what it makes itself");
        Refused(Simple(Small.Node("Relu", ["x"], ["y"]), Small.Node("Tanh", ["x"], ["y"])), "two values are called 'y'");
        Refused(Simple(Small.Node("Relu", ["x"], ["z"])), "the output 'y' is not made");
        var old = Simple(Small.Node("Relu", ["x"], ["y"]));
        old.OpsetImport[0].Version = 6;
        Refused(old, "the operator set 6 is not supported");
        old.OpsetImport.Clear();
        Refused(old, "does not say its operator set");
        Assert.Contains("not an ONNX model", Assert.Throws<InvalidDataException>(() => OnnxModel.Load<float>("not a model at all"u8)).Message, StringComparison.Ordinal);
        Assert.Contains("there is no graph", Assert.Throws<InvalidDataException>(() => OnnxModel.Load<float>([])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nodes_may_stand_in_any_order()
    {
        var model = OnnxModel.Load<float>(Simple(Small.Node("Neg", ["a"], ["y"]), Small.Node("Relu", ["x"], ["a"])).ToByteArray());
        Assert.Equal([0, -2], model.Run(("x", Tensor<float>.From([-1, 2])))["y"].Tensor.ToArray());
    }

    [Theory]
    [InlineData("ConstantOfShape", new long[] { 1 << 20, 1 << 20 })]
    [InlineData("Expand", new long[] { 1 << 15, 1 << 15 })]
    [InlineData("Tile", new long[] { 1L << 40 })]
    [InlineData("Reshape", new long[] { long.MaxValue, long.MaxValue })]
    [InlineData("Pad", new long[] { 1L << 40, 1L << 40 })]
    [InlineData("Range", new long[] { 1L << 50 })]
    public void Sizes_beyond_the_limit_are_refused(string op, long[] sizes)
    {
        var inputs = op switch { "ConstantOfShape" => new[] { "sizes" }, "Range" => ["zero", "limit", "one"], _ => ["x", "sizes"] };
        var model = Small.Model(Small.Graph(
            [Small.Node(op, inputs, ["y"])], [Small.Anything("x"), Small.Anything("sizes", OnnxElementType.Int64), Small.Anything("limit", OnnxElementType.Int64)], [Small.Anything("y")],
            TensorProtoConversion.Write("zero", [0], new Shape()), TensorProtoConversion.Write("one", [1], new Shape())));
        var before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<InvalidDataException>(() => OnnxModel.Load<float>(model.ToByteArray()).Run(
            ("x", Tensor<float>.From([1])), ("sizes", Small.Longs(sizes)), ("limit", OnnxValue<float>.FromIntegers(sizes.AsSpan(0, 1), new Shape()))));
        Assert.Contains($"the_{op}", error.Message, StringComparison.Ordinal);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 22);
    }

    [Fact]
    public void Loops_without_an_end_are_stopped()
    {
        var body = Small.Graph(
            [Small.Node("Identity", ["c"], ["c2"])], [Small.Anything("i", OnnxElementType.Int64), Small.Anything("c", OnnxElementType.Boolean)], [Small.Anything("c2", OnnxElementType.Boolean)]);
        var model = Small.Model(Small.Graph(
            [Small.Node("Loop", [string.Empty, string.Empty], [], ("body", body)), Small.Node("Relu", ["x"], ["y"])], [Small.Anything("x")], [Small.Anything("y")]));
        var error = Assert.Throws<InvalidDataException>(() => OnnxModel.Load<float>(model.ToByteArray(), new() { MaxIterations = 100 }).Run(("x", Tensor<float>.From([1]))));
        Assert.Contains("MaxIterations", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Functions_that_call_each_other_for_ever_are_refused()
    {
        var model = Simple(Small.Node("F", ["x"], ["y"]));
        model.Graph.Node[0].Domain = "own";
        var function = new FunctionProto { Name = "F", Domain = "own" };
        function.Input.Add("a");
        function.Output.Add("b");
        var inner = Small.Node("F", ["a"], ["b"]);
        inner.Domain = "own";
        function.Node.Add(inner);
        model.Functions.Add(function);
        Refused(model, "levels deep");
    }

    [Theory]
    [InlineData("../secret.bin", "is not a file in the model's folder")]
    [InlineData("/etc/passwd", "is not a file in the model's folder")]
    [InlineData("", "is not a file in the model's folder")]
    [InlineData("missing.bin", "cannot be read")]
    [InlineData("short.bin", "ends before byte")]
    public void External_data_stay_in_the_folder_of_the_model(string location, string message)
    {
        var folder = Directory.CreateTempSubdirectory("rnn-onnx-").FullName;
        try
        {
            File.WriteAllBytes(Path.Combine(folder, "short.bin"), new byte[4]);
            var bytes = External(location).ToByteArray();
            File.WriteAllBytes(Path.Combine(folder, "model.onnx"), bytes);
            Assert.Contains(message, Assert.Throws<InvalidDataException>(() => OnnxModel.Load<float>(Path.Combine(folder, "model.onnx"))).Message, StringComparison.Ordinal);
            Assert.Contains("load the model by its path", Assert.Throws<InvalidDataException>(() => OnnxModel.Load<float>(bytes)).Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void External_data_are_read()
    {
        var folder = Directory.CreateTempSubdirectory("rnn-onnx-").FullName;
        try
        {
            File.WriteAllBytes(Path.Combine(folder, "data.bin"), [0, 0, 0, 0, .. BitConverter.GetBytes(1.5f), .. BitConverter.GetBytes(-2f)]);
            var model = External("data.bin");
            model.Graph.Initializer[0].ExternalData.Add(new StringStringEntryProto { Key = "offset", Value = "4" });
            File.WriteAllBytes(Path.Combine(folder, "model.onnx"), model.ToByteArray());
            Assert.Equal([2.5f, -1], OnnxModel.Load<float>(Path.Combine(folder, "model.onnx")).Run(("x", Tensor<float>.From([1, 1])))["y"].Tensor.ToArray());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Inputs_that_do_not_fit_are_refused_by_name()
    {
        var model = OnnxModel.Load<float>(Small.Model(Small.Graph([Small.Node("Relu", ["x"], ["y"])], [Small.Info("x", OnnxElementType.Float, "batch", 3)], [Small.Anything("y")])).ToByteArray());
        Assert.Equal("x: Float [batch, 3]", model.Inputs[0].ToString());
        Assert.Contains("x: Float [batch, 3]", Assert.Throws<ArgumentException>(() => model.Run(("x", Tensor<float>.Zeros(2, 4)))).Message, StringComparison.Ordinal);
        Assert.Contains("'z'", Assert.Throws<ArgumentException>(() => model.Run(("z", Tensor<float>.Zeros(2, 3)))).Message, StringComparison.Ordinal);
        Assert.Contains("'x' is missing", Assert.Throws<ArgumentException>(() => model.Run()).Message, StringComparison.Ordinal);
        _ = Assert.Throws<ArgumentException>(() => model.Run(("x", OnnxValue<float>.FromIntegers([1, 2, 3], 1, 3))));
        _ = Assert.Throws<ArgumentException>(() => model.CreateSession());
        Assert.Equal(new Shape(5, 3), model.CreateSession(("x", new Shape(5, 3))).OutputShape("y"));
    }

    private static ModelProto External(string location)
    {
        var tensor = new TensorProto { Name = "w", DataType = 1, DataLocation = TensorProto.Types.DataLocation.External };
        tensor.Dims.Add(2);
        tensor.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = location });
        return Small.Model(Small.Graph([Small.Node("Add", ["x", "w"], ["y"])], [Small.Anything("x")], [Small.Anything("y")], tensor));
    }

    private static ModelProto Simple(params NodeProto[] nodes) => Small.Model(Small.Graph(nodes, [Small.Anything("x")], [Small.Anything("y")]));

    private static void Refused(ModelProto model, string message) =>
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => OnnxModel.Load<float>(model.ToByteArray())).Message, StringComparison.Ordinal);

    private static void LoadAndRun(byte[] bytes)
    {
        var model = OnnxModel.Load<float>(bytes);
        var inputs = new List<(string, OnnxValue<float>)>();
        foreach (var input in model.Inputs)
        {
            Shape shape = [.. (input.Dimensions ?? [2]).Select(dimension => dimension ?? 2)];
            if (shape.ElementCount > 1 << 16)
            {
                return;
            }

            inputs.Add((input.Name, IntegerTypes.IsInteger(input.ElementType) ? OnnxValue<float>.FromIntegers(new long[shape.ElementCount], shape) : Tensor<float>.Ones(shape)));
        }

        try
        {
            _ = model.Run([.. inputs]);
        }
        catch (ArgumentException exception) when (exception.Message.StartsWith("inputs: ", StringComparison.Ordinal))
        {
            // A type that was damaged in the declaration.
        }
    }

    private static IEnumerable<ModelProto> Samples()
    {
        foreach (var kind in new[] { "RNN", "GRU", "LSTM" })
        {
            yield return RecurrentTests.Build<float>(RecurrentTests.Make(new Random(1), kind, "bidirectional", false, true, true, true, 0.5, true, true, null), true);
        }

        var body = Small.Graph(
            [Small.Node("Add", ["h", "x"], ["h2"]), Small.Node("Identity", ["c"], ["c2"]), Small.Node("Identity", ["h2"], ["s"])],
            [Small.Info("i", OnnxElementType.Int64), Small.Info("c", OnnxElementType.Boolean), Small.Info("h", OnnxElementType.Float, 2, 3)],
            [Small.Anything("c2", OnnxElementType.Boolean), Small.Anything("h2"), Small.Anything("s")]);
        yield return Small.Model(Small.Graph(
            [Small.Node("Loop", ["m", string.Empty, "x"], ["last", "all"], ("body", body))], [Small.Info("x", OnnxElementType.Float, 2, 3)], [Small.Anything("last"), Small.Anything("all")],
            TensorProtoConversion.Write("m", [3], new Shape())));
        yield return Small.Model(Small.Graph(
            [
                Small.Node("Shape", ["x"], ["shape"]), Small.Node("Gather", ["shape", "first"], ["n"]), Small.Node("Concat", ["n", "size"], ["wanted"], ("axis", 0)),
                Small.Node("ConstantOfShape", ["wanted"], ["zeros"]), Small.Node("Expand", ["zeros", "wanted"], ["wide"]), Small.Node("Tile", ["wide", "twice"], ["tiled"]),
                Small.Node("Pad", ["tiled", "pads"], ["padded"]), Small.Node("Range", ["from", "to", "by"], ["range"]), Small.Node("Reshape", ["padded", "flat"], ["y"]),
                Small.Node("Conv", ["signal", "filter"], ["convolved"], ("pads", Small.Ints(1, 1)), ("strides", Small.Ints(2)), ("dilations", Small.Ints(1))),
                Small.Node("Split", ["convolved"], ["a", "b"], ("axis", 1)), Small.Node("Slice", ["a", "start", "end"], ["z"]),
            ],
            [Small.Info("x", OnnxElementType.Float, 2, 3), Small.Info("signal", OnnxElementType.Float, 1, 2, 8)],
            [Small.Anything("y"), Small.Anything("z"), Small.Anything("range", OnnxElementType.Int64)],
            TensorProtoConversion.Write("first", [0], new Shape(1)), TensorProtoConversion.Write("size", [4], new Shape(1)), TensorProtoConversion.Write("twice", [2, 3], new Shape(2)),
            TensorProtoConversion.Write("pads", [1, 0, 0, 2], new Shape(4)), TensorProtoConversion.Write("from", [0], new Shape()), TensorProtoConversion.Write("to", [9], new Shape()),
            TensorProtoConversion.Write("by", [2], new Shape()), TensorProtoConversion.Write("flat", [-1], new Shape(1)), TensorProtoConversion.Write("start", [0], new Shape(1)),
            TensorProtoConversion.Write("end", [1], new Shape(1)), Small.Tensor("filter", Small.Random(3, 4, 2, 3))));
    }

    // Bytes flipped, cut off, put in, or numbers forged.
    private static byte[] Mutate(byte[] bytes, Random random)
    {
        for (var change = random.Next(1, 4); change > 0; change--)
        {
            var place = random.Next(bytes.Length);
            switch (random.Next(6))
            {
                case 0:
                    bytes = bytes[..place];
                    break;
                case 1:
                    bytes = [.. bytes[..place], (byte)random.Next(256), .. bytes[place..]];
                    break;
                case 2:
                    var end = Math.Min(bytes.Length, place + 9);
                    bytes.AsSpan(place, end - place).Fill(0xFF);
                    bytes[end - 1] = 0x7F;
                    break;
                case 3:
                    bytes = [.. bytes[..place], .. bytes[random.Next(bytes.Length)..]];
                    break;
                default:
                    bytes[place] ^= (byte)(1 << random.Next(8));
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
