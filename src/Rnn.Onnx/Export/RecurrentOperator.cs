using System.Numerics;
using Rnn.Layers;
using Rnn.Onnx.Schema;

namespace Rnn.Onnx.Export;

/// <summary>Layers that the operators RNN, GRU and LSTM say whole: gates in their order, biases, peepholes, signs and activations.</summary>
internal static class RecurrentOperator
{
    // A gate that is always open, for the cell without forget gate: its sigmoid rounds to 1 in single and double precision.
    private const double Open = 100;

    // What the names of cells have behind them whose activations were chosen when the layer was made.
    private const string ChosenActivations = "-activations";

    /// <summary>Whether an operator computes what a layer does.</summary>
    internal static bool Fits<T>(RecurrentLayer<T> layer)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var options = layer.Options;
        if (layer.ProjectionSize > 0 || layer.Layout.NormalizesProducts || options.Heads > 1 || options.HiddenZoneout > 0 || options.CellZoneout > 0)
        {
            return false;
        }

        var cell = CellOf(layer);
        if (layer.Activations is { } activations)
        {
            // A negated or wide open gate is what it should be for the logistic function alone; and of a clip runtimes leave out the part that concerns the cell state.
            var isLogistic = activations.Gate == Activation.Sigmoid;
            var needsLogistic = cell.EndsWith("-replacing", StringComparison.Ordinal) || cell.EndsWith("-coupled", StringComparison.Ordinal) || cell.EndsWith("-noforget", StringComparison.Ordinal);
            if ((needsLogistic && !isLogistic) || (activations.Clip is not null && cell.StartsWith("lstm", StringComparison.Ordinal)))
            {
                return false;
            }
        }

