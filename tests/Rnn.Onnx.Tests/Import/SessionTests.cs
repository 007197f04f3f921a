using Google.Protobuf;
using Rnn.Onnx.Schema;
using Rnn.Onnx.Tests.Support;
using Rnn.Tensors;

namespace Rnn.Onnx.Tests.Import;

/// <summary>Sessions of small models: the numbers of a run, from the second on without allocating.</summary>
public class SessionTests
{
    private static readonly OnnxValue<float> Signal = Small.Random(1, 2, 4, 9);
    private static readonly OnnxValue<float> Picture = Small.Random(2, 1, 4, 5, 6);
    private static readonly OnnxValue<float> Steps = Small.Random(3, 12, 2, 3);

    private static readonly Dictionary<string, (ModelProto Model, OnnxValue<float>[] Inputs)> Models = new()
    {
        ["grouped convolution"] = Of([Small.Node("Conv", ["x0", "w", "b"], ["y"], ("group", 2), ("pads", Small.Ints(1, 2)))], [Signal], ("w", Small.Random(4, 6, 2, 3)), ("b", Small.Random(5, 6))),
        ["convolution of every channel in two dimensions"] = Of([Small.Node("Conv", ["x0", "w"], ["y"], ("group", 4), ("strides", Small.Ints(2, 1)))], [Picture], ("w", Small.Random(4, 8, 1, 3, 2))),
        ["transposed convolution"] = Of([Small.Node("ConvTranspose", ["x0", "w", "b"], ["y"], ("strides", Small.Ints(3)), ("pads", Small.Ints(1, 0)), ("output_padding", Small.Ints(1)))], [Signal], ("w", Small.Random(4, 4, 3, 4)), ("b", Small.Random(5, 3))),
        ["transposed convolution in groups"] = Of([Small.Node("ConvTranspose", ["x0", "w"], ["y"], ("group", 2), ("strides", Small.Ints(2, 1)), ("dilations", Small.Ints(1, 2)))], [Picture], ("w", Small.Random(4, 4, 3, 3, 2))),
        ["largest of a window"] = Of([Small.Node("MaxPool", ["x0"], ["y"], ("kernel_shape", Small.Ints(3, 2)), ("pads", Small.Ints(1, 0, 1, 1)), ("strides", Small.Ints(2, 2)))], [Picture]),
        ["mean of a window"] = Of([Small.Node("AveragePool", ["x0"], ["y"], ("kernel_shape", Small.Ints(3)), ("pads", Small.Ints(1, 1)))], [Signal]),
        ["Einstein's sum"] = Of([Small.Node("Einsum", ["x0", "w"], ["y"], ("equation", "nct,cto->tno"))], [Signal], ("w", Small.Random(4, 4, 9, 5))),
        ["Einstein's sum of inputs"] = Of([Small.Node("Einsum", ["x0", "x1"], ["y"], ("equation", "bct,bdt->bcd"))], [Signal, Small.Random(9, 2, 3, 9)]),
        ["layer in both directions"] = Of([Small.Node("GRU", ["x0", "w", "r", "b"], ["y", "h"], ("hidden_size", 4), ("direction", "bidirectional"), ("linear_before_reset", 1))], [Steps], ("w", Small.Random(4, 2, 12, 3)), ("r", Small.Random(5, 2, 12, 4)), ("b", Small.Random(6, 2, 24))),
        ["layer that runs back"] = Of([Small.Node("LSTM", ["x0", "w", "r"], ["y", "h", "c"], ("hidden_size", 4), ("direction", "reverse"))], [Steps], ("w", Small.Random(4, 1, 16, 3)), ("r", Small.Random(5, 1, 16, 4))),
        ["scan"] = Of([Small.Node("Scan", ["x1", "x0"], ["s", "y"], ("num_scan_inputs", 1), ("body", ScanBody()), ("scan_input_directions", Small.Ints(1)), ("scan_output_axes", Small.Ints(1)))], [Steps, Small.Random(8, 2, 3)], ("w", Small.Random(4, 3, 3))),
        ["loop that counts"] = Of([Small.Node("Loop", ["twelve", "", "x1"], ["s", "y"], ("body", LoopBody(endless: true)))], [Steps, Small.Random(8, 2, 3)], ("w", Small.Random(4, 3, 3))),
        ["loop until"] = Of([Small.Node("Loop", ["twelve", "", "x1"], ["s"], ("body", LoopBody(endless: false)))], [Steps, Small.Random(8, 2, 3)], ("w", Small.Random(4, 3, 3))),
        ["largest one, and a choice by it"] = Of(
            [
                Small.Node("ArgMax", ["x0"], ["best"], ("axis", 1), ("keepdims", 0)), Small.Node("Greater", ["x0", "zero"], ["positive"]), Small.Node("Where", ["positive", "x0", "zero"], ["kept"]),
                Small.Node("Cast", ["best"], ["number"], ("to", 1)), Small.Node("Unsqueeze", ["number", "one"], ["wide"]), Small.Node("Add", ["kept", "wide"], ["y"]),
            ],
            [Signal], ("zero", Tensor<float>.Scalar(0))),
        ["means and softmax over the middle"] = Of(
            [Small.Node("ReduceMean", ["x0"], ["mean"], ("axes", Small.Ints(1))), Small.Node("Sub", ["x0", "mean"], ["centred"]), Small.Node("Softmax", ["centred"], ["y"], ("axis", 1))], [Signal]),
        ["normalised channels"] = Of([Small.Node("InstanceNormalization", ["x0", "w", "b"], ["n"]), Small.Node("PRelu", ["n", "slope"], ["y"])], [Signal], ("w", Small.Random(4, 4)), ("b", Small.Random(5, 4)), ("slope", Small.Random(6, 4, 1))),
        ["spectrum"] = Of([Small.Node("STFT", ["x0", "four", "window"], ["y"])], [Small.Random(7, 2, 30, 1)], ("window", Small.Random(8, 10))),
        ["branch"] = Of(
            [Small.Node("ReduceMax", ["x0"], ["most"], ("keepdims", 0)), Small.Node("Greater", ["most", "zero"], ["which"]), Small.Node("If", ["which"], ["y"], ("then_branch", Branch("Tanh")), ("else_branch", Branch("Neg")))],
            [Signal], ("zero", Tensor<float>.Scalar(0.2f))),
    };

