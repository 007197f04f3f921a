using Google.Protobuf;
using Rnn.Onnx.Schema;
using Rnn.Onnx.Tests.Support;
using Rnn.Tensors;

namespace Rnn.Onnx.Tests.Import;

/// <summary>Branches, loops, functions, and the chains of nodes that exporters write around recurrent nodes.</summary>
public class ControlFlowTests
{
    private static readonly OnnxValue<float> Input = Small.Random(1, 4, 3);

    private static ModelProto Branches(bool constant)
    {
        GraphProto Branch(string op) => Small.Graph([Small.Node(op, ["doubled"], [$"{op}_out"])], [], [Small.Anything($"{op}_out")]);
        var condition = OnnxValue<float>.FromBooleans([true], new Shape());
        return Small.Model(Small.Graph(
            [Small.Node("Add", ["x", "x"], ["doubled"]), Small.Node("If", ["condition"], ["y"], ("then_branch", Branch("Relu")), ("else_branch", Branch("Neg")))],
            constant ? [Small.Anything("x")] : [Small.Anything("x"), Small.Info("condition", OnnxElementType.Boolean)], [Small.Anything("y")],
            constant ? [Small.Tensor("condition", condition)] : []));
    }

    [Fact]
    public void If_takes_the_branch_of_its_condition()
    {
        foreach (var truth in new[] { true, false })
        {
            (string, OnnxValue<float>)[] inputs = [("x", Input), ("condition", OnnxValue<float>.FromBooleans([truth], new Shape()))];
            var expected = OtherRuntime.Run(Branches(constant: false), inputs)[0];
            Compare.Same(expected, OnnxModel.Load<float>(Branches(constant: false).ToByteArray()).Run(inputs)["y"], 1e-6, "If");
        }

        var model = OnnxModel.Load<float>(Branches(constant: true).ToByteArray());
        var session = model.CreateSession(("x", Input.Shape));
        Assert.True(session.IsAllocationFree);
        session.SetInput("x", Input.Tensor.AsReadOnlySpan());
        session.Run();
        Assert.Equal(Input.Tensor.ToArray().Select(value => Math.Max(0, 2 * value)), session.GetOutput("y").ToArray());
    }

    // h = tanh(h + x[i]·w) over the rows of x, as a loop, with all h.
    private static ModelProto Loop() => Small.Model(Small.Graph(
        [
            Small.Node("Shape", ["x"], ["shape"]), Small.Node("Gather", ["shape", "zero"], ["count"]),
            Small.Node("Loop", ["count", string.Empty, "h0"], ["last", "all"], ("body", Small.Graph(
                [
                    Small.Node("Gather", ["x", "i"], ["row"]), Small.Node("MatMul", ["row", "w"], ["product"]), Small.Node("Add", ["h", "product"], ["sum"]), Small.Node("Tanh", ["sum"], ["next"]),
                    Small.Node("Identity", ["next"], ["each"]), Small.Node("Identity", ["goes"], ["goes_on"]),
                ],
                [Small.Info("i", OnnxElementType.Int64), Small.Info("goes", OnnxElementType.Boolean), Small.Anything("h")],
                [Small.Anything("goes_on", OnnxElementType.Boolean), Small.Anything("next"), Small.Anything("each")]))),
        ],
        [Small.Anything("x"), Small.Anything("h0")], [Small.Anything("last"), Small.Anything("all")],
        TensorProtoConversion.Write("zero", [0], new Shape()), Small.Tensor("w", Small.Random(5, 3, 2))));

    [Fact]
    public void Loop_agrees_with_another_runtime_and_is_trained()
    {
        (string, OnnxValue<float>)[] inputs = [("x", Input), ("h0", Small.Random(6, 2))];
        var expected = OtherRuntime.Run(Loop(), inputs);
        var outputs = OnnxModel.Load<float>(Loop().ToByteArray()).Run(inputs);
        Compare.Same(expected[0], outputs["last"], 1e-6, "last");
        Compare.Same(expected[1], outputs["all"], 1e-6, "all");

        var model = OnnxModel.Load<double>(Loop().ToByteArray());
        Assert.Equal("w", Assert.Single(model.NamedParameters).Key);
        var (x, h) = (Input.Tensor.To<double>(), Tensor<double>.From([0.1, 0.2]));
        var check = Training.GradientCheck.Run(model, () => model.Forward(("x", x), ("h0", h))["all"].Tensor.Square().Sum());
        Assert.True(check.Passed, check.ToString());
    }

