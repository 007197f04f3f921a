using System.Collections;
using System.Reflection;
using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Onnx.Tests.Export;

/// <summary>Layers that are not recurrent, and chains of all kinds.</summary>
public class LayerExportTests
{
    // Every module that files know, one or more of each.
    private static readonly Dictionary<string, Func<Module<float>[]>> Modules = new()
    {
        ["recurrent"] = () => [new Lstm<float>(3, 4)],
        ["min-gru"] = () => [.. Enum.GetValues<ScanCandidate>().Select(candidate => new MinGru<float>(3, 4, new() { Candidate = candidate })), new MinGru<float>(3, 4, new() { Bias = false })],
        ["min-lstm"] = () => [.. Enum.GetValues<ScanCandidate>().Select(candidate => new MinLstm<float>(3, 4, new() { Candidate = candidate }))],
        ["rg-lru"] = () => [new RgLru<float>(4), new RgLru<float>(6, new() { Heads = 3, Bias = false })],
        ["causal-convolution"] = () => [new CausalConvolution<float>(3, 4), new CausalConvolution<float>(3, 4, new() { KernelSize = 3, Dilation = 2, Bias = false }), new CausalConvolution<float>(3, 2, new() { KernelSize = 1 })],
        ["wavenet"] = () =>
        [
            new WaveNet<float>(3, new() { Blocks = 2, LayersPerBlock = 2, ResidualChannels = 4, DilationChannels = 3, SkipChannels = 5 }),
            new WaveNet<float>(5, new() { Blocks = 1, LayersPerBlock = 3, ResidualChannels = 2, DilationChannels = 3, SkipChannels = 4, ConditionSize = 2, KernelSize = 3 }),
        ],
        ["linear"] = () => [new Linear<float>(3, 4), new Linear<float>(3, 4, new() { Bias = false })],
        ["adaptive-softmax"] = () => [new AdaptiveSoftmax<float>(8, 20, new() { Cutoffs = [5, 12] }), new AdaptiveSoftmax<float>(4, 6)],
        ["embedding"] = () => [new Embedding<float>(7, 3)],
        ["layer-norm"] = () => [new LayerNorm<float>(5), new LayerNorm<float>(5, new() { Scale = false, Bias = false, Epsilon = 1e-3 }), new LayerNorm<float>(5, new() { Scale = false })],
        ["rms-norm"] = () => [new RmsNorm<float>(6), new RmsNorm<float>(6, new() { Groups = 3, Scale = false, Epsilon = 1e-3 })],
        ["standardization"] = () => [new Standardization<float>(Numbers.Random(3, 4), Tensor<float>.From([0.5f, 2, 1.5f, 0.25f], 4))],
        ["dropout"] = () => [new Sequential<float>(new Linear<float>(3, 2), new Dropout<float>(0.5))],
        ["dot-attention"] = () => [new DotAttention<float>(4), new DotAttention<float>(4, scaled: true)],
        ["general-attention"] = () => [new GeneralAttention<float>(4, 3)],
        ["additive-attention"] = () => [new AdditiveAttention<float>(4, 3, 5)],
        ["linear-chain-crf"] = () => [new LinearChainCrf<float>(4)],
        ["sequence-pooling"] = () => [.. Enum.GetValues<PoolingKind>().Select(kind => new SequencePooling<float>(kind, 4, hiddenSize: 3))],
        ["last-step"] = () => [new Sequential<float>(new Linear<float>(3, 2), new LastStep<float>())],
        ["activation"] = () => [.. Enum.GetValues<Activation>().Select(activation => new Sequential<float>(new Linear<float>(3, 4), new ActivationLayer<float>(activation))), new Sequential<float>(new Linear<float>(3, 4), new ActivationLayer<float>(ActivationFunction.ScaledTanh(1.5, 0.5)))],
        ["sequential"] = () =>
        [
            new Sequential<float>(new Embedding<float>(9, 3), new Lstm<float>(3, 4, new() { Bidirectional = true }), new LastStep<float>(), new Linear<float>(8, 2)),
            new Sequential<float>(new Linear<float>(3, 4), new Sequential<float>(new Gru<float>(4, 4), new RmsNorm<float>(4)), new LastStep<float>()),
            new Sequential<float>(new Linear<float>(3, 4), new Sequential<float>(new Gru<float>(4, 4, new() { Reverse = true }), new LastStep<float>()), new Linear<float>(4, 2)),
        ],
        ["residual"] = () => [new Residual<float>(new RmsNorm<float>(4), new MinGru<float>(4, 4)), new Residual<float>(new Gru<float>(4, 2, new() { Bidirectional = true }))],
        ["sequence-chain"] = () =>
        [
            new SequenceChain<float>(new Gru<float>(3, 4), new LayerNorm<float>(4), new Lstm<float>(4, 2, new() { Layers = 2 })),
            new SequenceChain<float>(new Linear<float>(3, 4), new Gru<float>(4, 3, new() { Bidirectional = true }), new Linear<float>(6, 2)),
            new SequenceChain<float>(new Residual<float>(new MinLstm<float>(3, 3)), new CausalConvolution<float>(3, 2, new() { KernelSize = 3 })),
        ],
    };