    public static TheoryData<string> Names => [.. Models.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_session_gives_the_numbers_of_a_run_and_allocates_nothing(string name)
    {
        var (proto, inputs) = Models[name];
        var model = OnnxModel.Load<float>(proto.ToByteArray());
        (string, OnnxValue<float>)[] given = [.. inputs.Select((input, i) => ($"x{i}", input))];
        var expected = OtherRuntime.Run(proto, given);
        var session = model.CreateSession([.. given.Select(pair => (pair.Item1, pair.Item2.Shape))]);
        Assert.True(session.IsAllocationFree);
        for (var run = 0; run < 2; run++)
        {
            foreach (var (input, value) in given)
            {
                session.SetInput(input, value.Tensor.AsReadOnlySpan());
            }

            session.Run();
            for (var i = 0; i < expected.Count; i++)
            {
                var output = model.Outputs[i].Name;
                Compare.Same(expected[i], (OnnxValue<float>)Tensor<float>.From(session.GetOutput(output), session.OutputShape(output)), 1e-5, $"{name}: {output}");
                Compare.Same(expected[i], model.Run(given)[output], 1e-5, $"{name}: {output} of a run");
            }
        }

        // Scratch memory of other tests is let go after collections: one pass of several must be free of them.
        var least = long.MaxValue;
        for (var pass = 0; pass < 5 && least > 0; pass++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 20; i++)
            {
                session.Run();
            }

            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }

    [Fact]
    public void Weights_that_change_are_seen_by_the_next_run()
    {
        foreach (var name in Models.Keys.Where(name => name.Contains("convolution", StringComparison.Ordinal)))
        {
            var (proto, inputs) = Models[name];
            var model = OnnxModel.Load<float>(proto.ToByteArray());
            var session = model.CreateSession(("x0", inputs[0].Shape));
            session.SetInput("x0", inputs[0].Tensor.AsReadOnlySpan());
            session.Run();
            using (var edit = model.NamedParameters.Single(parameter => parameter.Key == "w").Value.Value.Edit())
            {
                edit.Span[0] += 2;
            }

            session.Run();
            Compare.Same(model.Run(("x0", inputs[0]))["y"], (OnnxValue<float>)Tensor<float>.From(session.GetOutput("y"), session.OutputShape("y")), 1e-6, name);
        }
    }

    [Fact]
    public void A_bias_is_added_to_a_product_only_where_nothing_else_reads_it()
    {
        // The product is read again under another shape, and by a branch and behind it.
        var shape = TensorProtoConversion.Write("shape", [3, 4], new Shape(2));
        ModelProto[] protos =
        [
            Small.Model(Small.Graph(
                [Small.Node("MatMul", ["x0", "w"], ["p"]), Small.Node("Reshape", ["p", "shape"], ["q"]), Small.Node("Add", ["p", "b"], ["y"]), Small.Node("Neg", ["q"], ["z"])],
                [Small.Anything("x0")], [Small.Anything("y"), Small.Anything("z")], Small.Tensor("w", Small.Random(1, 3, 6)), Small.Tensor("b", Small.Random(2, 6)), shape)),
            Small.Model(Small.Graph(
                [
                    Small.Node("MatMul", ["x0", "w"], ["p"]),
                    Small.Node("If", ["true"], ["y"], ("then_branch", Small.Graph([Small.Node("Add", ["p", "b"], ["inner"])], [], [Small.Anything("inner")])), ("else_branch", Small.Graph([Small.Node("Neg", ["p"], ["inner"])], [], [Small.Anything("inner")]))),
                    Small.Node("Neg", ["p"], ["z"]),
                ],
                [Small.Anything("x0")], [Small.Anything("y"), Small.Anything("z")], Small.Tensor("w", Small.Random(1, 3, 6)), Small.Tensor("b", Small.Random(2, 6)), Small.Tensor("true", OnnxValue<float>.FromBooleans([true], new Shape())))),
        ];
        foreach (var proto in protos)
        {
            var (model, input) = (OnnxModel.Load<float>(proto.ToByteArray()), Small.Random(3, 2, 3));
            var session = model.CreateSession(("x0", input.Shape));
            session.SetInput("x0", input.Tensor.AsReadOnlySpan());
            session.Run();
            foreach (var (output, value) in model.Run(("x0", input)))
            {
                Compare.Same(value, (OnnxValue<float>)Tensor<float>.From(session.GetOutput(output), session.OutputShape(output)), 1e-6, output);
            }
        }
    }

    [Fact]
    public void Inputs_that_never_change_choose_a_branch_once()
    {
        // Of the two branches only one fits the shape, as where a model has a network for each sampling rate.
        var proto = Small.Model(Small.Graph(
            [
                Small.Node("Equal", ["rate", "wide"], ["isWide"]),
                Small.Node("If", ["isWide"], ["y"], ("then_branch", Small.Graph([Small.Node("MatMul", ["x", "a"], ["t"])], [], [Small.Anything("t")])), ("else_branch", Small.Graph([Small.Node("MatMul", ["x", "b"], ["e"])], [], [Small.Anything("e")]))),
            ],
            [Small.Anything("x"), Small.Anything("rate", OnnxElementType.Int64)], [Small.Anything("y")],
            Small.Tensor("a", Small.Random(1, 6, 2)), Small.Tensor("b", Small.Random(2, 3, 2)), TensorProtoConversion.Write("wide", [16000], new Shape())));
        var model = OnnxModel.Load<float>(proto.ToByteArray());
        var x = Small.Random(3, 1, 6);
        var rate = OnnxValue<float>.FromIntegers([16000L], new Shape());
        var expected = model.Run(("x", x), ("rate", rate))["y"];
        var constant = model.CreateSession([("rate", rate)], ("x", x.Shape));
        var output = new float[2];
        constant.Step(x.Tensor.AsReadOnlySpan(), output);
        Compare.Same(expected, (OnnxValue<float>)Tensor<float>.From(output, 1, 2), 1e-6, "constant");
        Assert.Contains("'rate' is a constant", Assert.Throws<ArgumentException>(() => constant.SetIntegers("rate", [8000])).Message, StringComparison.Ordinal);

        // Set at run time: the branch that does not fit is an error when it is taken.
        var open = model.CreateSession(("x", x.Shape), ("rate", new Shape()));
        open.SetInput("x", x.Tensor.AsReadOnlySpan());
        open.SetIntegers("rate", [16000]);
        open.Run();
        Compare.Same(expected, (OnnxValue<float>)Tensor<float>.From(open.GetOutput("y"), open.OutputShape("y")), 1e-6, "open");
        Assert.True(open.IsAllocationFree);
        open.SetIntegers("rate", [8000]);
        Assert.Contains("MatMul", Assert.Throws<InvalidDataException>(open.Run).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Random_numbers_are_new_in_every_run_and_of_the_distribution_that_the_node_says()
    {
        var proto = Small.Model(Small.Graph(
            [Small.Node("RandomNormalLike", ["x"], ["n"], ("mean", 3f), ("scale", 0.5f)), Small.Node("RandomUniform", [], ["u"], ("low", -2f), ("high", 2f), ("shape", Small.Ints(4000))), Small.Node("Bernoulli", ["half"], ["b"])],
            [Small.Anything("x")], [Small.Anything("n"), Small.Anything("u"), Small.Anything("b")], Small.Tensor<float>("half", Tensor<float>.Full(0.25f, 4000))));
        var model = OnnxModel.Load<float>(proto.ToByteArray());
        OnnxValue<float> x = Tensor<float>.Zeros(4000);
        var (first, second) = (model.Run(("x", x)), model.Run(("x", x)));
        foreach (var (output, mean, deviation) in new[] { ("n", 3.0, 0.5), ("u", 0.0, 4 / Math.Sqrt(12)), ("b", 0.25, Math.Sqrt(0.1875)) })
        {
            var values = first[output].Tensor.ToArray();
            Assert.NotEqual(values, second[output].Tensor.ToArray());
            Assert.Equal(mean, values.Average(), 0.1);
            Assert.Equal(deviation, Math.Sqrt(values.Average(value => (value - mean) * (value - mean))), 0.1);
        }

        var session = model.CreateSession(("x", x.Shape));
        session.Run();
        var before = session.GetOutput("u").ToArray();
        session.Run();
        Assert.NotEqual(before, session.GetOutput("u").ToArray());
    }

    [Fact]
    public void Quantised_layers_agree_with_another_runtime_within_their_rounding()
    {
        var random = new Random(4);
        OnnxValue<float> Quantised(params int[] shape) => new([.. Enumerable.Range(0, new Shape(shape).ElementCount).Select(_ => (long)random.Next(-127, 128))], new(shape), OnnxElementType.Int8);
        var node = Small.Node("DynamicQuantizeLSTM", ["x", "w", "r", "b", "", "", "", "", "ws", "wz", "rs", "rz"], ["y", "h", "c"], ("hidden_size", 4), ("direction", "bidirectional"));
        node.Domain = "com.microsoft";
        var gelu = Small.Node("Gelu", ["y"], ["g"]);
        gelu.Domain = "com.microsoft";
        var proto = Small.Model(Small.Graph(
            [node, gelu], [Small.Anything("x")], [Small.Anything("g"), Small.Anything("h"), Small.Anything("c")],
            Small.Tensor("w", Quantised(2, 3, 16)), Small.Tensor("r", Quantised(2, 4, 16)), Small.Tensor("b", Small.Random(5, 2, 32)),
            Small.Tensor<float>("ws", Tensor<float>.From([0.005f, 0.004f])), Small.Tensor("wz", new OnnxValue<float>([0, 0], new(2), OnnxElementType.Int8)),
            Small.Tensor<float>("rs", Tensor<float>.From([0.003f, 0.004f])), Small.Tensor("rz", new OnnxValue<float>([0, 0], new(2), OnnxElementType.Int8))));
        proto.OpsetImport.Add(new OperatorSetIdProto { Domain = "com.microsoft", Version = 1 });
        var expected = OtherRuntime.Run(proto, ("x", Steps));
        var model = OnnxModel.Load<float>(proto.ToByteArray());
        var found = model.Run(("x", Steps));
        for (var i = 0; i < expected.Count; i++)
        {
            // The other rounds inputs and states to 8 bits, which is not done here.
            Compare.Same(expected[i], found[model.Outputs[i].Name], 0.02, model.Outputs[i].Name);
        }

        var session = model.CreateSession(("x", Steps.Shape));
        Assert.True(session.IsAllocationFree);
    }

    private static GraphProto Branch(string op) => Small.Graph([Small.Node(op, ["x0"], ["result"])], [], [Small.Anything("result")]);

    // h = tanh(h·w + x)
    private static GraphProto ScanBody() => Small.Graph(
        [Small.Node("MatMul", ["h", "w"], ["product"]), Small.Node("Add", ["product", "x"], ["sum"]), Small.Node("Tanh", ["sum"], ["next"]), Small.Node("Identity", ["next"], ["out"])],
        [Small.Info("h", OnnxElementType.Float, 2, 3), Small.Info("x", OnnxElementType.Float, 2, 3)], [Small.Info("next", OnnxElementType.Float, 2, 3), Small.Info("out", OnnxElementType.Float, 2, 3)]);

    private static GraphProto LoopBody(bool endless) => Small.Graph(
        [
            Small.Node("Gather", ["x0", "i"], ["x"]), Small.Node("MatMul", ["h", "w"], ["product"]), Small.Node("Add", ["product", "x"], ["sum"]), Small.Node("Tanh", ["sum"], ["next"]),
            .. endless
                ? new[] { Small.Node("Identity", ["goes"], ["goes_on"]), Small.Node("Neg", ["next"], ["out"]) }
                : [Small.Node("ReduceSum", ["next"], ["total"], ("keepdims", 0)), Small.Node("Less", ["total", "three"], ["goes_on"])],
        ],
        [Small.Info("i", OnnxElementType.Int64), Small.Info("goes", OnnxElementType.Boolean), Small.Anything("h")],
        endless ? [Small.Anything("goes_on", OnnxElementType.Boolean), Small.Anything("next"), Small.Anything("out")] : [Small.Anything("goes_on", OnnxElementType.Boolean), Small.Anything("next")]);

    private static (ModelProto, OnnxValue<float>[]) Of(NodeProto[] nodes, OnnxValue<float>[] inputs, params (string Name, OnnxValue<float> Value)[] constants)
    {
        TensorProto[] numbers =
        [
            TensorProtoConversion.Write("twelve", [12], new Shape()), TensorProtoConversion.Write("one", [1], new Shape(1)), TensorProtoConversion.Write("four", [4], new Shape()),
            Small.Tensor<float>("three", Tensor<float>.Scalar(0.5f)), .. constants.Select(constant => Small.Tensor(constant.Name, constant.Value)),
        ];
        string[] last = [.. nodes[^1].Output.Where(name => name.Length > 0)];
        var read = nodes.SelectMany(node => node.Input.Concat(node.Attribute.Where(attribute => attribute.G is not null).SelectMany(attribute => attribute.G.Node.SelectMany(inner => inner.Input)))).ToHashSet();
        return (Small.Model(Small.Graph(
            nodes, inputs.Select((input, i) => Small.Anything($"x{i}", input.ElementType)), last.Select(name => Small.Anything(name)), [.. numbers.Where(number => read.Contains(number.Name))])), inputs);
    }
}
