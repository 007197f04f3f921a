using System.Numerics;
using Rnn.Autograd;
using Rnn.Layers;
using Rnn.Tensors;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Rnn.Training;

public static partial class Loss
{
    /// <summary>
    /// Cross-entropy of softmax(x Wᵀ + b), the scores of an output layer, in one operation: as <see cref="CrossEntropy"/> of the layer's result, but
    /// scores are made, scored and turned into their gradient a few rows at a time, while they are in cache. For large vocabularies.
    /// </summary>
    /// <param name="input">What the output layer reads, […, <c>InputSize</c>].</param>
    /// <param name="output">The output layer; it has one output a class.</param>
    /// <param name="targets">The right class, 0 to V − 1, of each step in row-major order; or the ignore index.</param>
    /// <param name="options">Reduction, ignore index, label smoothing, class weights; null for the defaults.</param>
    /// <returns>A scalar, in nats.</returns>
    /// <exception cref="ArgumentException">Shapes, weights or a target do not fit; the message says how.</exception>
    public static Tensor<T> LinearCrossEntropy<T>(Tensor<T> input, Linear<T> output, ReadOnlySpan<int> targets, CrossEntropyOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(output);
        if (input.Rank == 0 || input.Shape[^1] != output.InputSize)
        {
            throw new ArgumentException(
                $"input: expected [..., {output.InputSize}] but got {input.Shape}; the last dimension must be the output layer's InputSize ({output.InputSize}).", nameof(input));
        }

        var count = input.Length / output.InputSize;
        if (targets.Length != count)
        {
            throw new ArgumentException($"targets: expected {count} targets, one for each step of input {input.Shape}, but got {targets.Length}.", nameof(targets));
        }

        if ((long)count * output.OutputSize > Array.MaxLength)
        {
            throw new ArgumentException(
                $"input: {count} steps of {output.OutputSize} classes are {(long)count * output.OutputSize} scores, but an array holds {Array.MaxLength}; use fewer steps at once.",
                nameof(input));
        }

        var shape = new Shape([.. input.Shape.Dimensions[..^1], output.OutputSize]);
        var records = Graph.Records<T>(input, output.Weight, output.Bias?.Value);
        var rows = new CrossEntropyRows<T>(shape, targets, LossRegion.Of(shape, default, nameof(input)), options ?? new());
        var pass = new LinearCrossEntropyPass<T>(input, output, rows, records);
        var loss = Tensor<T>.Scalar(T.CreateTruncating(pass.Forward()));
        if (pass.Kept is not { } kept)
        {
            return loss;
        }

        var node = new LinearCrossEntropyNode<T>(pass, input, output.Weight, output.Bias?.Value);
        node.Keep(kept, kept.Bytes);
        return node.Attach(loss);
    }

    private sealed unsafe class LinearCrossEntropyNode<T>(LinearCrossEntropyPass<T> pass, Tensor<T> input, Tensor<T> weight, Tensor<T>? bias)
        : GraphNode<T>([input, weight, bias])
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        internal override void Backward()
        {
            if (OutputGradient()[0] == T.Zero)
            {
                PassNothing();
                return;
            }

            pass.Scale(OutputGradient()[0]);
            var (outputs, inputs) = (Inputs[1]!.Shape[0], Inputs[1]!.Shape[1]);
            fixed (T* x = Inputs[0]!.AsReadOnlySpan(), scores = pass.ScoreGradients)
            {
                if (Needs(1))
                {
                    var weights = InputGradient(1);
                    fixed (T* dw = weights)
                    {
                        MatrixProduct<T>.AddTransposed(scores, x, dw, pass.Count, outputs, inputs);
                    }

                    pass.ClearPadding(weights);
                }

                if (Needs(2))
                {
                    fixed (T* db = InputGradient(2))
                    {
                        MatrixProduct<T>.AddColumnSums(scores, pass.Count, outputs, db);
                    }
                }
            }

            if (Needs(0))
            {
                var dx = InputGradient(0, out var fresh);
                if (fresh)
                {
                    pass.InputGradients.CopyTo(dx);
                }
                else
                {
                    TensorPrimitives.Add(dx, pass.InputGradients, dx);
                }
            }
        }

        // Gradients of zero, which are gradients all the same.
        private void PassNothing()
        {
            if (Needs(1))
            {
                _ = InputGradient(1);
            }

            if (Needs(2))
            {
                _ = InputGradient(2);
            }

            if (Needs(0))
            {
                var dx = InputGradient(0, out var fresh);
                if (fresh)
                {
                    dx.Clear();
                }
            }
        }
    }
}
