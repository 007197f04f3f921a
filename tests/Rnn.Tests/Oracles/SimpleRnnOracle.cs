using Rnn.Layers;
using Rnn.Tensors;

namespace Rnn.Tests.Oracles;

/// <summary>h = φ(W x + U h₋ + b).</summary>
internal sealed record SimpleRnnOracle(Activation Function) : CellOracle
{
    public override string Gates => "h";

    public override Activation? NamedActivation => Function;

    public override Tensor<double>[] Step(Weights w, Tensor<double> x, Tensor<double>[] before) => [Apply(Function, w.Sum('h', x, before[0]))];
}

/// <summary>IndRNN: h = φ(W x + u⊙h₋ + b), every unit sees itself alone.</summary>
internal sealed record IndRnnOracle(Activation Function) : CellOracle
{
    public override string Gates => "h";

    public override Activation? NamedActivation => Function;

    public override Tensor<double>[] Step(Weights w, Tensor<double> x, Tensor<double>[] before) =>
        [Apply(Function, w.Input('h', x) + (w["weight_v"] * before[0]) + w.Bias('h'))];
}