    [Fact]
    public void Scan_agrees_with_another_runtime()
    {
        var body = Small.Graph(
            [Small.Node("Add", ["h", "row"], ["sum"]), Small.Node("Tanh", ["sum"], ["next"]), Small.Node("Identity", ["next"], ["each"])],
            [Small.Info("h", OnnxElementType.Float, 3), Small.Info("row", OnnxElementType.Float, 3)], [Small.Info("next", OnnxElementType.Float, 3), Small.Info("each", OnnxElementType.Float, 3)]);
        var model = Small.Model(Small.Graph(
            [Small.Node("Scan", ["h0", "x"], ["last", "all"], ("body", body), ("num_scan_inputs", 1), ("scan_input_directions", Small.Ints(1)), ("scan_output_directions", Small.Ints(1)), ("scan_output_axes", Small.Ints(1)))],
            [Small.Info("h0", OnnxElementType.Float, 3), Small.Info("x", OnnxElementType.Float, 4, 3)], [Small.Anything("last"), Small.Anything("all")]));
        (string, OnnxValue<float>)[] inputs = [("x", Input), ("h0", Small.Random(6, 3))];
        var (expected, actual) = (OtherRuntime.Run(model, inputs), OnnxModel.Load<float>(model.ToByteArray()).Run(inputs));
        Compare.Same(expected[0], actual["last"], 1e-6, "last");
        Compare.Same(expected[1], actual["all"], 1e-6, "all");
    }

    [Fact]
    public void Functions_of_a_model_are_called_with_their_attributes()
    {
        var model = Small.Model(Small.Graph([Small.Node("Leaky", ["x"], ["y"], ("slope", 0.5f))], [Small.Anything("x")], [Small.Anything("y")]));
        model.Graph.Node[0].Domain = "own";
        var function = new FunctionProto { Name = "Leaky", Domain = "own" };
        function.Input.Add("a");
        function.Output.Add("b");
        function.Attribute.Add("slope");
        var node = Small.Node("LeakyRelu", ["a"], ["b"]);
        node.Attribute.Add(new AttributeProto { Name = "alpha", RefAttrName = "slope", Type = AttributeProto.Types.AttributeType.Float });
        function.Node.Add(node);
        function.OpsetImport.Add(new OperatorSetIdProto { Version = 17 });
        model.Functions.Add(function);
        var loaded = OnnxModel.Load<float>(model.ToByteArray());
        Assert.Equal([-0.5f, 2], loaded.Run(("x", Tensor<float>.From([-1, 2])))["y"].Tensor.ToArray());
        var session = loaded.CreateSession(("x", new Shape(2)));
        session.SetInput("x", [-1, 2]);
        session.Run();
        Assert.Equal([-0.5f, 2], session.GetOutput("y").ToArray());
    }

