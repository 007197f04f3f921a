using System.Numerics;
using Rnn.Onnx.Schema;
using Rnn.Onnx.Tests.Support;
using Rnn.Tensors;

namespace Rnn.Onnx.Tests.Import;

/// <summary>Every attribute of the recurrent operators, alone and together, against plain loops.</summary>
public class RecurrentTests
{
    private static readonly string[] Functions =
        ["Relu", "Tanh", "Sigmoid", "Affine", "LeakyRelu", "ThresholdedRelu", "ScaledTanh", "HardSigmoid", "Elu", "Softsign", "Softplus"];

    [Theory]
    [InlineData("RNN")]
    [InlineData("GRU")]
    [InlineData("LSTM")]
    public void Every_combination_of_attributes_and_optional_inputs_agrees_with_plain_loops(string kind)
    {
        var random = new Random(5);
        foreach (var direction in new[] { "forward", "reverse", "bidirectional" })
        {
            for (var bits = 0; bits < 128; bits++)
            {
                bool Is(int bit) => (bits >> bit & 1) != 0;
                var reference = Make(random, kind, direction, batchFirst: Is(0), ragged: Is(1), bias: Is(2), states: Is(3), clip: Is(4) ? 0.5 : null, first: Is(5), second: Is(6), activations: null);
                Check<double>(reference, Is(2) && Is(5), 1e-12);
                Check<float>(reference, Is(1) && Is(3), 1e-5);
            }
        }
    }

    [Theory]
    [InlineData("RNN")]
    [InlineData("GRU")]
    [InlineData("LSTM")]
    public void Every_activation_stands_at_every_place(string kind)
    {
        var random = new Random(7);
        var each = kind switch { "RNN" => 1, "GRU" => 2, _ => 3 };
        foreach (var direction in new[] { "forward", "bidirectional" })
        {
            var count = direction == "forward" ? each : 2 * each;
            for (var place = 0; place < count; place++)
            {
                foreach (var function in Functions)
                {
                    var names = Enumerable.Range(0, count).Select(i => i == place ? function : Functions[random.Next(Functions.Length)]).ToArray();
                    var reference = Make(random, kind, direction, false, place % 2 == 0, true, true, place % 3 == 0 ? 0.7 : null, place % 2 == 1, place % 3 == 1, names);
                    Check<double>(reference, place % 2 == 0, 1e-11);
                }
            }
        }
    }

    [Fact]
    public void Omitted_numbers_of_activations_are_those_of_the_operators()
    {
        string[] names = ["HardSigmoid", "LeakyRelu", "Elu"];
        var full = Make(new Random(3), "LSTM", "forward", false, false, true, false, null, false, false, names, alpha: [0.2f, 0.01f, 1], beta: [0.5f]);
        var model = Build<double>(full, true);
        var node = model.Graph.Node[0];
        foreach (var name in new[] { "activation_alpha", "activation_beta" })
        {
            node.Attribute.Remove(node.Attribute.Single(attribute => attribute.Name == name));
        }

        CheckOutputs(full, Run<double>(full, model, true), 1e-12);
    }

    [Fact]
    public void Outputs_that_nobody_reads_may_be_left_out()
    {
        var reference = Make(new Random(9), "LSTM", "bidirectional", false, true, true, true, null, false, true, null);
        var (y, h, c) = reference.Run();
        foreach (var (kept, expected) in new[] { (0, y), (1, h), (2, c) })
        {
            var model = Build<double>(reference, true);
            for (var i = 0; i < 3; i++)
            {
                model.Graph.Node[0].Output[i] = i == kept ? $"y{i}" : string.Empty;
            }

            model.Graph.Output.Clear();
            model.Graph.Output.Add(Small.Anything($"y{kept}", OnnxElementType.Double));
            Assert.Equal(expected, Run<double>(reference, model, true)[$"y{kept}"].Tensor.ToArray(), (a, b) => Math.Abs(a - b) < 1e-12);
        }
    }

