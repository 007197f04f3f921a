using Rnn.Tensors;

namespace Rnn.Tests.Oracles;

/// <summary>h = φ(W x + U h₋ + b).</summary>
internal sealed record SimpleRnnOracle(Func<Tensor<double>, Tensor<double>> Activation) : CellOracle
{
    public override string Gates => "h";

    public override Tensor<double>[] Step(Weights w, Tensor<double> x, Tensor<double>[] before) => [Activation(w.Sum('h', x, before[0]))];
}

/// <summary>IndRNN: h = φ(W x + u⊙h₋ + b), every unit sees itself alone.</summary>
internal sealed record IndRnnOracle(Func<Tensor<double>, Tensor<double>> Activation) : CellOracle
{
    public override string Gates => "h";

    public override Tensor<double>[] Step(Weights w, Tensor<double> x, Tensor<double>[] before) =>
        [Activation(w.Input('h', x) + (w["weight_v"] * before[0]) + w.Bias('h'))];
}
