using System.Numerics;
using Rnn.Cells;

namespace Rnn.Onnx.Export;

/// <summary>Layers as a loop over time (Scan) whose body is one step: what no operator says, such as a projection, layer normalisation, heads, zoneout, or a cell that is neither RNN, GRU nor LSTM.</summary>
internal static class RecurrentScan
{
    private const double Epsilon = 1e-5;

    /// <summary>One layer in its one or two directions.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="weights">The weights of each direction.</param>
    /// <param name="x">[T, N, I].</param>
    /// <param name="valid">Which steps lie before the ends of their rows, Boolean [T, N, 1]; null for all.</param>
    /// <param name="initial">For each direction its states [N, size], null for zeros.</param>
    /// <param name="final">Receives for each direction its states after the last step [N, size].</param>
    /// <returns>For each direction [T, N, size].</returns>
    internal static OnnxGraphValue[] Write<T>(OnnxGraph graph, CellWeights<T>[] weights, OnnxGraphValue x, OnnxGraphValue? valid, OnnxGraphValue?[] initial, Span<OnnxGraphValue> final)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var outputs = new OnnxGraphValue[weights.Length];
        var states = final.Length / weights.Length;
        for (var direction = 0; direction < outputs.Length; direction++)
        {
            using var path = graph.Enter(direction == 1 ? "reverse" : "forward");
            var own = weights[direction];
            var start = new OnnxGraphValue[states];
            for (var state = 0; state < states; state++)
            {
                start[state] = initial[(direction * states) + state] ?? graph.Filled(graph.Scalar(0), x, 1, own.StateSize(state));
            }

            outputs[direction] = Loop(graph, own, x, valid, start, direction == 1 || own.Layer.Options.Reverse, final.Slice(direction * states, states));
        }

