using System.Numerics;
using Rnn.Autograd;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>A causal convolution as one recorded operation, with a condition and a gated unit behind it where wanted.</summary>
internal sealed unsafe class ConvolutionNode<T> : GraphNode<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly ConvolutionShape _shape;
    private readonly Tensor<T>? _gates;

    private ConvolutionNode(ConvolutionShape shape, Tensor<T>?[] inputs, Tensor<T>? gates)
        : base(inputs)
    {
        (_shape, _gates) = (shape, gates);
        if (gates is not null)
        {
            SaveForBackward(gates);
        }
    }

    /// <summary>The outputs [N, T, O], or half of O where gated; zeros past the end of each row.</summary>
    /// <param name="weights">The weights [O, K·I + C] and the bias.</param>
    /// <param name="input">[N, T, I].</param>
    /// <param name="state">The inputs before the first step [N, (K − 1)·d, I].</param>
    /// <param name="condition">[N, T, C], or null.</param>
    /// <param name="kernel">K.</param>
    /// <param name="dilation">d.</param>
    /// <param name="isGated">Whether the output is tanh of the first half of the product times σ of the second.</param>
    /// <param name="lengths">The lengths; empty for T. What lies past them is not read.</param>
    internal static Tensor<T> Apply(
        Linear<T> weights, Tensor<T> input, Tensor<T> state, Tensor<T>? condition, int kernel, int dilation, bool isGated, ReadOnlySpan<int> lengths)
    {
        var (weight, bias) = (weights.Weight.Value, weights.Bias?.Value);
        var shape = ConvolutionShape.Of(input.Shape[0], input.Shape[1], input.Shape[2], condition?.Shape[2] ?? 0, weights.OutputSize, kernel, dilation, lengths);
        var size = isGated ? shape.Outputs / 2 : shape.Outputs;
        var output = Tensor<T>.Uninitialized([shape.Rows, shape.Steps, size]);
        shape.ClearPastEnds(output.AsSpan(), size);
        var records = Graph.Records(input, state, condition, weight, bias);
        var gates = records && isGated ? Tensor<T>.Uninitialized([shape.Rows, shape.Steps, shape.Outputs]) : null;
        var packed = weights.Product.LeaseForward(weight);
        try
        {
            fixed (T* x = input.AsReadOnlySpan(), s = state.AsReadOnlySpan(), c = Values(condition), b = Values(bias), y = output.AsSpan(), g = gates is null ? default : gates.AsSpan())
            {
                new ConvolutionRun<T>(shape).Forward(new() { Input = x, State = s, Condition = c, Packed = packed.Pointer, Bias = b, Output = y, Gates = g, IsGated = isGated });
            }
        }
        finally
        {
            weights.Product.Release(packed);
        }

        return records ? new ConvolutionNode<T>(shape, [input, state, condition, weight, bias], gates).Attach(output) : output;
    }

    internal override void Backward()
    {
        var outputGradient = OutputGradient();
        if (_gates is null)
        {
            fixed (T* da = outputGradient)
            {
                Backward(da);
            }

            return;
        }

        var rented = TensorPool<T>.Rent(_gates.Length);
        try
        {
            fixed (T* da = rented, dz = outputGradient, g = _gates.AsReadOnlySpan())
            {
                new ConvolutionRun<T>(_shape).GateGradients(new() { Output = dz, Gates = g, Gradients = da });
                Backward(da);
            }
        }
        finally
        {
            TensorPool<T>.Return(rented);
        }
    }

    // From the gradients of the product.
    private void Backward(T* gradients)
    {
        var run = new ConvolutionRun<T>(_shape);
        var weight = Inputs[3]!;
        fixed (T* x = Inputs[0]!.AsReadOnlySpan(), s = Inputs[1]!.AsReadOnlySpan(), c = Values(Inputs[2]), w = weight.AsReadOnlySpan())
        {
            if (Needs(3))
            {
                fixed (T* dw = InputGradient(3))
                {
                    run.AddWeightGradients(new() { Gradients = gradients, Input = x, State = s, Condition = c, Target = dw });
                }
            }

            if (Needs(4))
            {
                fixed (T* db = InputGradient(4))
                {
                    for (var row = 0; row < _shape.Rows; row++)
                    {
                        MatrixProduct<T>.AddColumnSums(gradients + ((nint)row * _shape.Steps * _shape.Outputs), _shape.Lengths[row], _shape.Outputs, db);
                    }
                }
            }

            if (Needs(1))
            {
                fixed (T* ds = InputGradient(1, out var overwrite))
                {
                    run.InputGradients(gradients, w, -_shape.Reach, 0, ds, !overwrite);
                }
            }

            if (Needs(0))
            {
                fixed (T* dx = InputGradient(0, out var overwrite))
                {
                    run.InputGradients(gradients, w, 0, _shape.Steps, dx, !overwrite);
                }
            }

            if (Inputs[2] is not null && Needs(2))
            {
                fixed (T* dc = InputGradient(2))
                {
                    AddConditionGradients(gradients, w, dc);
                }
            }
        }
    }

    // The product with the last columns of the weights.
    private void AddConditionGradients(T* gradients, T* weights, T* target)
    {
        var (outputs, size) = (_shape.Outputs, _shape.ConditionSize);
        var columns = TensorPool<T>.Rent(checked(outputs * size));
        try
        {
            fixed (T* w = columns)
            {
                for (var j = 0; j < outputs; j++)
                {
                    new ReadOnlySpan<T>(weights + ((nint)j * _shape.PatchSize) + _shape.PatchSize - size, size).CopyTo(new(w + ((nint)j * size), size));
                }

                for (var row = 0; row < _shape.Rows; row++)
                {
                    var at = (nint)row * _shape.Steps;
                    MatrixProduct<T>.Multiply(gradients + (at * outputs), w, transposeB: false, target + (at * size), _shape.Lengths[row], size, outputs, accumulate: true);
                }
            }
        }
        finally
        {
            TensorPool<T>.Return(columns);
        }
    }

    private static ReadOnlySpan<T> Values(Tensor<T>? tensor) => tensor is null ? default : tensor.AsReadOnlySpan();
}
