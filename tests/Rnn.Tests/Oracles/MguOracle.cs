using Rnn.Tensors;

namespace Rnn.Tests.Oracles;

/// <summary>Minimal gated unit: f = σ(W x + U h₋ + b), n = tanh(W x + U(f⊙h₋) + b), h = (1−f)⊙h₋ + f⊙n.</summary>
internal sealed record MguOracle : CellOracle
{
    public override string Gates => "fn";

    public override IReadOnlyList<string> Together => ["f", "n"];

    public override Tensor<double>[] Step(Weights w, Tensor<double> x, Tensor<double>[] before)
    {
        var h = before[0];
        var f = w.Sum('f', x, h).Sigmoid();
        var n = (w.Input('n', x) + w.Recurrent('n', f * h) + w.Bias('n')).Tanh();
        return [((1.0 - f) * h) + (f * n)];
    }
}
