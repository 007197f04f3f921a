using Google.Protobuf;
using Rnn.Onnx.Schema;
using Rnn.Onnx.Tests.Support;
using Rnn.Tensors;

namespace Rnn.Onnx.Tests.Import;

/// <summary>Lists of tensors, as exporters write them for lists of outputs.</summary>
public class SequenceTests
{
    private static readonly OnnxValue<float> Input = Small.Random(1, 5, 2, 3);

    // h = tanh(h + x[i]·w) over the rows of x; every h is put into a list, at its end or at its beginning.
    private static ModelProto Loop(bool first)
    {
        NodeProto[] body =
        [
            Small.Node("SequenceAt", ["rows", "i"], ["row"]), Small.Node("MatMul", ["row", "w"], ["product"]), Small.Node("Add", ["h", "product"], ["sum"]), Small.Node("Tanh", ["sum"], ["next"]),
            Small.Node("SequenceInsert", first ? ["list", "next", "zero"] : ["list", "next"], ["longer"]), Small.Node("Identity", ["goes"], ["goes_on"]),
        ];
        return Small.Model(Small.Graph(
            [
                Small.Node("SplitToSequence", ["x", "one"], ["rows"], ("axis", 0), ("keepdims", 0)), Small.Node("SequenceLength", ["rows"], ["count"]), Small.Node("SequenceEmpty", [], ["empty"]),
                Small.Node("Loop", ["count", string.Empty, "empty", "h0"], ["all", "last"], ("body", Small.Graph(
                    body,
                    [Small.Info("i", OnnxElementType.Int64), Small.Info("goes", OnnxElementType.Boolean), List("list"), Small.Anything("h")],
                    [Small.Anything("goes_on", OnnxElementType.Boolean), List("longer"), Small.Anything("next")]))),
                Small.Node("ConcatFromSequence", ["all"], ["y"], ("axis", 1), ("new_axis", 1)),
            ],
            [Small.Anything("x"), Small.Anything("h0")], [Small.Anything("y"), Small.Anything("last")],
            TensorProtoConversion.Write("zero", [0], new Shape()), TensorProtoConversion.Write("one", [1], new Shape()), Small.Tensor("w", Small.Random(5, 3, 4))));
    }

    private static ValueInfoProto List(string name) =>
        new() { Name = name, Type = new() { SequenceType = new() { ElemType = new() { TensorType = new() { ElemType = (int)OnnxElementType.Float } } } } };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_loop_that_collects_a_list_agrees_with_another_runtime(bool first)
    {
        (string, OnnxValue<float>)[] inputs = [("x", Input), ("h0", Small.Random(6, 2, 4))];
        var expected = OtherRuntime.Run(Loop(first), inputs);
        var model = OnnxModel.Load<float>(Loop(first).ToByteArray());
        var found = model.Run(inputs);
        Compare.Same(expected[0], found["y"], 1e-6, "list");
        Compare.Same(expected[1], found["last"], 1e-6, "last");

        var session = model.CreateSession(("x", Input.Shape), ("h0", new Shape(2, 4)));
        session.Run();
        session.SetInput("x", Input.Tensor.AsReadOnlySpan());
        session.SetInput("h0", inputs[1].Item2.Tensor.AsReadOnlySpan());
        session.Run();
        Compare.Same(expected[0], (OnnxValue<float>)Tensor<float>.From(session.GetOutput("y"), session.OutputShape("y")), 1e-6, "list in a session");

        var outputs = model.Forward(inputs);
        outputs["y"].Tensor.Sum().Backward();
        Assert.All(model.Parameters, parameter => Assert.Contains(parameter.Value.Gradient!.ToArray(), value => value != 0));
    }

    public static TheoryData<string, string> Operators => new()
    {
        { "parts of two", "split 2" }, { "parts by length", "split 1,3,1" }, { "along another axis", "split axis" }, { "one step each", "split none" }, { "erased", "erase" }, { "inserted", "insert" },
    };

