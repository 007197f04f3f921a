using Rnn.Autograd;
using Rnn.Tensors;

namespace Rnn.Tests.Oracles;

/// <summary>
/// The parameters of one layer in one direction as its equations speak of them: gate by gate, found by letter.
/// </summary>
/// <param name="find">A parameter by its full name, such as <c>weight_ih_l0_reverse</c>; null where the layer has none of that name.</param>
/// <param name="suffix">Layer and direction: <c>l0</c>, <c>l0_reverse</c>, …</param>
/// <param name="cell">The cell, which knows the order of the gates' rows.</param>
internal sealed class Weights(Func<string, Tensor<double>?> find, string suffix, CellOracle cell)
{
    /// <summary>A parameter by its name without layer and direction.</summary>
    public Tensor<double> this[string name] =>
        Find(name) ?? throw new KeyNotFoundException($"The layer has no parameter '{name}_{suffix}'.");

    public Tensor<double>? Find(string name) => find($"{name}_{suffix}");

    /// <summary>W x of one gate: [N, H] from x [N, I].</summary>
    public Tensor<double> Input(char gate, Tensor<double> x) => x.MatMul(Block("weight_ih", cell.InputGates, gate).Transpose());

    /// <summary>U h of one gate: [N, H] from h [N, H or P].</summary>
    public Tensor<double> Recurrent(char gate, Tensor<double> h) => h.MatMul(Block("weight_hh", cell.RecurrentGates, gate).Transpose());

    /// <summary>b of one gate: [H], or zero where the layer has no biases.</summary>
    public Tensor<double> Bias(char gate) => Find("bias") is null ? Tensor<double>.Scalar(0) : Block("bias", cell.Gates, gate);

    /// <summary>W x + U h + b of one gate.</summary>
    public Tensor<double> Sum(char gate, Tensor<double> x, Tensor<double> h) => Input(gate, x) + Recurrent(gate, h) + Bias(gate);

    /// <summary>The rows of one gate in a parameter that stacks the given gates.</summary>
    public Tensor<double> Block(string name, string stacked, char gate)
    {
        var parameter = this[name];
        var height = parameter.Shape[0] / stacked.Length;
        var start = stacked.IndexOf(gate, StringComparison.Ordinal) * height;
        return parameter.Slice(0, start..(start + height));
    }
}
