using Rnn.Tensors;

namespace Rnn.Tests.Oracles;

/// <summary>
/// A cell's equation written down plainly with differentiable operations, one gate at a time: what the fused cell must compute.
/// </summary>
internal abstract record CellOracle
{
    /// <summary>The letters of the gates in the order of their biases.</summary>
    public abstract string Gates { get; }

    /// <summary>The gates in the order of their rows in W.</summary>
    public virtual string InputGates => Gates;

    /// <summary>The gates in the order of their rows in U.</summary>
    public virtual string RecurrentGates => Gates;

    /// <summary>The number of states; the first is the output.</summary>
    public virtual int States => 1;

    /// <summary>Whether products are layer-normalised.</summary>
    public bool Normalized { get; init; }

    /// <summary>The gates whose products are normalised together.</summary>
    public virtual IReadOnlyList<string> Together => [Gates];

    /// <summary>The oracle of a built-in cell by the cell's name.</summary>
    public static CellOracle Named(string cell)
    {
        var parts = cell.Split('-');
        CellOracle oracle = parts[0] switch
        {
            "lstm" => new LstmOracle(
                parts.Contains("peephole") ? Seeing.OwnCell : parts.Contains("fullpeephole") ? Seeing.AllCells : Seeing.Nothing,
                parts.Contains("coupled") ? Forgetting.Coupled : parts.Contains("noforget") ? Forgetting.Never : Forgetting.Separate),
            "gru" => new GruOracle(!parts.Contains("before"), !parts.Contains("replacing")),
            "mgu" => new MguOracle(),
            "rnn" => new SimpleRnnOracle(Activation(parts[1])),
            "indrnn" => new IndRnnOracle(Activation(parts[1])),
            _ => throw new ArgumentException($"cell: '{cell}' has no oracle; write its equation beside the others.", nameof(cell)),
        };
        return oracle with { Normalized = parts.Contains("layernorm") };
    }

    private static Func<Tensor<double>, Tensor<double>> Activation(string name) => name switch
    {
        "tanh" => x => x.Tanh(),
        "relu" => x => x.Relu(),
        "leaky_relu" => x => x.LeakyRelu(),
        "elu" => x => x.Elu(),
        "gelu" => x => x.Gelu(),
        "softplus" => x => (1.0 + x.Exp()).Log(),
        "softsign" => x => x / (1.0 + x.Abs()),
        "sigmoid" => x => 1.0 / (1.0 + (-x).Exp()),
        "hard_sigmoid" => x => ((x * (1.0 / 6)) + 0.5).Clamp(0, 1),
        "identity" => x => x,
        _ => throw new ArgumentException($"name: '{name}' is not an activation that the oracles know.", nameof(name)),
    };

    /// <summary>One step of a batch.</summary>
    /// <param name="w">The parameters.</param>
    /// <param name="x">The input [N, I].</param>
    /// <param name="before">The states before the step, [N, H] each (h [N, P] with a projection).</param>
    /// <returns>The states after the step.</returns>
    public abstract Tensor<double>[] Step(Weights w, Tensor<double> x, Tensor<double>[] before);
}