    public static TheoryData<string> Types => [.. Modules.Keys];

    [Fact]
    public void Every_module_of_the_catalogue_is_exported_and_tested()
    {
        var readers = typeof(ModuleCatalog).GetNestedType("Readers`1", BindingFlags.NonPublic)!.MakeGenericType(typeof(float));
        var known = (IDictionary)readers.GetField("All", BindingFlags.NonPublic | BindingFlags.Static)!.GetValue(null)!;
        var missing = known.Keys.Cast<string>().Except(Modules.Keys).ToArray();
        Assert.True(missing.Length == 0, $"Modules that no test exports: {string.Join(", ", missing)}");
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Every_module_of_the_catalogue_agrees(string type)
    {
        foreach (var module in Modules[type]())
        {
            foreach (var lengths in new[] { false, true })
            {
                Agrees(module, lengths, opset: 17);
            }
        }
    }

    [Theory]
    [InlineData(14)]
    [InlineData(18)]
    [InlineData(20)]
    [InlineData(22)]
    public void Every_version_of_the_operators_agrees(int opset)
    {
        foreach (var type in new[] { "layer-norm", "rms-norm", "activation", "sequence-pooling", "linear-chain-crf", "additive-attention", "wavenet", "min-lstm" })
        {
            Array.ForEach(Modules[type](), module => Agrees(module, lengths: true, opset));
        }
    }

    [Fact]
    public void The_last_output_of_chains_agrees()
    {
        foreach (var lengths in new[] { false, true })
        {
            SequenceExport.LastAgrees(new SequenceChain<float>(new Gru<float>(3, 4, new() { Bidirectional = true }), new Linear<float>(8, 2)), lengths);
            SequenceExport.LastAgrees(new SequenceChain<float>(new Gru<float>(3, 4, new() { Reverse = true }), new Linear<float>(4, 3), new Gru<float>(3, 3)), lengths);
            SequenceExport.LastAgrees(new SequenceChain<float>(new MinGru<float>(3, 4), new LayerNorm<float>(4)), lengths);
            SequenceExport.LastAgrees(new Residual<float>(new Gru<float>(4, 2, new() { Bidirectional = true })), lengths);
        }
    }

    [Fact]
    public void Fixed_sizes_and_names_are_those_of_the_options()
    {
        using var file = new RuntimeModel(Numbers.Fill(new Gru<float>(3, 4)), new()
        {
            BatchSize = 2,
            Steps = 5,
            Names = new Dictionary<string, string> { ["input"] = "frames", ["output"] = "features" },
            GraphName = "listener",
            ProducerName = "tests",
            Description = "a gated recurrent unit",
            Metadata = new Dictionary<string, string> { ["author"] = "someone" },
        });
        Assert.Equal(["frames"], file.InputNames);
        Assert.Equal(["features"], file.OutputNames);
        Assert.Equal(("listener", "tests", "a gated recurrent unit", "someone"), (file.Metadata.GraphName, file.Metadata.ProducerName, file.Metadata.Description, file.Metadata.CustomMetadataMap["author"]));
        Assert.Equal([2, 5, 4], file.With("frames", Numbers.Random(1, 2, 5, 3)).Run()["features"].Shape.Dimensions.ToArray());
    }

    [Fact]
    public void The_shape_of_the_input_can_be_given()
    {
        var layer = new ActivationLayer<float>(Activation.Softsign);
        Assert.Contains("InputShape", Assert.Throws<ArgumentException>(() => layer.ToOnnx()).Message, StringComparison.Ordinal);
        using var file = new RuntimeModel(layer, new() { InputShape = [-1, 2, -1, 3] });
        var x = Numbers.Random(1, 4, 2, 5, 3);
        Numbers.Agree(layer.Forward(x), file.With("input", x).Run()["output"], "four dimensions");
        Assert.Throws<ArgumentException>(() => layer.ToOnnx(new() { InputShape = [0] }));
    }

    [Fact]
    public void What_cannot_be_written_is_refused_by_name()
    {
        var lambda = new Lambda<float>(x => x.Tanh());
        Assert.Contains("Lambda", Assert.Throws<NotSupportedException>(() => new Sequential<float>(new Linear<float>(3, 2), lambda).ToOnnx()).Message, StringComparison.Ordinal);
        Assert.Contains("Own", Assert.Throws<NotSupportedException>(() => new Sequential<float>(new Linear<float>(3, 2), new Own()).ToOnnx()).Message, StringComparison.Ordinal);
        Assert.Throws<NotSupportedException>(() => new Linear<float>(3, 2).ToOnnx(new() { States = true }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new OnnxExportOptions { Opset = 13 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new OnnxExportOptions { ElementType = OnnxElementType.Int64 });
        Assert.Throws<ArgumentException>(() => new Gru<float>(3, 2).ToOnnx(new() { Names = new Dictionary<string, string> { ["output"] = "input" } }));
    }

    [Fact]
    public void Layers_of_ones_own_write_themselves_or_by_a_function()
    {
        var squash = new Lambda<float>(x => x.Tanh());
        var writers = new OnnxWriters();
        writers.Add(squash, (graph, _, x) => graph.Node("Tanh", [x]));
        writers.Add<Own>((graph, _, x) => graph.Node("LeakyRelu", [x], new Dictionary<string, object> { ["alpha"] = 0.2 }));
        var chain = Numbers.Fill(new Sequential<float>(new Linear<float>(3, 4), squash, new Scale(4), new Own(), new Delay(4), new Sequential<float>(new Scale(4))));
        using var file = new RuntimeModel(chain, new() { Writers = writers });
        var x = Numbers.Random(3, 2, 5, 3);
        Numbers.Agree(chain.Forward(x), file.With("input", x).Run()["output"], "own layers");
        SequenceExport.Agrees(new SequenceChain<float>(new Delay(3), new Gru<float>(3, 2), new Delay(2)), lengths: false, states: true);
    }

    [Fact]
    public void A_model_of_double_precision_is_written_in_either()
    {
        var layer = new SequenceChain<double>(new Linear<double>(3, 4), new ActivationLayer<double>(Activation.Tanh), new LayerNorm<double>(4), new MinGru<double>(4, 2));
        layer.Evaluate();
        var x = Numbers.Random(3, 2, 5, 3);
        var expected = layer.Forward(Tensor<double>.From(Array.ConvertAll(x.ToArray(), value => (double)value), 2, 5, 3)).ToArray();
        using var file = new RuntimeModel(layer.ToOnnx(new() { ElementType = OnnxElementType.Float }));
        Numbers.Agree(Tensor<float>.From(Array.ConvertAll(expected, value => (float)value), 2, 5, 2), file.With("input", x).Run()["output"], "single precision");
        var model = Schema.ModelProto.Parser.ParseFrom(layer.ToOnnx());
        Assert.All(model.Graph.Input.Concat(model.Graph.Output), info => Assert.Equal((int)OnnxElementType.Double, info.Type.TensorType.ElemType));
        Assert.DoesNotContain(model.Graph.Initializer, tensor => tensor.DataType == (int)OnnxElementType.Float);
    }

    [Fact]
    public void A_file_is_there_whole_or_not_at_all()
    {
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            var path = Path.Combine(folder.FullName, "gru.onnx");
            var layer = Numbers.Fill(new Gru<float>(3, 4));
            layer.SaveOnnx(path);
            Assert.Equal(layer.ToOnnx(), File.ReadAllBytes(path));
            Assert.Throws<NotSupportedException>(() => new Sequential<float>(new Own()).SaveOnnx(path, new() { InputShape = [-1, 2] }));
            Assert.Equal(layer.ToOnnx(), File.ReadAllBytes(path));
            Assert.Equal([path], Directory.GetFiles(folder.FullName));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void Agrees(Module<float> module, bool lengths, int opset)
    {
        switch (module)
        {
            case SequenceLayer<float> layer:
                SequenceExport.Agrees(layer, lengths, states: lengths, opset);
                return;
            case Layer<float> layer:
                LayerAgrees(layer, lengths, opset);
                return;
        }

        Numbers.Fill(module);
        using var file = new RuntimeModel(module, new() { Lengths = lengths, Opset = opset });
        foreach (var (rows, steps) in SequenceExport.Shapes)
        {
            var ends = lengths ? Numbers.Lengths(rows, steps) : [];
            if (lengths)
            {
                file.With("lengths", ends, rows);
            }

            var what = $"{module}, [{rows}, {steps}], lengths {lengths}, opset {opset}";
            switch (module)
            {
                case Attention<float> attention:
                    var (queries, memory) = (Numbers.Random(3, rows, 2, attention.QuerySize), Numbers.Random(4, rows, steps, attention.MemorySize));
                    var (context, weights) = attention.Forward(queries, attention.Prepare(memory, ends));
                    var found = file.With("query", queries).With("memory", memory).Run();
                    Numbers.Agree(context, found["context"], what);
                    Numbers.Agree(weights, found["weights"], what);
                    break;
                case SequencePooling<float> pooling:
                    var x = Numbers.Random(3, rows, steps, pooling.Size);
                    for (var row = 0; row < ends.Length; row++)
                    {
                        // A sequence layer gives zeros past the end of a row.
                        for (var i = ends[row] * pooling.Size; i < steps * pooling.Size; i++)
                        {
                            x[row, i / pooling.Size, i % pooling.Size] = 0;
                        }
                    }

                    var expected = pooling.Forward(new SequenceLayerOutput<float>(x, new(rows, Array.Empty<(string, Tensor<float>)>()), ends), ends);
                    Numbers.Agree(expected, file.With("input", x).Run()["output"], what);
                    break;
                case LinearChainCrf<float> field:
                    var scores = Numbers.Random(3, rows, steps, field.Tags);
                    var tags = file.With("scores", scores).Run()["tags"];
                    Assert.Equal([rows, steps], tags.Shape.Dimensions.ToArray());
                    var best = field.Decode(scores, ends);
                    for (var i = 0; i < rows * steps; i++)
                    {
                        Assert.Equal(i % steps < best[i / steps].Length ? best[i / steps][i % steps] : -1, tags[i / steps, i % steps]);
                    }

                    break;
                default:
                    Assert.Fail($"No test for {module}.");
                    break;
            }
        }
    }

    private static void LayerAgrees(Layer<float> layer, bool lengths, int opset)
    {
        Numbers.Fill(layer);
        using var file = new RuntimeModel(layer, new() { Lengths = lengths && layer is Sequential<float>, Opset = opset });
        var proto = Schema.ModelProto.Parser.ParseFrom(layer.ToOnnx()).Graph.Input[0].Type.TensorType;
        var width = proto.ElemType == (int)OnnxElementType.Int64 ? 0 : (int)proto.Shape.Dim[^1].DimValue;
        foreach (var (rows, steps) in SequenceExport.Shapes)
        {
            var what = $"{layer}, [{rows}, {steps}], lengths {lengths}, opset {opset}";
            var ends = file.InputNames.Contains("lengths") ? Numbers.Lengths(rows, steps) : [];
            if (ends.Length > 0)
            {
                file.With("lengths", ends, rows);
            }

            Tensor<float> x;
            if (width == 0)
            {
                var tokens = Numbers.Tokens(3, rows * steps, 7);
                x = Tensor<float>.From(Array.ConvertAll(tokens, token => (float)token), rows, steps);
                file.WithTokens("input", tokens, rows, steps);
            }
            else
            {
                x = proto.Shape.Dim.Count == 2 ? Numbers.Random(3, rows, width) : Numbers.Random(3, rows, steps, width);
                file.With("input", x);
            }

            var expected = layer is Sequential<float> chain ? chain.Forward(x, ends) : layer.Forward(x);
            Numbers.Agree(expected, file.Run()["output"], what);
        }
    }

    private sealed class Own : Layer<float>
    {
        public override Tensor<float> Forward(Tensor<float> input) => input.Relu() - ((input * -0.2f).Relu());
    }

    private sealed class Scale : Layer<float>, IOnnxLayer
    {
        private readonly Parameter<float> _factors;

        internal Scale(int size) => _factors = AddParameter("factors", Tensor<float>.Ones(size));

        public override Tensor<float> Forward(Tensor<float> input) => input * _factors.Value;

        public OnnxGraphValue WriteOnnx(OnnxGraph graph, OnnxGraphValue input) => graph.Node("Mul", [input, graph.Weight(_factors)]);
    }

    /// <summary>Each step's output is the input of the step before.</summary>
    private sealed class Delay(int size) : SequenceLayer<float>, IOnnxSequenceLayer
    {
        public override int InputSize => size;

        public override int OutputSize => size;

        public override SequenceState<float> ZeroState(int rows) => new(rows, [("before", Tensor<float>.Zeros(rows, 1, size))]);

        public override SequenceLayerOutput<float> Forward(Tensor<float> input, ReadOnlySpan<int> lengths, SequenceState<float>? initialState = null)
        {
            var before = CheckBatch(input, lengths, initialState).Tensors[0];
            var all = Tensor<float>.Concat([before, input], 1);
            var steps = input.Shape[1];
            return new(all.Slice(1, ..steps), new(input.Shape[0], [("before", all.Slice(1, steps..))]), lengths);
        }

        public OnnxSequence WriteOnnx(OnnxGraph graph, OnnxSequence input)
        {
            var rows = graph.Node("Gather", [graph.Node("Shape", [input.Values], elementType: OnnxElementType.Int64), graph.Integers(0)]);
            var before = input.States?[0] ?? graph.Node("Expand", [graph.Scalar(0), graph.Node("Concat", [rows, graph.Integers(1, size)], new Dictionary<string, object> { ["axis"] = 0 })]);
            var all = graph.Node("Concat", [before, input.Values], new Dictionary<string, object> { ["axis"] = 1 });
            var axis = graph.Integers(1);
            return new()
            {
                Values = graph.Node("Slice", [all, graph.Integers(0), graph.Integers(-1), axis]),
                States = [graph.Node("Slice", [all, graph.Integers(-1), graph.Integers(long.MaxValue), axis])],
            };
        }
    }
}
