using Rnn.Tensors;

namespace Rnn.Tests.Oracles;

/// <summary>
/// r, z = σ(·). Reset after the product: n = tanh(W x + b + r⊙(U h₋ + b′)); before it: n = tanh(W x + U(r⊙h₋) + b).
/// The recurrent part of the reset-after candidate, U h₋ + b′, is a gate of its own, m.
/// z keeps: h = (1−z)⊙n + z⊙h₋; z replaces: h = (1−z)⊙h₋ + z⊙n.
/// </summary>
internal sealed record GruOracle(bool ResetAfter = true, bool UpdateGateKeepsState = true) : CellOracle
{
    public override string Gates => ResetAfter ? "rznm" : "rzn";

    public override string InputGates => "rzn";

    public override string RecurrentGates => ResetAfter ? "rzm" : "rzn";

    public override IReadOnlyList<string> Together => ResetAfter ? ["rz", "n", "m"] : ["rz", "n"];

    public override Tensor<double>[] Step(Weights w, Tensor<double> x, Tensor<double>[] before)
    {
        var h = before[0];
        var r = w.Sum('r', x, h).Sigmoid();
        var z = w.Sum('z', x, h).Sigmoid();
        var n = ResetAfter
            ? (w.Input('n', x) + w.Bias('n') + (r * (w.Recurrent('m', h) + w.Bias('m')))).Tanh()
            : (w.Input('n', x) + w.Recurrent('n', r * h) + w.Bias('n')).Tanh();
        return [UpdateGateKeepsState ? ((1.0 - z) * n) + (z * h) : ((1.0 - z) * h) + (z * n)];
    }
}
