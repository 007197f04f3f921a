using Google.Protobuf;
using Rnn.Onnx.Schema;
using Rnn.Onnx.Tests.Support;
using Rnn.Tensors;

namespace Rnn.Onnx.Tests.Import;

/// <summary>Files whose numbers ask for more than any machine has: each is refused before memory is taken.</summary>
public class HostileTests
{
    private static readonly Dictionary<string, ModelProto> Models = new()
    {
        ["Einsum of an outer product"] = Of(Small.Node("Einsum", ["long", "long", "long"], ["y"], ("equation", "a,b,c->abc"))),
        ["Einsum of many dimensions"] = Of(Small.Node("Einsum", ["x", "x"], ["y"], ("equation", "ab,cd->abcdefghijklmnopqrstuvwxyz"))),
        ["Einsum of no equation"] = Of(Small.Node("Einsum", ["x"], ["y"], ("equation", "->->,,...."))),
        ["Resize to a scale without bounds"] = Of(Small.Node("Resize", ["x", "", "infinite"], ["y"])),
        ["Resize to a huge scale"] = Of(Small.Node("Resize", ["x", "", "huge"], ["y"])),
        ["Resize to sizes below zero"] = Of(Small.Node("Resize", ["x", "", "", "negative"], ["y"])),
        ["Resize to nothing"] = Of(Small.Node("Resize", ["x", "", "", "zeros"], ["y"])),
        ["SplitToSequence in too many parts"] = Of(Small.Node("SplitToSequence", ["x", "sizes"], ["s"]), Small.Node("SequenceAt", ["s", "one"], ["y"])),
        ["Conv of huge pads"] = Of(Small.Node("Conv", ["signal", "filter"], ["y"], ("pads", Small.Ints(int.MaxValue, int.MaxValue)))),
        ["Conv of a stride of zero"] = Of(Small.Node("Conv", ["signal", "filter"], ["y"], ("strides", Small.Ints(0)))),
        ["Conv of pads below zero"] = Of(Small.Node("Conv", ["signal", "filter"], ["y"], ("pads", Small.Ints(-90, -90)))),
        ["Conv of no groups"] = Of(Small.Node("Conv", ["signal", "filter"], ["y"], ("group", 0))),
        ["ConvTranspose of huge strides"] = Of(Small.Node("ConvTranspose", ["signal", "backward"], ["y"], ("strides", Small.Ints(int.MaxValue)))),
        ["ConvTranspose of huge output padding"] = Of(Small.Node("ConvTranspose", ["signal", "backward"], ["y"], ("output_padding", Small.Ints(int.MaxValue)))),
        ["MaxPool of a huge kernel"] = Of(Small.Node("MaxPool", ["signal"], ["y"], ("kernel_shape", Small.Ints(int.MaxValue)))),
        ["MaxPool of huge pads"] = Of(Small.Node("MaxPool", ["signal"], ["y"], ("kernel_shape", Small.Ints(int.MaxValue)), ("pads", Small.Ints(int.MaxValue - 1, int.MaxValue - 1)))),
        ["AveragePool of a kernel below zero"] = Of(Small.Node("AveragePool", ["signal"], ["y"], ("kernel_shape", Small.Ints(-3)))),
        ["LSTM of a huge hidden size"] = Of(Small.Node("LSTM", ["signal", "w", "w"], ["y"], ("hidden_size", int.MaxValue))),
        ["GRU of a hidden size below zero"] = Of(Small.Node("GRU", ["signal", "w", "w"], ["y"], ("hidden_size", -1))),
        ["OneHot of a huge depth"] = Of(Small.Node("OneHot", ["sizes", "big", "pair"], ["y"])),
        ["TopK of more than there are"] = Of(Small.Node("TopK", ["x", "sizes"], ["y", "i"])),
        ["Range of a step of zero"] = Of(Small.Node("Range", ["one", "big", "zero"], ["y"])),
        ["Transpose of an axis twice"] = Of(Small.Node("Transpose", ["x"], ["y"], ("perm", Small.Ints(0, 0)))),
        ["Gather out of range"] = Of(Small.Node("Gather", ["x", "sizes"], ["y"])),
        ["MatMul of an outer product"] = Of(Small.Node("Unsqueeze", ["long", "one1"], ["column"]), Small.Node("Unsqueeze", ["long", "zero1"], ["row"]), Small.Node("MatMul", ["column", "row"], ["y"])),
        ["Add of an outer sum"] = Of(Small.Node("Unsqueeze", ["long", "one1"], ["column"]), Small.Node("Add", ["column", "long"], ["y"])),
        ["Concat of doublings"] = Of([Small.Node("Concat", ["long", "long"], ["a0"], ("axis", 0)), .. Enumerable.Range(1, 40).Select(i => Small.Node("Concat", [$"a{i - 1}", $"a{i - 1}"], [$"a{i}"], ("axis", 0))), Small.Node("Identity", ["a40"], ["y"])]),
        ["Loop without a body"] = Of(Small.Node("Loop", ["one", ""], ["y"])),
        ["If without a branch"] = Of(Small.Node("If", ["truth"], ["y"])),
        ["Scan of a body without outputs"] = Of(Small.Node("Scan", ["x"], ["y"], ("num_scan_inputs", 1), ("body", Small.Graph([], [Small.Anything("row")], [])))),
        ["Loop with a body of the wrong inputs"] = Of(Small.Node("Loop", ["one", "", "x"], ["y"], ("body", Small.Graph([], [], [])))),
    };