        return outputs;
    }

    private static OnnxGraphValue Loop<T>(OnnxGraph graph, CellWeights<T> weights, OnnxGraphValue x, OnnxGraphValue? valid, OnnxGraphValue[] start, bool backward, Span<OnnxGraphValue> final)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // The product of the input of all steps at once; within the loop it is split by gates.
        var product = graph.MatMul(x, weights["weight_ih"].Transposed().Write(graph, "weight_ih"));
        if (weights is { HasBias: true, Layout.NormalizesProducts: false })
        {
            product = graph.Add(product, weights["bias"].Slice(0, weights.Layout.InputGates * weights.HiddenSize).Transposed().Write(graph, "bias"));
        }

        return ScanLoop.Write(graph, start, valid is null ? [product] : [product, valid], backward, final, (body, previous, step) =>
        {
            var next = Step(body, weights, previous, step[0]);
            for (var state = 0; valid is not null && state < next.Length; state++)
            {
                next[state] = body.Where(step[1], next[state], previous[state]);
            }

            return (next, valid is null ? next[0] : body.Where(step[1], next[0], body.Scalar(0)));
        });
    }

    private static OnnxGraphValue[] Step<T>(OnnxGraph body, CellWeights<T> weights, OnnxGraphValue[] previous, OnnxGraphValue product)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var layout = weights.Layout;
        var step = new StepValues(body, layout);
        previous.CopyTo(step.Previous, 0);
        StartGates(body, weights, step, product);
        for (var i = 0; i < step.UnitWeights.Length; i++)
        {
            step.UnitWeights[i] = weights[layout.UnitWeightName].Slice(i, 1).Write(body, layout.UnitWeights[i].Letter);
        }

        for (var phase = 0; phase < layout.Phases; phase++)
        {
            for (var i = 0; i < layout.Products.Count; i++)
            {
                if (layout.Products[i].Phase == phase)
                {
                    AddProduct(body, weights, step, i);
                }
            }

            CellEquations.Write(weights.Layer, step, layout.NormalizesProducts && layout.NormalizedPhases.Count > 0 ? layout.NormalizedPhases[phase] : phase);
            foreach (var normalization in layout.Normalizations)
            {
                if (normalization.AfterPhase == phase)
                {
                    var gain = weights[normalization.Name];
                    step.Intermediates[normalization.Intermediate] = body.LayerNormalize(
                        step.Next[normalization.State], gain.Slice(0, 1).Write(body, "gain", gain.Columns), gain.Slice(1, 1).Write(body, "bias", gain.Columns), Epsilon);
                }
            }
        }

        if (weights.Layer.ProjectionSize > 0)
        {
            step.Next[0] = body.MatMul(step.Next[0], weights["weight_hr"].Transposed().Write(body, "weight_hr"));
        }

        for (var state = 0; state < step.Next.Length; state++)
        {
            // In evaluation zoneout is its expectation.
            var keep = state == 0 ? weights.Layer.Options.HiddenZoneout : weights.Layer.Options.CellZoneout;
            if (keep > 0)
            {
                step.Next[state] = body.Add(body.Multiply(step.Previous[state], body.Scalar(keep)), body.Multiply(step.Next[state], body.Scalar(1 - keep)));
            }
        }

        return step.Next;
    }

    // What gates hold before the recurrent products are added: the product of the input, normalised where products are, and the bias.
    private static void StartGates<T>(OnnxGraph body, CellWeights<T> weights, StepValues step, OnnxGraphValue product)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (layout, hidden) = (weights.Layout, weights.HiddenSize);
        var inputs = body.Split(product, -1, [.. Enumerable.Repeat((long)hidden, layout.InputGates)]);
        inputs.CopyTo(step.Gates, 0);
        if (layout.NormalizesProducts)
        {
            // Neighbouring gates that the same recurrent product feeds first are normalised together.
            for (var first = 0; first < inputs.Length;)
            {
                var count = 1;
                while (first + count < inputs.Length && FirstProduct(layout, first + count) is var other && other == FirstProduct(layout, first))
                {
                    count++;
                }

                var gain = weights["norm_ih"].Slice(first * hidden, count * hidden).Write(body, "norm_ih", count * hidden);
                Split(body, body.LayerNormalize(body.Concat(-1, inputs.AsSpan(first, count)), gain, null, Epsilon), count, hidden).CopyTo(step.Gates, first);
                first += count;
            }
        }

        for (var gate = 0; gate < step.Gates.Length; gate++)
        {
            if (weights.HasBias && (gate >= inputs.Length || layout.NormalizesProducts))
            {
                var bias = weights["bias"].Slice(gate * hidden, hidden).Transposed().Write(body, "bias");
                step.Gates[gate] = step.Gates[gate] is { } sum ? body.Add(sum, bias) : bias;
            }
        }
    }

    private static void AddProduct<T>(OnnxGraph body, CellWeights<T> weights, StepValues step, int index)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (layout, hidden) = (weights.Layout, weights.HiddenSize);
        var product = layout.Products[index];
        var row = layout.Products.Take(index).Where(earlier => earlier.Weight == product.Weight).Sum(earlier => earlier.GateCount) * hidden;
        var rows = weights[product.Weight].Slice(row, product.GateCount * hidden);
        var width = product.Source is { Kind: not OperandKind.Intermediate, Index: 0 } ? weights.OutputSize : hidden;
        var value = body.MatMul(step.Source(product.Source), rows.FromBlocks(width, hidden).Transposed().Write(body, product.Weight));
        if (layout.NormalizesProducts)
        {
            var name = product.Weight.StartsWith("weight", StringComparison.Ordinal) ? $"norm{product.Weight["weight".Length..]}" : $"norm_{product.Weight}";
            value = body.LayerNormalize(value, weights[name].Slice(row, product.GateCount * hidden).Write(body, name, product.GateCount * hidden), null, Epsilon);
        }

        var parts = Split(body, value, product.GateCount, hidden);
        for (var i = 0; i < parts.Length; i++)
        {
            var gate = product.FirstGate + i;
            step.Gates[gate] = step.Gates[gate] is { } sum ? body.Add(sum, parts[i]) : parts[i];
        }
    }

    private static OnnxGraphValue[] Split(OnnxGraph body, OnnxGraphValue value, int count, int size) => body.Split(value, -1, [.. Enumerable.Repeat((long)size, count)]);

    private static int FirstProduct(CellLayout layout, int gate)
    {
        for (var i = 0; i < layout.Products.Count; i++)
        {
            if (gate >= layout.Products[i].FirstGate && gate < layout.Products[i].FirstGate + layout.Products[i].GateCount)
            {
                return i;
            }
        }

        return -1;
    }
}
