using Rnn.Tensors;

namespace Rnn.Tests.Oracles;

/// <summary>
/// The parameters of one layer in one direction as its equations speak of them: gate by gate, found by letter.
/// </summary>
/// <param name="find">A parameter by its full name, such as <c>weight_ih_l0_reverse</c>; null where the layer has none of that name.</param>
/// <param name="suffix">Layer and direction: <c>l0</c>, <c>l0_reverse</c>, …</param>
/// <param name="cell">The cell, which knows the order of the gates' rows.</param>
/// <param name="dropout">The mask [N, size] of what recurrent products multiply; null for none.</param>
internal sealed class Weights(Func<string, Tensor<double>?> find, string suffix, CellOracle cell, Func<int, Tensor<double>>? dropout = null)
{
    /// <summary>A parameter by its name without layer and direction.</summary>
    public Tensor<double> this[string name] =>
        Find(name) ?? throw new KeyNotFoundException($"The layer has no parameter '{name}_{suffix}'.");

    public Tensor<double>? Find(string name) => find($"{name}_{suffix}");

    /// <summary>W x of one gate: [N, H] from x [N, I].</summary>
    public Tensor<double> Input(char gate, Tensor<double> x) => Product("ih", cell.InputGates, gate, x);

    /// <summary>U h of one gate: [N, H] from h [N, H or P].</summary>
    public Tensor<double> Recurrent(char gate, Tensor<double> h) => Product("hh", cell.RecurrentGates, gate, dropout is null ? h : h * dropout(h.Shape[1]));

    /// <summary>
    /// One gate of a product; layer-normalised where the cell is: over all gates that are multiplied together (<see cref="CellOracle.Together"/>).
    /// </summary>
    public Tensor<double> Product(string weight, string stacked, char gate, Tensor<double> x, string? together = null)
    {
        if (!cell.Normalized)
        {
            return x.MatMul(Block($"weight_{weight}", stacked, gate).Transpose());
        }

        together ??= cell.Together.Single(group => group.Contains(gate, StringComparison.Ordinal));
        var rows = together.Select(g => Block($"weight_{weight}", stacked, g)).ToArray();
        var gains = together.Select(g => Block($"norm_{weight}", stacked, g)).ToArray();
        var sum = Normalized(x.MatMul(Tensor<double>.Concat(rows, 0).Transpose())) * Tensor<double>.Concat(gains, 0);
        var height = rows[0].Shape[0];
        var start = together.IndexOf(gate, StringComparison.Ordinal) * height;
        return sum.Slice(1, start..(start + height));
    }

    /// <summary>b of one gate: [H], or zero where the layer has no biases.</summary>
    public Tensor<double> Bias(char gate) => Find("bias") is null ? Tensor<double>.Scalar(0) : Block("bias", cell.Gates, gate);

    /// <summary>W x + U h + b of one gate.</summary>
    public Tensor<double> Sum(char gate, Tensor<double> x, Tensor<double> h) => Input(gate, x) + Recurrent(gate, h) + Bias(gate);

    /// <summary>Layer normalisation without gain and bias: each row less its mean, over its standard deviation.</summary>
    public static Tensor<double> Normalized(Tensor<double> x)
    {
        var centred = x - x.Mean(-1, keepDimensions: true);
        return centred / ((centred * centred).Mean(-1, keepDimensions: true) + 1e-5).Sqrt();
    }

    /// <summary>The rows of one gate in a parameter that stacks the given gates.</summary>
    public Tensor<double> Block(string name, string stacked, char gate)
    {
        var parameter = this[name];
        var height = parameter.Shape[0] / stacked.Length;
        var start = stacked.IndexOf(gate, StringComparison.Ordinal) * height;
        return parameter.Slice(0, start..(start + height));
    }
}
