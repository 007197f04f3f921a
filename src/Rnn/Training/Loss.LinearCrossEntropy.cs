using System.Numerics;
using Rnn.Autograd;
using Rnn.Kernels;
using Rnn.Layers;
using Rnn.Tensors;

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
                $"input: {count} steps of {output.OutputSize} scores are {(long)count * output.OutputSize} numbers, more than an array can hold ({Array.MaxLength}); use fewer rows or steps at once.",
                nameof(input));
        }

        var shape = new Shape([.. input.Shape.Dimensions[..^1], output.OutputSize]);
        var records = Graph.Records<T>(input, output.Weight, output.Bias?.Value);
        var rows = new CrossEntropyRows<T>(shape, targets, LossRegion.OfClasses(shape, default, nameof(input)), options ?? new());
        var pass = new LinearCrossEntropyPass<T>(input, output, rows, records);
        Tensor<T> loss;
        try
        {
            loss = Tensor<T>.Scalar(T.CreateTruncating(pass.Forward()));
        }
        catch
        {
            rows.Release();
            pass.Kept?.GiveBack();
            throw;
        }

        if (pass.Kept is not { } kept)
        {
            return loss;
        }

        var node = new LinearCrossEntropyNode<T>(pass, input, output.Weight, output.Bias?.Value);
        node.SaveMemory(kept, kept.Bytes);
        return node.Attach(loss);
    }

    private sealed unsafe class LinearCrossEntropyNode<T>(LinearCrossEntropyPass<T> pass, Tensor<T> input, Tensor<T> weight, Tensor<T>? bias)
        : GraphNode<T>([input, weight, bias])
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // What the forward pass kept stays as it is: a second backward pass may come with another gradient of the loss.
        internal override void Backward()
        {
            var scale = OutputGradient()[0];
            if (Needs(1))
            {
                AddWeightGradient(scale);
            }

            if (Needs(2))
            {
                AddBiasGradient(scale);
            }

            if (Needs(0))
            {
                var dx = InputGradient(0, out var overwrite);
                if (overwrite)
                {
                    SpanKernels<T>.Scale(pass.InputGradients, scale, dx);
                }
                else
                {
                    SpanKernels<T>.AddScaled(pass.InputGradients, scale, dx);
                }
            }
        }

        // The inputs are scaled rather than the gradients of the scores, which are many more.
        private void AddWeightGradient(T scale)
        {
            var input = Inputs[0]!.AsReadOnlySpan();
            var gradient = InputGradient(1);
            var rented = scale == T.One ? null : TensorPool<T>.Rent(input.Length);
            try
            {
                if (rented is not null)
                {
                    SpanKernels<T>.Scale(input, scale, rented);
                    input = rented.AsSpan(0, input.Length);
                }

                fixed (T* x = input, scores = pass.ScoreGradients, dw = gradient)
                {
                    MatrixProduct<T>.AddTransposed(scores, x, dw, pass.Count, Inputs[1]!.Shape[0], Inputs[1]!.Shape[1]);
                }

                pass.ClearPadding(gradient);
            }
            finally
            {
                if (rented is not null)
                {
                    TensorPool<T>.Return(rented);
                }
            }
        }

        private void AddBiasGradient(T scale)
        {
            var outputs = Inputs[1]!.Shape[0];
            var rented = TensorPool<T>.Rent(outputs);
            try
            {
                var sums = rented.AsSpan(0, outputs);
                sums.Clear();
                fixed (T* scores = pass.ScoreGradients, to = sums)
                {
                    MatrixProduct<T>.AddColumnSums(scores, pass.Count, outputs, to);
                }

                SpanKernels<T>.AddScaled(sums, scale, InputGradient(2));
            }
            finally
            {
                TensorPool<T>.Return(rented);
            }
        }
    }
}
