using System.Numerics;
using Rnn.Layers;
using Rnn.Layers.Engine;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>What gates and units do over a batch, from the values that a forward pass saves.</summary>
internal static class Activity
{
    /// <summary>Measures a layer and gives the result to the report.</summary>
    internal static void Measure<T>(SequenceLayer<T> layer, Tensor<T> input, int[] lengths, GradientFlowOptions<T> options, GradientFlowReport report)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // Gate values are saved where a backward pass may follow; final states lead to the passes of the layers.
        var recorded = input.Clone();
        recorded.RequiresGradient = true;
        var (output, final) = layer.Forward(recorded, lengths, options.InitialState);
        var (gates, units, nodes) = (new List<GateActivity>(), new List<UnitActivity>(), new HashSet<RecurrentNode<T>>());
        for (var i = 0; i < final.Names.Count; i++)
        {
            if (final.Tensors[i].Node is RecurrentNode<T> node && nodes.Add(node))
            {
                var name = LayerName(final.Names[i]);
                AddGates(name, node, lengths, gates);
                units.Add(Units(name, node.Output, lengths, options.DeadRange));
                GC.KeepAlive(node);
            }
        }

        if (units.Count == 0)
        {
            units.Add(Units("output", output, lengths, options.DeadRange));
        }

        (report.Gates, report.Units) = (gates.ToArray(), units.ToArray());
    }

    // 0.h_l1 is of the layer 0.l1.
    private static string LayerName(string state)
    {
        var start = state.LastIndexOf('.') + 1;
        return $"{state[..start]}{state[(state.IndexOf('_', start) + 1)..]}";
    }

    private static void AddGates<T>(string name, RecurrentNode<T> node, int[] lengths, List<GateActivity> gates)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (program, width) = (node.Program, node.Output.Shape[2]);
        var layout = program.Shape.Layout;
        var isOutput = program.Shape.ProjectionSize == 0 && !program.HasZoneout(0);
        for (var gate = 0; gate < layout.Gates.Count; gate++)
        {
            // The letters of the equations say which gates are σ(·) and which tanh(·). That of a plain cell is its output, which it does not save a second time.
            var letter = layout.Gates[gate].Letter;
            if (letter is "i" or "f" or "o" or "r" or "z" or "g" or "n")
            {
                var counter = new Counter(letter is "g" or "n");
                var size = node.GateValues(0).Length / layout.Gates.Count;
                for (var row = 0; row < lengths.Sum(); row++)
                {
                    counter.Add(node.GateValues(row).Slice(gate * size, size));
                }

                gates.Add(counter.Result(name, letter));
            }
            else if (layout.Name.Split('-') is ["rnn" or "indrnn", var activation, ..] && activation is "tanh" or "sigmoid" or "hard_sigmoid" && isOutput)
            {
                var counter = new Counter(activation == "tanh");
                for (var row = 0; row < lengths.Length; row++)
                {
                    counter.Add(node.Output.AsReadOnlySpan().Slice(row * node.Output.Shape[1] * width, lengths[row] * width));
                }

                gates.Add(counter.Result(name, letter));
            }
        }
    }

    private static UnitActivity Units<T>(string name, Tensor<T> output, int[] lengths, double deadRange)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (steps, width) = (output.Shape[1], output.Shape[2]);
        var dead = 0;
        var values = output.AsReadOnlySpan();
        for (var unit = 0; unit < width; unit++)
        {
            double least = double.PositiveInfinity, largest = double.NegativeInfinity;
            for (var row = 0; row < lengths.Length; row++)
            {
                for (var step = 0; step < lengths[row]; step++)
                {
                    var value = Element.ToDouble(values[(((row * steps) + step) * width) + unit]);
                    (least, largest) = (Math.Min(least, value), Math.Max(largest, value));
                }
            }

            dead += largest - least <= deadRange ? 1 : 0;
        }

        return new(name, width, dead);
    }

    private sealed class Counter(bool isTanh)
    {
        private long _low;
        private long _high;
        private long _count;

        internal void Add<T>(ReadOnlySpan<T> values)
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            foreach (var value in values)
            {
                var number = Element.ToDouble(value);
                _low += number < (isTanh ? -0.9 : 0.1) ? 1 : 0;
                _high += number > 0.9 ? 1 : 0;
            }

            _count += values.Length;
        }

        internal GateActivity Result(string layer, string gate) => new(layer, gate, (double)_low / _count, (double)_high / _count);
    }
}