    // An embedding, an LSTM whose zero states are made of the input's shape, a slice of its last step, and a linear layer: as exporters write it.
    internal static ModelProto Classifier()
    {
        var (hidden, size, vocabulary) = (5, 4, 7);
        return Small.Model(Small.Graph(
            [
                Small.Node("Gather", ["table", "tokens"], ["embedded"]), Small.Node("Transpose", ["embedded"], ["steps"], ("perm", Small.Ints(1, 0, 2))),
                Small.Node("Shape", ["steps"], ["shape"]), Small.Node("Gather", ["shape", "one"], ["batch"]), Small.Node("Unsqueeze", ["batch", "axis0"], ["batch1"]),
                Small.Node("Concat", ["directions", "batch1", "hidden"], ["state_shape"], ("axis", 0)), Small.Node("ConstantOfShape", ["state_shape"], ["zeros"]),
                Small.Node("LSTM", ["steps", "W", "R", "B", string.Empty, "zeros", "zeros"], ["Y", "Y_h"], ("hidden_size", hidden)),
                Small.Node("Squeeze", ["Y", "axis1"], ["sequence"]), Small.Node("Transpose", ["sequence"], ["batched"], ("perm", Small.Ints(1, 0, 2))),
                Small.Node("Gather", ["batched", "minus_one"], ["last"], ("axis", 1)), Small.Node("Gemm", ["last", "head_weight", "head_bias"], ["logits"], ("transB", 1)),
            ],
            [Small.Info("tokens", OnnxElementType.Int64, "batch", "steps")], [Small.Anything("logits")],
            Small.Tensor("table", Small.Random(1, vocabulary, size)), TensorProtoConversion.Write("one", [1], new Shape()), TensorProtoConversion.Write("axis0", [0], new Shape(1)),
            TensorProtoConversion.Write("axis1", [1], new Shape(1)), TensorProtoConversion.Write("directions", [1], new Shape(1)), TensorProtoConversion.Write("hidden", [hidden], new Shape(1)),
            TensorProtoConversion.Write("minus_one", [-1], new Shape()), Small.Tensor("W", Small.Random(2, 1, 4 * hidden, size)), Small.Tensor("R", Small.Random(3, 1, 4 * hidden, hidden)),
            Small.Tensor("B", Small.Random(4, 1, 8 * hidden)), Small.Tensor("head_weight", Small.Random(5, 3, hidden)), Small.Tensor("head_bias", Small.Random(6, 3))));
    }

    [Fact]
    public void A_classifier_agrees_with_another_runtime_for_any_batch_and_length()
    {
        var model = OnnxModel.Load<float>(Classifier().ToByteArray());
        foreach (var (rows, steps) in new[] { (1, 1), (3, 5), (2, 9) })
        {
            var tokens = OnnxValue<float>.FromIntegers([.. Enumerable.Range(0, rows * steps).Select(i => (long)(i * 5 % 7))], rows, steps);
            var expected = OtherRuntime.Run(Classifier(), ("tokens", tokens))[0];
            Compare.Same(expected, model.Run(("tokens", tokens))["logits"], 1e-5, "logits");
            var session = model.CreateSession(("tokens", tokens.Shape));
            session.SetIntegers("tokens", tokens.Integers);
            session.Run();
            Compare.Same<float, float>(expected, Tensor<float>.From(session.GetOutput("logits"), rows, 3), 1e-5, "logits of a session");
            Assert.True(session.IsAllocationFree);
        }
    }

    [Fact]
    public void Everything_of_a_classifier_is_trained()
    {
        var model = OnnxModel.Load<double>(Classifier().ToByteArray());
        Assert.Equal(
            ["the_LSTM.bias_l0", "the_LSTM.weight_hh_l0", "the_LSTM.weight_ih_l0", "head_bias", "head_weight", "table"],
            model.NamedParameters.Select(pair => pair.Key).OrderBy(name => name.Contains('.', StringComparison.Ordinal) ? 0 : 1).ThenBy(name => name, StringComparer.Ordinal));
        var tokens = OnnxValue<double>.FromIntegers([1, 2, 3, 4, 5, 6], 2, 3);
        Tensor<double> Loss() => Training.Loss.CrossEntropy(model.Forward(("tokens", tokens))["logits"].Tensor, [0, 2]);
        var check = Training.GradientCheck.Run(model, Loss);
        Assert.True(check.Passed, check.ToString());

        // A session made before sees what training has changed.
        var session = model.CreateSession(("tokens", new Shape(2, 3)));
        session.SetIntegers("tokens", tokens.Integers);
        var optimizer = new Training.Adam<double>(model) { LearningRate = 0.05 };
        var before = Loss().Item();
        for (var i = 0; i < 20; i++)
        {
            Loss().Backward();
            optimizer.Step();
            model.ZeroGradients();
        }

        Assert.True(Loss().Item() < before / 2, $"{before} {Loss().Item()}");
        session.Run();
        Compare.Same<double, double>(model.Run(("tokens", tokens))["logits"], Tensor<double>.From(session.GetOutput("logits"), 2, 3), 1e-12, "after training");

        // Weights are saved and loaded as those of any module.
        var path = Path.GetTempFileName();
        model.Save(path);
        var second = OnnxModel.Load<double>(Classifier().ToByteArray());
        _ = second.Load(path);
        File.Delete(path);
        Compare.Same(model.Run(("tokens", tokens))["logits"], second.Run(("tokens", tokens))["logits"], 0, "loaded");
    }