    [Theory]
    [InlineData("RNN")]
    [InlineData("GRU")]
    [InlineData("LSTM")]
    public void A_session_steps_through_both_directions_layouts_and_several_steps(string kind)
    {
        foreach (var (direction, batchFirst, steps, rows) in new[] { ("forward", false, 5, 4), ("forward", false, 1, 4), ("bidirectional", false, 1, 4), ("reverse", true, 1, 4), ("bidirectional", true, 1, 1), ("forward", true, 5, 1) })
        {
            var whole = Make(new Random(4), kind, direction, batchFirst, false, true, true, 0.8, true, true, null);
            var reference = Cut(whole, steps, rows);
            var proto = Build<float>(reference, true);

            // Lengths that say that all steps are there.
            proto.Graph.Node[0].Input[4] = "all";
            proto.Graph.Initializer.Add(TensorProtoConversion.Write("all", [.. Enumerable.Repeat((long)steps, rows)], new Shape(rows)));
            var model = OnnxModel.Load<float>(Google.Protobuf.MessageExtensions.ToByteArray(proto));
            var values = Values<float>(reference).Where(value => model.Inputs.Any(input => input.Name == value.Name)).ToArray();
            var session = model.CreateSession([.. values.Select(value => (value.Name, value.Value.Shape))]);
            Assert.True(session.IsAllocationFree);
            foreach (var (name, value) in values)
            {
                session.SetInput(name, value.Tensor.AsReadOnlySpan());
            }

            session.Run();
            session.Run();
            CheckOutputs<float>(reference, model.Outputs.ToDictionary(
                output => output.Name, output => (OnnxValue<float>)Tensor<float>.From(session.GetOutput(output.Name), session.OutputShape(output.Name))), 1e-5);
        }
    }

    // The same node for fewer steps and rows.
    private static RecurrentReference Cut(RecurrentReference r, int steps, int rows) => new()
    {
        Kind = r.Kind,
        Direction = r.Direction,
        BatchFirst = r.BatchFirst,
        Clip = r.Clip,
        InputForget = r.InputForget,
        LinearBeforeReset = r.LinearBeforeReset,
        Steps = steps,
        Rows = rows,
        Inputs = r.Inputs,
        Hidden = r.Hidden,
        X = r.X[..(steps * rows * r.Inputs)],
        W = r.W,
        R = r.R,
        B = r.B,
        P = r.P,
        H0 = r.H0?[..(r.Directions * rows * r.Hidden)],
        C0 = r.C0?[..(r.Directions * rows * r.Hidden)],
    };

