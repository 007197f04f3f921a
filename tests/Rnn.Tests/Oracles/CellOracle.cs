using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Tests.Oracles;

/// <summary>
/// A cell's equation written down plainly with differentiable operations, one gate at a time: what the fused cell must compute.
/// </summary>
internal abstract record CellOracle
{
    private static readonly (string Name, Activation Activation)[] Activations =
    [
        ("tanh", Activation.Tanh),
        ("relu", Activation.Relu),
        ("leaky_relu", Activation.LeakyRelu),
        ("elu", Activation.Elu),
        ("gelu", Activation.Gelu),
        ("softplus", Activation.Softplus),
        ("softsign", Activation.Softsign),
        ("sigmoid", Activation.Sigmoid),
        ("hard_sigmoid", Activation.HardSigmoid),
        ("identity", Activation.Identity),
    ];

    private static readonly Dictionary<string, CellOracle> Known = MakeKnown();

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

    /// <summary>The activation where the cell's name chooses one.</summary>
    public virtual Activation? NamedActivation => null;

    /// <summary>The oracle of a built-in cell by the cell's name.</summary>
    public static CellOracle Named(string cell) => Known.TryGetValue(cell, out var oracle)
        ? oracle
        : throw new ArgumentException($"cell: '{cell}' has no oracle; write its equation beside the others.", nameof(cell));

    /// <summary>The value of an activation.</summary>
    protected static Tensor<double> Apply(Activation activation, Tensor<double> x) => activation switch
    {
        Activation.Tanh => x.Tanh(),
        Activation.Relu => x.Relu(),
        Activation.LeakyRelu => x.LeakyRelu(),
        Activation.Elu => x.Elu(),
        Activation.Gelu => x.Gelu(),
        Activation.Softplus => (1.0 + x.Exp()).Log(),
        Activation.Softsign => x / (1.0 + x.Abs()),
        Activation.Sigmoid => 1.0 / (1.0 + (-x).Exp()),
        Activation.HardSigmoid => ((x * (1.0 / 6)) + 0.5).Clamp(0, 1),
        Activation.Identity => x,
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "not an activation that the oracles know"),
    };

    private static Dictionary<string, CellOracle> MakeKnown()
    {
        Dictionary<string, CellOracle> known = new()
        {
            ["gru"] = new GruOracle(),
            ["gru-replacing"] = new GruOracle(UpdateGateKeepsState: false),
            ["gru-before"] = new GruOracle(ResetAfter: false),
            ["gru-before-replacing"] = new GruOracle(ResetAfter: false, UpdateGateKeepsState: false),
            ["mgu"] = new MguOracle(),
            ["slstm"] = new SLstmOracle(),
            ["slstm-expforget"] = new SLstmOracle(ExponentialForget: true),
        };
        foreach (var (peephole, seeing) in new[] { ("", Seeing.Nothing), ("-peephole", Seeing.OwnCell), ("-fullpeephole", Seeing.AllCells) })
        {
            foreach (var (forget, forgetting) in new[] { ("", Forgetting.Separate), ("-coupled", Forgetting.Coupled), ("-noforget", Forgetting.Never) })
            {
                known.Add($"lstm{peephole}{forget}", new LstmOracle(seeing, forgetting));
            }
        }

        foreach (var (name, activation) in Activations)
        {
            known.Add($"rnn-{name}", new SimpleRnnOracle(activation));
            known.Add($"indrnn-{name}", new IndRnnOracle(activation));
        }

        foreach (var (name, oracle) in known.ToArray())
        {
            known.Add($"{name}-layernorm", oracle with { Normalized = true });
        }

        return known;
    }

    /// <summary>One step of a batch.</summary>
    /// <param name="w">The parameters.</param>
    /// <param name="x">The input [N, I].</param>
    /// <param name="before">The states before the step, [N, H] each (h [N, P] with a projection).</param>
    /// <returns>The states after the step.</returns>
    public abstract Tensor<double>[] Step(Weights w, Tensor<double> x, Tensor<double>[] before);
}