    // A causal network of frames: the last samples go in again, a convolution, normalisation, and a GRU whose state is carried.
    [Fact]
    public void A_streaming_network_with_a_convolution_gives_what_the_whole_sequence_gives_and_allocates_nothing()
    {
        var graph = Small.Graph(
            [
                Small.Node("Concat", ["history", "x"], ["wide"], ("axis", 2)), Small.Node("Slice", ["wide", "from", "to", "axis2"], ["history_out"]),
                Small.Node("Conv", ["wide", "filter", "filter_bias"], ["convolved"]), Small.Node("BatchNormalization", ["convolved", "scale", "shift", "mean", "variance"], ["normal"]),
                Small.Node("LeakyRelu", ["normal"], ["active"], ("alpha", 0.1f)), Small.Node("Transpose", ["active"], ["steps"], ("perm", Small.Ints(2, 0, 1))),
                Small.Node("GRU", ["steps", "W", "R", "B", string.Empty, "h"], ["Y", "h_out"], ("hidden_size", 6)),
                Small.Node("Squeeze", ["Y", "axis1"], ["sequence"]), Small.Node("LayerNormalization", ["sequence", "gain"], ["even"]), Small.Node("Softmax", ["even"], ["y"], ("axis", -1)),
            ],
            [Small.Info("x", OnnxElementType.Float, 1, 3, "steps"), Small.Info("history", OnnxElementType.Float, 1, 3, 2), Small.Info("h", OnnxElementType.Float, 1, 1, 6)],
            [Small.Anything("y"), Small.Anything("history_out"), Small.Anything("h_out")],
            TensorProtoConversion.Write("from", [-2], new Shape(1)), TensorProtoConversion.Write("to", [long.MaxValue], new Shape(1)), TensorProtoConversion.Write("axis2", [2], new Shape(1)),
            TensorProtoConversion.Write("axis1", [1], new Shape(1)), Small.Tensor("filter", Small.Random(1, 4, 3, 3)), Small.Tensor("filter_bias", Small.Random(2, 4)), Small.Tensor("scale", Small.Random(3, 4)),
            Small.Tensor("shift", Small.Random(4, 4)), Small.Tensor("mean", Small.Random(5, 4)), Small.Tensor("variance", OnnxValueOf(0.5f, 1, 2, 3)), Small.Tensor("W", Small.Random(6, 1, 18, 4)),
            Small.Tensor("R", Small.Random(7, 1, 18, 6)), Small.Tensor("B", Small.Random(8, 1, 36)), Small.Tensor("gain", Small.Random(9, 6)));
        var model = OnnxModel.Load<float>(Small.Model(graph).ToByteArray());
        var (x, zeros, state) = (Small.Random(10, 1, 3, 20), Tensor<float>.Zeros(1, 3, 2), Tensor<float>.Zeros(1, 1, 6));
        (string, OnnxValue<float>)[] inputs = [("x", x), ("history", zeros), ("h", state)];
        var expected = model.Run(inputs)["y"].Tensor;
        Compare.Same<float, float>(OtherRuntime.Run(Small.Model(graph), inputs)[0], expected, 1e-5, "y");
        var session = model.CreateSession(("x", new Shape(1, 3, 1)));
        Assert.True(session.IsAllocationFree);
        Assert.Equal([("history", "history_out"), ("h", "h_out")], session.CarryStates());
        var (frame, y, before) = (new float[3], new float[6], 0L);
        for (var t = 0; t < 20; t++)
        {
            for (var channel = 0; channel < 3; channel++)
            {
                frame[channel] = x.Tensor[0, channel, t];
            }

            before = t == 10 ? GC.GetAllocatedBytesForCurrentThread() : before;
            session.Step(frame, y);
            if (t == 19)
            {
                Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
            }

            for (var i = 0; i < 6 && t is < 10 or 19; i++)
            {
                Assert.True(Math.Abs(expected[t, 0, i] - y[i]) < 1e-5, $"step {t}, {i}: {y[i]}; expected {expected[t, 0, i]}");
            }
        }
    }

    private static OnnxValue<float> OnnxValueOf(params float[] values) => Tensor<float>.From(values);
}
