using Rnn.Tensors;

namespace Rnn.Tests.Oracles;

internal enum Seeing
{
    Nothing,
    OwnCell,
    AllCells,
}

internal enum Forgetting
{
    Separate,
    Coupled,
    Never,
}

/// <summary>
/// The LSTM family: i, f, o = σ(·), g = tanh(·), c = f⊙c₋ + i⊙g, h = o⊙tanh c.
/// Peepholes: i and f see p⊙c₋ (or P c₋), o sees p⊙c (or P c). Coupled: i = 1 − f. The cell of 1997: f = 1.
/// Normalised: LN(W x; γ) + LN(U h₋; γ) + b, each over all gates together, and h = o⊙tanh LN(c; γ, β).
/// Projection: h = W_hr (o⊙tanh c).
/// </summary>
internal sealed record LstmOracle(Seeing Peephole = Seeing.Nothing, Forgetting Forget = Forgetting.Separate, bool Projected = false) : CellOracle
{
    public override string Gates => Forget switch { Forgetting.Separate => "ifgo", Forgetting.Coupled => "fgo", _ => "igo" };

    public override int States => 2;

    private string SeeingGates => Gates.Replace("g", "", StringComparison.Ordinal);

    public override Tensor<double>[] Step(Weights w, Tensor<double> x, Tensor<double>[] before)
    {
        var (h, c) = (before[0], before[1]);

        var f = Forget == Forgetting.Never ? Tensor<double>.Ones(c.Shape) : (w.Sum('f', x, h) + Seen(w, 'f', c)).Sigmoid();
        var i = Forget == Forgetting.Coupled ? 1.0 - f : (w.Sum('i', x, h) + Seen(w, 'i', c)).Sigmoid();
        var g = w.Sum('g', x, h).Tanh();
        var cNew = (f * c) + (i * g);
        var o = (w.Sum('o', x, h) + Seen(w, 'o', cNew)).Sigmoid();
        var hNew = o * (Normalized ? (Weights.Normalized(cNew) * w["norm_c"].Select(0, 0)) + w["norm_c"].Select(0, 1) : cNew).Tanh();

        return [Projected ? hNew.MatMul(w["weight_hr"].Transpose()) : hNew, cNew];
    }

    /// <summary>What a gate sees of a cell state.</summary>
    private Tensor<double> Seen(Weights w, char gate, Tensor<double> c) => Peephole switch
    {
        Seeing.OwnCell => w.Block("weight_peephole", SeeingGates, gate) * c,
        Seeing.AllCells => w.Product("ch", SeeingGates, gate, c, together: gate == 'o' ? "o" : SeeingGates[..^1]),
        _ => Tensor<double>.Zeros(c.Shape),
    };
}