    public static TheoryData<string> Names => [.. Models.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Each_is_refused_with_little_memory(string name)
    {
        var bytes = Models[name].ToByteArray();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<InvalidDataException>(() => OnnxModel.Load<float>(bytes).Run(("x", Tensor<float>.Ones(2, 3))));
        Assert.Contains("node '", error.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 256 << 20);
        Assert.Throws<InvalidDataException>(() => OnnxModel.Load<float>(bytes).CreateSession(("x", new Shape(2, 3))));
    }

    [Theory]
    [InlineData(1L << 40)]
    [InlineData(-4L)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public void Initialisers_of_impossible_sizes_are_refused(long size)
    {
        foreach (var repeated in new[] { 1, 2, 40 })
        {
            var tensor = new TensorProto { Name = "w", DataType = 1 };
            tensor.Dims.AddRange(Enumerable.Repeat(size, repeated));
            var model = Of(Small.Node("Add", ["x", "w"], ["y"]));
            model.Graph.Initializer.RemoveAt(model.Graph.Initializer.ToList().FindIndex(other => other.Name == "w"));
            model.Graph.Initializer.Add(tensor);
            Assert.Throws<InvalidDataException>(() => OnnxModel.Load<float>(model.ToByteArray()));
        }
    }

    [Theory]
    [InlineData(10)]
    [InlineData(200)]
    public void Branches_in_branches_end_in_a_result_or_a_reason(int depth)
    {
        var graph = Small.Graph([Small.Node("Neg", ["x"], ["inner"])], [], [Small.Anything("inner")]);
        for (var i = 0; i < depth; i++)
        {
            graph = Small.Graph([Small.Node("If", ["condition"], [$"v{i}"], ("then_branch", graph), ("else_branch", Small.Graph([Small.Node("Abs", ["x"], [$"e{i}"])], [], [Small.Anything($"e{i}")])))], [], [Small.Anything($"v{i}")]);
        }

        graph.Input.Add(Small.Anything("x"));
        graph.Input.Add(Small.Info("condition", OnnxElementType.Boolean));
        var bytes = Small.Model(graph).ToByteArray();
        if (depth > 100)
        {
            Assert.Contains("not an ONNX model", Assert.Throws<InvalidDataException>(() => OnnxModel.Load<float>(bytes)).Message, StringComparison.Ordinal);
            return;
        }

        var y = OnnxModel.Load<float>(bytes).Run(("x", Tensor<float>.From([1, -2])), ("condition", OnnxValue<float>.FromBooleans([true], new Shape())))[$"v{depth - 1}"];
        Assert.Equal([-1, 2], y.Tensor.ToArray());
    }

    [Fact]
    public void Functions_that_unfold_without_bounds_are_refused()
    {
        var model = Of(Small.Node("f0", ["x"], ["y"]));
        model.Graph.Node[0].Domain = "own";
        for (var i = 0; i < 30; i++)
        {
            var function = new FunctionProto { Name = $"f{i}", Domain = "own" };
            function.Input.Add("a");
            function.Output.Add("c");
            function.Node.Add(Small.Node($"f{i + 1}", ["a"], ["b"]));
            function.Node.Add(Small.Node($"f{i + 1}", ["b"], ["c"]));
            foreach (var node in function.Node)
            {
                (node.Domain, node.OpType) = i < 29 ? ("own", node.OpType) : (string.Empty, "Neg");
            }

            model.Functions.Add(function);
        }

        Assert.Contains("too many nodes", Assert.Throws<InvalidDataException>(() => OnnxModel.Load<float>(model.ToByteArray())).Message, StringComparison.Ordinal);
    }

    private static ModelProto Of(params NodeProto[] nodes) => Small.Model(Small.Graph(
        nodes, [Small.Anything("x")], [Small.Anything("y")],
        Small.Tensor("long", Small.Random(1, 100_000)), Small.Tensor("signal", Small.Random(2, 1, 2, 9)), Small.Tensor("filter", Small.Random(3, 4, 2, 3)), Small.Tensor("backward", Small.Random(3, 2, 4, 3)),
        Small.Tensor("w", Small.Random(4, 1, 4, 2)), Small.Tensor("pair", Small.Random(5, 2)), Small.Tensor<float>("infinite", Tensor<float>.From([1, float.PositiveInfinity])),
        Small.Tensor<float>("huge", Tensor<float>.From([1, 1e12f])), Small.Tensor("negative", Small.Longs(2, -5)), Small.Tensor("zeros", Small.Longs(0, 3)), Small.Tensor("sizes", Small.Longs(1L << 40)),
        Small.Tensor("one1", Small.Longs(1)), Small.Tensor("zero1", Small.Longs(0)), Small.Tensor("big", OnnxValue<float>.FromIntegers([1L << 40], new Shape())),
        Small.Tensor("one", OnnxValue<float>.FromIntegers([1L], new Shape())), Small.Tensor("zero", OnnxValue<float>.FromIntegers([0L], new Shape())), Small.Tensor("truth", OnnxValue<float>.FromBooleans([true], new Shape()))));
}
