using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Tests.Oracles;

/// <summary>Activations with numbers and a clip, written with differentiable operations.</summary>
internal static class ActivatedOracle
{
    /// <summary>φ of x, cut to within the clip first.</summary>
    public static Tensor<double> Apply(this CellActivations activations, ActivationFunction function, Tensor<double> x) =>
        Apply(function, activations.Clip is { } clip ? x.Clamp(-clip, clip) : x);

    /// <summary>φ of x.</summary>
    public static Tensor<double> Apply(ActivationFunction function, Tensor<double> x)
    {
        var (alpha, beta) = (function.Alpha, function.Beta);
        return function.Kind switch
        {
            Activation.Tanh => x.Tanh(),
            Activation.Relu => x.Relu(),
            Activation.LeakyRelu => Tensor<double>.Where(x.GreaterThan(Tensor<double>.Scalar(0)), x, x * alpha),
            Activation.Elu => Tensor<double>.Where(x.GreaterThan(Tensor<double>.Scalar(0)), x, (x.Exp() - 1.0) * alpha),
            Activation.Gelu => x.Gelu(),
            Activation.Softplus => (1.0 + x.Exp()).Log(),
            Activation.Softsign => x / (1.0 + x.Abs()),
            Activation.Sigmoid => 1.0 / (1.0 + (-x).Exp()),
            Activation.HardSigmoid => ((x * alpha) + beta).Clamp(0, 1),
            Activation.Identity => x * 1.0,
            Activation.Affine => (x * alpha) + beta,
            Activation.ThresholdedRelu => Tensor<double>.Where(x.LessThan(Tensor<double>.Scalar(alpha)), x * 0.0, x),
            Activation.ScaledTanh => (x * beta).Tanh() * alpha,
            Activation.Exponential => x.Exp(),
            Activation.Silu => x / (1.0 + (-x).Exp()),
            Activation.Selu => Tensor<double>.Where(x.GreaterThan(Tensor<double>.Scalar(0)), x, (x.Exp() - 1.0) * 1.6732632423543772848170429916717) * 1.0507009873554804934193349852946,
            Activation.GeluTanh => x * 0.5 * (1.0 + ((x + (x * x * x * 0.044715)) * Math.Sqrt(2 / Math.PI)).Tanh()),
            Activation.Mish => x * (1.0 + x.Exp()).Log().Tanh(),
            Activation.Relu6 => x.Clamp(0, 6),
            Activation.HardSilu => x * ((x * (1.0 / 6)) + 0.5).Clamp(0, 1),
            _ => throw new ArgumentOutOfRangeException(nameof(function), function, "not an activation that the oracles know"),
        };
    }
}

/// <summary>The LSTM with activations φ, γ and η: i, f, o = φ(·), g = γ(·), c = f⊙c₋ + i⊙g, h = o⊙η(c); with <paramref name="FromInput"/> f = 1 − i.</summary>
internal sealed record ActivatedLstmOracle(CellActivations Activations, Seeing Peephole, Forgetting Forget, bool FromInput = false, bool Projected = false) : CellOracle
{
    public override string Gates => FromInput ? "igo" : Forget switch { Forgetting.Separate => "ifgo", Forgetting.Coupled => "fgo", _ => "igo" };

    public override int States => 2;

    private string SeeingGates => Gates.Replace("g", "", StringComparison.Ordinal);

    public override Tensor<double>[] Step(Weights w, Tensor<double> x, Tensor<double>[] before)
    {
        var (h, c) = (before[0], before[1]);
        Tensor<double> GateValue(char gate, Tensor<double> seen) => Activations.Apply(Activations.Gate, w.Sum(gate, x, h) + Seen(w, gate, seen));

        Tensor<double> f, i;
        if (Forget == Forgetting.Coupled)
        {
            f = GateValue('f', c);
            i = 1.0 - f;
        }
        else
        {
            i = GateValue('i', c);
            f = FromInput ? 1.0 - i : Forget == Forgetting.Never ? Tensor<double>.Ones(c.Shape) : GateValue('f', c);
        }

        var cNew = (f * c) + (i * Activations.Apply(Activations.Candidate, w.Sum('g', x, h)));
        var read = Normalized ? (Weights.Normalized(cNew) * w["norm_c"].Select(0, 0)) + w["norm_c"].Select(0, 1) : cNew;
        var hNew = GateValue('o', cNew) * Activations.Apply(Activations.Output, read);
        return [Projected ? hNew.MatMul(w["weight_hr"].Transpose()) : hNew, cNew];
    }

    private Tensor<double> Seen(Weights w, char gate, Tensor<double> c) => Peephole switch
    {
        Seeing.OwnCell => w.Block("weight_peephole", SeeingGates, gate) * c,
        Seeing.AllCells => w.Product("ch", SeeingGates, gate, c, together: gate == 'o' ? "o" : SeeingGates[..^1]),
        _ => Tensor<double>.Zeros(c.Shape),
    };
}

/// <summary>The GRU with activations φ of r and z, γ of n.</summary>
internal sealed record ActivatedGruOracle(CellActivations Activations, bool ResetAfter, bool UpdateGateKeepsState) : CellOracle
{
    public override string Gates => ResetAfter ? "rznm" : "rzn";

    public override string InputGates => "rzn";

    public override string RecurrentGates => ResetAfter ? "rzm" : "rzn";

    public override IReadOnlyList<string> Together => ResetAfter ? ["rz", "n", "m"] : ["rz", "n"];

    public override Tensor<double>[] Step(Weights w, Tensor<double> x, Tensor<double>[] before)
    {
        var h = before[0];
        var r = Activations.Apply(Activations.Gate, w.Sum('r', x, h));
        var z = Activations.Apply(Activations.Gate, w.Sum('z', x, h));
        var n = Activations.Apply(Activations.Candidate, ResetAfter
            ? w.Input('n', x) + w.Bias('n') + (r * (w.Recurrent('m', h) + w.Bias('m')))
            : w.Input('n', x) + w.Recurrent('n', r * h) + w.Bias('n'));
        return [UpdateGateKeepsState ? ((1.0 - z) * n) + (z * h) : ((1.0 - z) * h) + (z * n)];
    }
}

/// <summary>h = φ(W x + U h₋ + b).</summary>
internal sealed record ActivatedRnnOracle(CellActivations Activations) : CellOracle
{
    public override string Gates => "h";

    public override Tensor<double>[] Step(Weights w, Tensor<double> x, Tensor<double>[] before) =>
        [Activations.Apply(Activations.Candidate, w.Sum('h', x, before[0]))];
}