    [Theory]
    [MemberData(nameof(Operators))]
    public void Lists_agree_with_another_runtime(string what, string form)
    {
        NodeProto[] nodes = form switch
        {
            "split 2" => [Small.Node("SplitToSequence", ["x", "two"], ["list"]), Small.Node("SequenceAt", ["list", "last"], ["y"])],
            "split 1,3,1" => [Small.Node("SplitToSequence", ["x", "parts"], ["list"]), Small.Node("ConcatFromSequence", ["list"], ["y"], ("axis", 0))],
            "split axis" => [Small.Node("SplitToSequence", ["x"], ["list"], ("axis", -1)), Small.Node("ConcatFromSequence", ["list"], ["y"], ("axis", -1), ("new_axis", 1))],
            "split none" => [Small.Node("SplitToSequence", ["x"], ["list"], ("keepdims", 0)), Small.Node("SequenceAt", ["list", "two"], ["y"])],
            "erase" => [Small.Node("SequenceConstruct", ["x", "z", "x"], ["list"]), Small.Node("SequenceErase", ["list", "last"], ["shorter"]), Small.Node("ConcatFromSequence", ["shorter"], ["y"], ("axis", 0))],
            _ => [Small.Node("SequenceConstruct", ["x", "z"], ["list"]), Small.Node("SequenceInsert", ["list", "z", "last"], ["longer"]), Small.Node("ConcatFromSequence", ["longer"], ["y"], ("axis", 0))],
        };
        var proto = Small.Model(Small.Graph(
            nodes, [Small.Anything("x"), Small.Anything("z")], [Small.Anything("y")],
            TensorProtoConversion.Write("two", [2], new Shape()), TensorProtoConversion.Write("last", [-1], new Shape()), TensorProtoConversion.Write("parts", [1, 3, 1], new Shape(3))));
        (string, OnnxValue<float>)[] inputs = [("x", Input), ("z", Small.Random(2, 1, 2, 3))];
        Compare.Same(OtherRuntime.Run(proto, inputs)[0], OnnxModel.Load<float>(proto.ToByteArray()).Run(inputs)["y"], 0, what);
    }

    [Fact]
    public void Lists_that_cannot_be_are_refused()
    {
        static string Refused(params NodeProto[] nodes)
        {
            var proto = Small.Model(Small.Graph(
                nodes, [Small.Anything("x")], [Small.Anything("y")], TensorProtoConversion.Write("nine", [9], new Shape()), TensorProtoConversion.Write("none", [0], new Shape())));
            return Assert.Throws<InvalidDataException>(() => OnnxModel.Load<float>(proto.ToByteArray()).Run(("x", Input))).Message;
        }

        Assert.Contains("no place [9] in a list of 1", Refused(Small.Node("SequenceConstruct", ["x"], ["s"]), Small.Node("SequenceAt", ["s", "nine"], ["y"])), StringComparison.Ordinal);
        Assert.Contains("the list is empty", Refused(Small.Node("SequenceEmpty", [], ["s"]), Small.Node("ConcatFromSequence", ["s"], ["y"], ("axis", 0))), StringComparison.Ordinal);
        Assert.Contains("expected a list", Refused(Small.Node("SequenceLength", ["x"], ["y"])), StringComparison.Ordinal);
        Assert.Contains("a list of 1 tensors", Refused(Small.Node("SequenceConstruct", ["x"], ["s"]), Small.Node("Relu", ["s"], ["y"])), StringComparison.Ordinal);
        Assert.Contains("a list of 1 tensors", Refused(Small.Node("SequenceConstruct", ["x"], ["y"])), StringComparison.Ordinal);
        Assert.Contains("parts of 0", Refused(Small.Node("SplitToSequence", ["x", "none"], ["s"]), Small.Node("SequenceAt", ["s", "none"], ["y"])), StringComparison.Ordinal);
    }

    [Fact]
    public void Loops_do_not_fill_the_memory_with_a_list()
    {
        var body = Small.Graph(
            [Small.Node("Neg", ["x"], ["item"]), Small.Node("SequenceInsert", ["list", "item"], ["longer"]), Small.Node("Identity", ["goes"], ["goes_on"])],
            [Small.Info("i", OnnxElementType.Int64), Small.Info("goes", OnnxElementType.Boolean), List("list")], [Small.Anything("goes_on", OnnxElementType.Boolean), List("longer")]);
        var proto = Small.Model(Small.Graph(
            [Small.Node("SequenceEmpty", [], ["empty"]), Small.Node("Loop", [string.Empty, string.Empty, "empty"], ["all"], ("body", body)), Small.Node("SequenceLength", ["all"], ["y"])],
            [Small.Anything("x")], [Small.Anything("y", OnnxElementType.Int64)]));
        var error = Assert.Throws<InvalidDataException>(() => OnnxModel.Load<float>(proto.ToByteArray(), new() { MaxElements = 10_000 }).Run(("x", Input)));
        Assert.Contains("MaxElements", error.Message, StringComparison.Ordinal);
    }
}
