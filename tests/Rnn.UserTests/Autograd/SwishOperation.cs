using Rnn.Autograd;
using Rnn.Tensors;

namespace Rnn.UserTests.Autograd;

/// <summary>y = x·σ(βx), with a β for each column.</summary>
public sealed class SwishOperation : DifferentiableOperation<double>
{
    /// <summary>What the last call has saved.</summary>
    public Tensor<double>? LastGate { get; private set; }

    protected override Tensor<double>[] Forward(OperationContext<double> context)
    {
        var (x, beta) = (context.Input(0), context.Input(1));
        LastGate = context.Save((beta * x).Sigmoid());
        return [x * LastGate];
    }

    protected override Tensor<double>?[] Backward(OperationContext<double> context)
    {
        var (x, beta, gate) = (context.Input(0), context.Input(1), context.Saved(0));
        var dy = context.OutputGradient();
        var slope = x * gate * (1.0 - gate);
        var dbeta = dy * x * slope;
        return [dy * (gate + (beta * slope)), dbeta.Rank > 1 ? dbeta.Sum(0) : dbeta];
    }
}