    [Theory]
    [InlineData("RNN", "W", "expected [1, 4, I]")]
    [InlineData("LSTM", "R", "expected [1, 4·H, H]")]
    [InlineData("GRU", "B", "expected [1, 24]")]
    public void Weights_that_do_not_fit_are_refused(string kind, string weight, string message)
    {
        var model = Build<float>(Make(new Random(1), kind, "forward", false, false, true, false, null, false, false, null), true);
        var tensor = model.Graph.Initializer.Single(initializer => initializer.Name == weight);
        (tensor.Dims[0], tensor.Dims[1]) = (tensor.Dims[1], tensor.Dims[0]);
        var error = Assert.Throws<InvalidDataException>(() => OnnxModel.Load<float>(Google.Protobuf.MessageExtensions.ToByteArray(model)));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Contains($"the_{kind}", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("direction", "sideways", "sideways")]
    [InlineData("layout", 2, "layout 2")]
    [InlineData("clip", 0f, "clip of 0")]
    [InlineData("hidden_size", 5, "hidden_size is 5")]
    public void Attributes_that_mean_nothing_are_refused(string name, object value, string message)
    {
        var model = Build<float>(Make(new Random(1), "LSTM", "forward", false, false, true, false, null, false, false, null), true);
        var attributes = model.Graph.Node[0].Attribute;
        attributes.Where(attribute => attribute.Name == name).ToList().ForEach(attribute => attributes.Remove(attribute));
        attributes.Add(Small.Attribute(name, value));
        var error = Assert.Throws<InvalidDataException>(() => OnnxModel.Load<float>(Google.Protobuf.MessageExtensions.ToByteArray(model)));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    internal static RecurrentReference Make(
        Random random, string kind, string direction, bool batchFirst, bool ragged, bool bias, bool states, double? clip, bool first, bool second, string[]? activations, float[]? alpha = null, float[]? beta = null)
    {
        var (directions, gates) = (direction == "bidirectional" ? 2 : 1, kind switch { "RNN" => 1, "GRU" => 3, _ => 4 });
        var (steps, rows, inputs, hidden) = (5, 4, 3, 4);
        double[] Numbers(int count, double scale = 1) => [.. Enumerable.Range(0, count).Select(_ => (double)(float)(scale * ((2 * random.NextDouble()) - 1)))];
        return new()
        {
            Kind = kind,
            Direction = direction,
            BatchFirst = batchFirst,
            Activations = activations,
            Alpha = alpha is null ? [.. Enumerable.Range(0, 6).Select(i => (double)(0.3f + (0.1f * i)))] : [.. alpha.Select(number => (double)number)],
            Beta = beta is null ? [.. Enumerable.Range(0, 6).Select(i => (double)(0.2f + (0.1f * i)))] : [.. beta.Select(number => (double)number)],
            Clip = clip is null ? null : (double)(float)clip,
            InputForget = kind == "LSTM" && first,
            LinearBeforeReset = kind == "GRU" && first,
            Steps = steps,
            Rows = rows,
            Inputs = inputs,
            Hidden = hidden,
            Lengths = ragged ? [3, 0, 5, 1] : null,
            X = Numbers(steps * rows * inputs, 2),
            W = Numbers(directions * gates * hidden * inputs, activations is null ? 1 : 0.3),
            R = Numbers(directions * gates * hidden * hidden, activations is null ? 0.7 : 0.2),
            B = bias ? Numbers(directions * 2 * gates * hidden) : null,
            P = kind == "LSTM" && second ? Numbers(directions * 3 * hidden) : null,
            H0 = states ? Numbers(directions * rows * hidden) : null,
            C0 = states && kind == "LSTM" ? Numbers(directions * rows * hidden) : null,
        };
    }

    internal static ModelProto Build<T>(RecurrentReference reference, bool constantWeights)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var type = typeof(T) == typeof(double) ? OnnxElementType.Double : OnnxElementType.Float;
        List<(string, object)> attributes = [("hidden_size", reference.Hidden)];
        Add(reference.Direction != "forward", "direction", reference.Direction);
        Add(reference.BatchFirst, "layout", 1);
        Add(reference.Clip is not null, "clip", (float)(reference.Clip ?? 0));
        Add(reference.InputForget, "input_forget", 1);
        Add(reference.LinearBeforeReset, "linear_before_reset", 1);
        if (reference.Activations is not null)
        {
            attributes.Add(("activations", reference.Activations));
            attributes.Add(("activation_alpha", Array.ConvertAll(reference.Alpha, number => (float)number)));
            attributes.Add(("activation_beta", Array.ConvertAll(reference.Beta, number => (float)number)));
        }

        List<string> names = ["X", "W", "R", Name(reference.B, "B"), reference.Lengths is null ? string.Empty : "lengths", Name(reference.H0, "H0")];
        string[] outputs = ["y0", "y1"];
        if (reference.Kind == "LSTM")
        {
            names.AddRange([Name(reference.C0, "C0"), Name(reference.P, "P")]);
            outputs = ["y0", "y1", "y2"];
        }

        var values = Values<T>(reference);
        var constants = constantWeights ? values.Where(value => value.Name is "W" or "R" or "B" or "P").Select(value => Small.Tensor(value.Name, value.Value)).ToArray() : [];
        var inputs = values.Where(value => !constants.Any(constant => constant.Name == value.Name)).Select(value => Small.Anything(value.Name, value.Value.ElementType));
        return Small.Model(Small.Graph([Small.Node(reference.Kind, [.. names], outputs, [.. attributes])], inputs, outputs.Select(name => Small.Anything(name, type)), constants), 22);

        void Add(bool condition, string name, object value)
        {
            if (condition)
            {
                attributes.Add((name, value));
            }
        }

        static string Name(double[]? values, string name) => values is null ? string.Empty : name;
    }

    internal static List<(string Name, OnnxValue<T> Value)> Values<T>(RecurrentReference r)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var rows = r.Directions * r.Gates * r.Hidden;
        Shape state = r.BatchFirst ? [r.Rows, r.Directions, r.Hidden] : [r.Directions, r.Rows, r.Hidden];
        var values = new List<(string, OnnxValue<T>)>
        {
            ("X", Value(r.X, r.BatchFirst ? [r.Rows, r.Steps, r.Inputs] : [r.Steps, r.Rows, r.Inputs])),
            ("W", Value(r.W, [r.Directions, r.Gates * r.Hidden, r.Inputs])),
            ("R", Value(r.R, [r.Directions, r.Gates * r.Hidden, r.Hidden])),
        };
        Add("B", r.B, [r.Directions, 2 * r.Gates * r.Hidden]);
        Add("P", r.P, [r.Directions, 3 * r.Hidden]);
        Add("H0", r.H0, state);
        Add("C0", r.C0, state);
        if (r.Lengths is not null)
        {
            values.Add(("lengths", OnnxValue<T>.FromIntegers(r.Lengths, r.Lengths.Length)));
        }

        Assert.True(rows > 0);
        return values;

        void Add(string name, double[]? numbers, Shape shape)
        {
            if (numbers is not null)
            {
                values.Add((name, Value(numbers, shape)));
            }
        }

        static OnnxValue<T> Value(double[] numbers, Shape shape) => Tensor<T>.From(Array.ConvertAll(numbers, T.CreateTruncating), shape);
    }

