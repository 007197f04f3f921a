using System.Numerics;
using Rnn.Autograd;
using Rnn.Tensors;

namespace Rnn.Training;

/// <summary>A loss of predictions and targets element by element, over the valid steps.</summary>
internal sealed unsafe class ElementLossNode<T, TLoss> : GraphNode<T>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TLoss : struct, IElementLoss<T>
{
    private readonly TLoss _loss;
    private readonly LossRegion _region;
    private readonly T[]? _weights;
    private readonly double _divisor;

    private ElementLossNode(Tensor<T> prediction, Tensor<T> target, TLoss loss, LossRegion region, T[]? weights, double divisor)
        : base([prediction, target])
    {
        (_loss, _region, _weights, _divisor) = (loss, region, weights, divisor);
    }

    /// <summary>Computes the loss and records it where needed. Weights, if any, repeat over the features of a step, as often as the array is long.</summary>
    internal static Tensor<T> Compute(Tensor<T> prediction, Tensor<T> target, TLoss loss, LossRegion region, T[]? weights, LossReduction reduction)
    {
        var divisor = region.Divisor(reduction);
        var sum = 0.0;
        fixed (T* x = prediction.AsReadOnlySpan(), y = target.AsReadOnlySpan(), w = weights)
        {
            foreach (var (start, count) in region.Runs(weights?.Length ?? 0))
            {
                sum += ElementLossKernel<T, TLoss>.Instance.Sum(loss, x + start, y + start, w, count);
            }
        }

        var result = Tensor<T>.Scalar(T.CreateTruncating(divisor == 0 ? 0 : sum / divisor));
        return Graph.Records(prediction, target)
            ? new ElementLossNode<T, TLoss>(prediction, target, loss, region, weights, divisor).Attach(result)
            : result;
    }

    /// <inheritdoc/>
    internal override void Backward()
    {
        var scale = _divisor == 0 ? 0 : double.CreateTruncating(OutputGradient()[0]) / _divisor;
        if (Needs(0))
        {
            Fill(0, T.CreateTruncating(scale));
        }

        // Every loss here depends on the difference alone, or its targets may not require gradients.
        if (Needs(1))
        {
            Fill(1, T.CreateTruncating(-scale));
        }
    }

    private void Fill(int input, T scale)
    {
        var gradient = InputGradient(input, out var overwrite);
        fixed (T* x = Inputs[0]!.AsReadOnlySpan(), y = Inputs[1]!.AsReadOnlySpan(), w = _weights, g = gradient)
        {
            var end = 0;
            foreach (var (start, count) in _region.Runs(_weights?.Length ?? 0))
            {
                if (overwrite)
                {
                    gradient[end..start].Clear();
                }

                ElementLossKernel<T, TLoss>.Gradient(_loss, x + start, y + start, w, scale, g + start, count, overwrite);
                end = start + count;
            }

            if (overwrite)
            {
                gradient[end..].Clear();
            }
        }
    }
}