        return cell switch
        {
            "rnn" or "gru" or "gru-replacing" or "gru-before" or "gru-before-replacing" => true,
            "lstm" or "lstm-coupled" or "lstm-noforget" or "lstm-peephole" or "lstm-peephole-coupled" or "lstm-peephole-noforget" => true,
            "lstm-inputcoupled" or "lstm-peephole-inputcoupled" => true,
            _ => false,
        } && FunctionsOf(layer).All(function => ActivationWriter.OfRecurrentOperator(function.Kind) is not null);
    }

    /// <summary>One layer in its one or two directions.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="weights">The weights of each direction.</param>
    /// <param name="x">[T, N, I].</param>
    /// <param name="lengths">Int32 [N], or null.</param>
    /// <param name="initial">For each direction its states [N, H], null for zeros.</param>
    /// <param name="final">Receives for each direction its states after the last step [N, H].</param>
    /// <returns>[T, D, N, H].</returns>
    internal static OnnxGraphValue Write<T>(OnnxGraph graph, CellWeights<T>[] weights, OnnxGraphValue x, OnnxGraphValue? lengths, OnnxGraphValue?[] initial, Span<OnnxGraphValue> final)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (directions, hidden) = (weights.Length, weights[0].HiddenSize);
        var states = weights[0].Layout.States.Count;
        var parts = Array.ConvertAll(weights, Parts);
        var inputs = new List<OnnxGraphValue?>
        {
            x,
            Stacked(graph, parts, part => part.Input, "W"),
            Stacked(graph, parts, part => part.Recurrent, "R"),
            weights[0].HasBias || parts[0].NeedsBias ? Matrix.Stack(Array.ConvertAll(parts, part => part.Bias)).Write(graph, "B", directions, parts[0].Bias.Rows) : null,
            lengths,
        };
        for (var state = 0; state < states; state++)
        {
            inputs.Add(InitialState(graph, initial, state, states, x, hidden));
        }

        if (parts[0].Peephole is not null)
        {
            inputs.Add(Matrix.Stack(Array.ConvertAll(parts, part => part.Peephole!)).Write(graph, "P", directions, 3 * hidden));
        }

        while (inputs[^1] is null)
        {
            inputs.RemoveAt(inputs.Count - 1);
        }

        var types = new OnnxElementType[1 + states];
        Array.Fill(types, x.ElementType);
        var outputs = graph.Emit(parts[0].Operation, [.. inputs], types, [.. AttributesOf(weights[0], directions, parts[0])]);
        for (var i = 0; i < final.Length; i++)
        {
            var state = graph.Gather(outputs[1 + (i % states)], graph.Integer(i / states));

            // Runtimes give zeros for rows without steps, whose state this library leaves as it is.
            final[i] = lengths is not null && initial[i] is { } start
                ? graph.Where(graph.Unsqueeze(graph.Compare("Greater", graph.Cast(lengths, OnnxElementType.Int64), graph.Integer(0)), 1), state, start)
                : state;
        }

        return outputs[0];
    }

    // The name of the cell without its activations: those of a plain network stand in it, chosen ones are said beside it.
    private static string CellOf<T>(RecurrentLayer<T> layer)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var name = layer.Layout.Name;
        return layer.Activations is not null ? name[..^ChosenActivations.Length] : ActivationWriter.OfCell(name, "rnn-") is not null ? "rnn" : name;
    }

    // The functions of one direction in the order of the operator: f, g and h of an LSTM, f and g of a GRU, f of an RNN.
    private static ActivationFunction[] FunctionsOf<T>(RecurrentLayer<T> layer)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var activations = layer.Activations ?? new();
        var cell = CellOf(layer);
        return cell.StartsWith("lstm", StringComparison.Ordinal) ? [activations.Gate, activations.Candidate, activations.Output]
            : cell.StartsWith("gru", StringComparison.Ordinal) ? [activations.Gate, activations.Candidate]
            : [layer.Activations?.Candidate ?? ActivationWriter.OfCell(layer.Layout.Name, "rnn-")!.Value];
    }

    private static OnnxGraphValue Stacked(OnnxGraph graph, OperatorWeights[] parts, Func<OperatorWeights, Matrix> select, string name)
    {
        var matrices = Array.ConvertAll(parts, part => select(part));
        return Matrix.Stack(matrices).Write(graph, name, parts.Length, matrices[0].Rows, matrices[0].Columns);
    }

    // [D, N, H] of the states of each direction; null where all are zero.
    private static OnnxGraphValue? InitialState(OnnxGraph graph, OnnxGraphValue?[] initial, int state, int states, OnnxGraphValue x, int hidden)
    {
        var parts = new OnnxGraphValue[initial.Length / states];
        if (initial.All(part => part is null))
        {
            return null;
        }

        for (var direction = 0; direction < parts.Length; direction++)
        {
            parts[direction] = graph.Unsqueeze(initial[(direction * states) + state] ?? graph.Filled(graph.Scalar(0), x, 1, hidden), 0);
        }

        return graph.Concat(0, parts);
    }

    private static List<AttributeProto> AttributesOf<T>(CellWeights<T> weights, int directions, OperatorWeights parts)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var attributes = new List<AttributeProto>
        {
            Attributes.Integer("hidden_size", weights.HiddenSize),
            Attributes.Text("direction", directions == 2 ? "bidirectional" : weights.Layer.Options.Reverse ? "reverse" : "forward"),
        };
        if (parts.LinearBeforeReset)
        {
            attributes.Add(Attributes.Integer("linear_before_reset", 1));
        }

        if (parts.CouplesGates)
        {
            attributes.Add(Attributes.Integer("input_forget", 1));
        }

        if (weights.Layer.Activations?.Clip is { } clip)
        {
            attributes.Add(Attributes.Number("clip", (float)clip));
        }

        // For each direction its functions; α and β stand there for those alone that have one, and always: runtimes differ in what they take without.
        var functions = Enumerable.Repeat(FunctionsOf(weights.Layer), directions).SelectMany(each => each).ToArray();
        var known = Array.ConvertAll(functions, function => ActivationWriter.OfRecurrentOperator(function.Kind)!.Value);
        attributes.Add(Attributes.Texts("activations", known.Select(function => function.Name)));
        var alphas = functions.Where((_, i) => known[i].HasAlpha).Select(function => (float)ActivationWriter.NumbersOf(function).Alpha).ToArray();
        var betas = functions.Where((_, i) => known[i].HasBeta).Select(function => (float)ActivationWriter.NumbersOf(function).Beta).ToArray();
        if (alphas.Length > 0)
        {
            attributes.Add(Attributes.Numbers("activation_alpha", alphas));
        }

        if (betas.Length > 0)
        {
            attributes.Add(Attributes.Numbers("activation_beta", betas));
        }

        return attributes;
    }

    private static OperatorWeights Parts<T>(CellWeights<T> weights)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var name = CellOf(weights.Layer);
        return name.StartsWith("lstm", StringComparison.Ordinal) ? Lstm(weights) : name.StartsWith("gru", StringComparison.Ordinal) ? Gru(weights) : Rnn(weights);
    }

    // i o f c. Coupled gates here are i = 1 − f, there f = 1 − i: σ(−a) = 1 − σ(a), so the forget gate's rows with the other sign are those of the input gate, and those of f are not read.
    private static OperatorWeights Lstm<T>(CellWeights<T> weights)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var isInputCoupled = CellOf(weights.Layer).EndsWith("-inputcoupled", StringComparison.Ordinal);
        var (hidden, hasForget) = (weights.HiddenSize, weights.Gate("f") >= 0 || isInputCoupled);
        var couples = weights.Gate("i") < 0;
        var hasPeephole = weights.Layout.UnitWeights.Count > 0;
        Matrix Order(Func<string, Matrix> of, double openForget)
        {
            var forget = weights.Gate("f") >= 0 && !couples ? of("f") : null;
            var input = couples ? of("f").Negated() : of("i");
            return Matrix.Stack(input, of("o"), forget ?? Matrix.Filled(input.Rows, input.Columns, openForget), of("g"));
        }

        var bias = weights.HasBias ? Order(letter => weights.RowsOf("bias", letter), Open) : Order(_ => Matrix.Filled(hidden, 1, 0), hasForget ? 0 : Open);
        return new("LSTM")
        {
            Input = Order(letter => weights.RowsOf("weight_ih", letter), 0),
            Recurrent = Order(weights.RecurrentRows, 0),
            Bias = Matrix.Stack(bias, Matrix.Filled(4 * hidden, 1, 0)),
            NeedsBias = !hasForget,
            CouplesGates = couples || isInputCoupled,
            Peephole = hasPeephole ? Peephole(weights, couples) : null,
        };
    }

    private static Matrix Peephole<T>(CellWeights<T> weights, bool couples)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var forget = weights.Gate("f") >= 0 && !couples ? Row("pf") : Matrix.Filled(weights.HiddenSize, 1, 0);
        return Matrix.Stack(couples ? Row("pf").Negated() : Row("pi"), Row("po"), forget);

        Matrix Row(string letter) => weights.UnitRow(letter).Transposed();
    }

    // z r h. The sign of an update gate that lets the new state in is turned.
    private static OperatorWeights Gru<T>(CellWeights<T> weights)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var hidden = weights.HiddenSize;
        var replaces = CellOf(weights.Layer).EndsWith("-replacing", StringComparison.Ordinal);
        var isAfter = weights.Gate("m") >= 0;
        Matrix Order(Func<string, Matrix> of, string candidate) => Matrix.Stack(replaces ? of("z").Negated() : of("z"), of("r"), of(candidate));

        var none = Matrix.Filled(hidden, 1, 0);
        var bias = weights.HasBias ? Order(letter => weights.RowsOf("bias", letter), "n") : Matrix.Filled(3 * hidden, 1, 0);
        return new("GRU")
        {
            Input = Order(letter => weights.RowsOf("weight_ih", letter), "n"),
            Recurrent = Order(weights.RecurrentRows, isAfter ? "m" : "n"),
            Bias = Matrix.Stack(bias, none, none, isAfter && weights.HasBias ? weights.RowsOf("bias", "m") : none),
            LinearBeforeReset = isAfter,
        };
    }

    private static OperatorWeights Rnn<T>(CellWeights<T> weights)
        where T : unmanaged, IFloatingPointIeee754<T> => new("RNN")
        {
            Input = weights["weight_ih"],
            Recurrent = weights["weight_hh"],
            Bias = Matrix.Stack(weights.HasBias ? weights["bias"] : Matrix.Filled(weights.HiddenSize, 1, 0), Matrix.Filled(weights.HiddenSize, 1, 0)),
        };

    /// <summary>What an operator reads of one direction.</summary>
    private sealed class OperatorWeights(string operation)
    {
        internal string Operation => operation;

        /// <summary>[G·H, I].</summary>
        internal required Matrix Input { get; init; }

        /// <summary>[G·H, H].</summary>
        internal required Matrix Recurrent { get; init; }

        /// <summary>Those of the input and those of the recurrent product, [2·G·H, 1].</summary>
        internal required Matrix Bias { get; init; }

        /// <summary>Whether the biases are more than those of the layer.</summary>
        internal bool NeedsBias { get; init; }

        /// <summary>[3·H, 1], or null.</summary>
        internal Matrix? Peephole { get; init; }

        internal bool LinearBeforeReset { get; init; }

        internal bool CouplesGates { get; init; }
    }
}
