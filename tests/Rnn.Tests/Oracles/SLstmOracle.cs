using Rnn.Tensors;

namespace Rnn.Tests.Oracles;

/// <summary>
/// sLSTM: z = tanh(·), o = σ(·), i = exp(ĩ), f = σ(f̃) or exp(f̃), c = f⊙c₋ + i⊙z, n = f⊙n₋ + i, h = o⊙c/n, with c and n over eᵐ, m = max(log f + m₋, ĩ).
/// </summary>
internal sealed record SLstmOracle(bool ExponentialForget = false) : CellOracle
{
    public override string Gates => "ifzo";

    public override int States => 4;

    public override Tensor<double>[] Step(Weights w, Tensor<double> x, Tensor<double>[] before)
    {
        var (h, c, n, m) = (before[0], before[1], before[2], before[3]);
        var input = w.Sum('i', x, h);
        var forget = w.Sum('f', x, h);
        var z = w.Sum('z', x, h).Tanh();
        var o = w.Sum('o', x, h).Sigmoid();
        var logForget = ExponentialForget ? forget : -(1.0 + (-forget).Exp()).Log();

        // An empty memory (n = 0) has no scale: the first input sets it, and nothing of before is kept.
        var isEmpty = n.EqualTo(Tensor<double>.Zeros(n.Shape));
        var mNew = Tensor<double>.Where(isEmpty, input, (logForget + m).Maximum(input));
        var kept = (1.0 - isEmpty) * (logForget + m - mNew).Exp();
        var taken = (input - mNew).Exp();
        var cNew = (kept * c) + (taken * z);
        var nNew = (kept * n) + taken;
        return [o * (cNew / nNew), cNew, nNew, mNew];
    }
}
