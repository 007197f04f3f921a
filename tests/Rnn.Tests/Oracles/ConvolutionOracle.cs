using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Tests.Oracles;

/// <summary>Causal convolutions and WaveNet as plain loops over numbers: one row, step after step, with everything a layer has read in a list.</summary>
internal static class ConvolutionOracle
{
    /// <summary>The outputs of one row, and what the layers remember afterwards.</summary>
    internal static (double[][] Outputs, double[][] State) Run(SequenceLayer<double> layer, double[][] inputs, int row, SequenceState<double> initial) => layer is WaveNet<double> net
        ? RunNet(net, inputs, row, initial)
        : RunConvolution((CausalConvolution<double>)layer, inputs, row, initial);

    private static (double[][] Outputs, double[][] State) RunConvolution(CausalConvolution<double> layer, double[][] inputs, int row, SequenceState<double> initial)
    {
        var read = Before(initial.Tensors[0], row);
        var outputs = new List<double[]>();
        foreach (var input in inputs)
        {
            read.Add(input);
            outputs.Add(Convolve(layer.Taps, read, layer.Options.KernelSize, layer.Options.Dilation, []));
        }

        return ([.. outputs], [After(initial.Tensors[0], read)]);
    }

    private static (double[][] Outputs, double[][] State) RunNet(WaveNet<double> net, double[][] inputs, int row, SequenceState<double> initial)
    {
        var named = net.NamedParameters.ToDictionary(pair => pair.Key, pair => pair.Value.Value.ToArray(), StringComparer.Ordinal);
        var options = net.Options;
        var read = initial.Tensors.Select(tensor => Before(tensor, row)).ToArray();
        var outputs = new List<double[]>();
        foreach (var input in inputs)
        {
            var condition = input[^options.ConditionSize..];
            var hidden = Multiply("input", input[..^options.ConditionSize]);
            var units = new List<double>();
            for (var layer = 0; layer < net.Dilations.Count; layer++)
            {
                read[layer].Add(hidden);
                var patch = new List<double>();
                for (var tap = 0; tap < options.KernelSize; tap++)
                {
                    patch.AddRange(read[layer][read[layer].Count - 1 - ((options.KernelSize - 1 - tap) * net.Dilations[layer])]);
                }

                var gates = Multiply($"gates_l{layer}", [.. patch, .. condition]);
                var unit = new double[options.DilationChannels];
                for (var i = 0; i < unit.Length; i++)
                {
                    unit[i] = Math.Tanh(gates[i]) / (1 + Math.Exp(-gates[i + unit.Length]));
                }

                units.AddRange(unit);
                if (layer < net.Dilations.Count - 1)
                {
                    hidden = [.. hidden.Zip(Multiply($"residual_l{layer}", unit), (a, b) => a + b)];
                }
            }

            outputs.Add(Rectify(Multiply("output", Rectify(Multiply("skip", [.. units])))));
        }

        return ([.. outputs], [.. initial.Tensors.Zip(read, After)]);

        double[] Multiply(string name, double[] x) => Product(named[$"{name}.weight"], named[$"{name}.bias"], x);
    }

    private static double[] Convolve(Linear<double> taps, List<double[]> read, int kernel, int dilation, double[] condition)
    {
        var patch = new List<double>();
        for (var tap = 0; tap < kernel; tap++)
        {
            patch.AddRange(read[read.Count - 1 - ((kernel - 1 - tap) * dilation)]);
        }

        return Product(taps.Weight.Value.ToArray(), taps.Bias?.Value.ToArray() ?? new double[taps.OutputSize], [.. patch, .. condition]);
    }

    private static double[] Product(double[] weight, double[] bias, double[] x)
    {
        var y = new double[bias.Length];
        for (var j = 0; j < y.Length; j++)
        {
            y[j] = bias[j];
            for (var k = 0; k < x.Length; k++)
            {
                y[j] += weight[(j * x.Length) + k] * x[k];
            }
        }

        return y;
    }

    private static double[] Rectify(double[] x) => Array.ConvertAll(x, value => Math.Max(0, value));

    private static List<double[]> Before(Tensor<double> state, int row) => [.. Enumerable.Range(0, state.Shape[1]).Select(step => state.Row(row, step).ToArray())];

    private static double[] After(Tensor<double> state, List<double[]> read) => [.. read.TakeLast(state.Shape[1]).SelectMany(values => values)];
}