    private static IReadOnlyDictionary<string, OnnxValue<T>> Run<T>(RecurrentReference reference, ModelProto proto, bool constantWeights)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var model = OnnxModel.Load<T>(Google.Protobuf.MessageExtensions.ToByteArray(proto));
        var inputs = Values<T>(reference).Where(value => !constantWeights || value.Name is not ("W" or "R" or "B" or "P")).ToArray();
        return model.Run(inputs);
    }

    private static void Check<T>(RecurrentReference reference, bool constantWeights, double tolerance)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        CheckOutputs(reference, Run<T>(reference, Build<T>(reference, constantWeights), constantWeights), tolerance);
    }

    private static void CheckOutputs<T>(RecurrentReference r, IReadOnlyDictionary<string, OnnxValue<T>> outputs, double tolerance)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (y, h, c) = r.Run();
        Shape state = r.BatchFirst ? [r.Rows, r.Directions, r.Hidden] : [r.Directions, r.Rows, r.Hidden];
        var what = $"{r.Kind} {r.Direction} layout {r.BatchFirst} lengths {r.Lengths is not null} clip {r.Clip} coupled {r.InputForget} linear {r.LinearBeforeReset} peephole {r.P is not null} {string.Join(',', r.Activations ?? [])}";
        Compare.Same<double, T>(Tensor<double>.From(y, r.BatchFirst ? [r.Rows, r.Steps, r.Directions, r.Hidden] : [r.Steps, r.Directions, r.Rows, r.Hidden]), outputs["y0"], tolerance, $"Y of {what}");
        Compare.Same<double, T>(Tensor<double>.From(h, state), outputs["y1"], tolerance, $"Y_h of {what}");
        if (r.Kind == "LSTM")
        {
            Compare.Same<double, T>(Tensor<double>.From(c, state), outputs["y2"], tolerance, $"Y_c of {what}");
        }
    }
}
