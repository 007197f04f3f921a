using System.Numerics;
using Rnn.Autograd;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>A causal convolution as one recorded operation, where wanted with a condition, a gated unit behind it and a residual product of that, which is added to the input.</summary>
internal sealed unsafe class ConvolutionNode<T> : GraphNode<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly ConvolutionShape _shape;
    private readonly Tensor<T>? _gates;
    private readonly Tensor<T> _output;
    private readonly LinearProduct<T>? _residual;

    private ConvolutionNode(ConvolutionShape shape, Tensor<T>?[] inputs, Tensor<T>? gates, Tensor<T> output, LinearProduct<T>? residual)
        : base(inputs, residual is null ? 1 : 2)
    {
        (_shape, _gates, _output, _residual) = (shape, gates, output, residual);
        if (gates is not null)
        {
            SaveForBackward(gates);
        }
    }

    /// <summary>The outputs [N, T, O]; zeros past the end of each row.</summary>
    /// <param name="weights">The weights [O, K·I] and the bias.</param>
    /// <param name="input">[N, T, I].</param>
    /// <param name="state">The inputs before the first step [N, (K − 1)·d, I].</param>
    /// <param name="kernel">K.</param>
    /// <param name="dilation">d.</param>
    /// <param name="lengths">The lengths; empty for T. What lies past them is not read.</param>
    internal static Tensor<T> Apply(Linear<T> weights, Tensor<T> input, Tensor<T> state, int kernel, int dilation, ReadOnlySpan<int> lengths) =>
        Apply(weights, input, state, condition: null, kernel, dilation, isGated: false, residual: null, lengths).Output;

    /// <summary>The same with tanh of the first half of the product times σ of the second as the output [N, T, O/2], and the residual sum.</summary>
    /// <param name="weights">The weights [O, K·I + C] and the bias.</param>
    /// <param name="input">[N, T, I].</param>
    /// <param name="state">The inputs before the first step [N, (K − 1)·d, I].</param>
    /// <param name="condition">[N, T, C], or null.</param>
    /// <param name="kernel">K.</param>
    /// <param name="dilation">d.</param>
    /// <param name="residual">The residual product, [I, O/2] with a bias, or null.</param>
    /// <param name="lengths">The lengths; empty for T. What lies past them is not read.</param>
    /// <returns>The output and, where there is a residual product, the input with it added [N, T, I].</returns>
    internal static (Tensor<T> Output, Tensor<T>? Next) ApplyGated(
        Linear<T> weights, Tensor<T> input, Tensor<T> state, Tensor<T>? condition, int kernel, int dilation, Linear<T>? residual, ReadOnlySpan<int> lengths) =>
        Apply(weights, input, state, condition, kernel, dilation, isGated: true, residual, lengths);

    private static (Tensor<T> Output, Tensor<T>? Next) Apply(
        Linear<T> weights, Tensor<T> input, Tensor<T> state, Tensor<T>? condition, int kernel, int dilation, bool isGated, Linear<T>? residual, ReadOnlySpan<int> lengths)
    {
        var (weight, bias) = (weights.Weight.Value, weights.Bias?.Value);
        var shape = ConvolutionShape.Of(input.Shape[0], input.Shape[1], input.Shape[2], condition?.Shape[2] ?? 0, weights.OutputSize, kernel, dilation, lengths);
        var size = isGated ? shape.Outputs / 2 : shape.Outputs;
        var output = Tensor<T>.Uninitialized([shape.Rows, shape.Steps, size]);
        shape.ClearPastEnds(output.AsSpan(), size);
        var next = residual is null ? null : Tensor<T>.Uninitialized(input.Shape);
        if (next is not null)
        {
            shape.ClearPastEnds(next.AsSpan(), shape.Inputs);
        }

        var (weightR, biasR) = (residual?.Weight.Value, residual?.Bias!.Value);
        var records = Graph.Records(input, state, condition, weight, bias, weightR, biasR);
        var gates = records && isGated ? Tensor<T>.Uninitialized([shape.Rows, shape.Steps, shape.Outputs]) : null;
        var packed = weights.Product.LeaseForward(weight);
        var packedR = residual?.Product.LeaseForward(residual.Weight);
        try
        {
            fixed (T* x = input.AsReadOnlySpan(), s = state.AsReadOnlySpan(), c = Values(condition), b = Values(bias), bR = Values(biasR), y = output.AsSpan(),
                g = gates is null ? default : gates.AsSpan(), n = next is null ? default : next.AsSpan())
            {
                new ConvolutionRun<T>(shape).Forward(new()
                {
                    Input = x,
                    State = s,
                    Condition = c,
                    Packed = packed.Panels,
                    Bias = b,
                    Output = y,
                    Gates = g,
                    IsGated = isGated,
                    Next = n,
                    ResidualPacked = packedR is null ? default : packedR.Panels,
                    ResidualBias = bR,
                });
            }
        }
        finally
        {
            weights.Product.Release(packed);
            if (packedR is not null)
            {
                residual!.Product.Release(packedR);
            }
        }

        if (!records)
        {
            return (output, next);
        }

        var node = new ConvolutionNode<T>(shape, [input, state, condition, weight, bias, weightR, biasR], gates, output, residual?.Product);
        return (node.Attach(output), next is null ? null : node.Attach(next, 1));
    }

    internal override void Backward()
    {
        if (_gates is null)
        {
            fixed (T* da = OutputGradient())
            {
                Backward(da, null);
            }

            return;
        }

        var hasResidual = _residual is not null && HasOutputGradient(1);
        var packed = hasResidual ? _residual!.LeaseBackward(Inputs[5]!) : null;
        var rented = TensorPool<T>.Rent(_gates.Length);
        try
        {
            fixed (T* da = rented, dz = OutputGradient(), dn = hasResidual ? OutputGradient(1) : default, g = _gates.AsReadOnlySpan())
            {
                if (dz == null && dn == null)
                {
                    return;
                }

                new ConvolutionRun<T>(_shape).GateGradients(new() { Output = dz, Next = dn, ResidualPacked = packed is null ? default : packed.Panels, Gates = g, Gradients = da });
                if (hasResidual)
                {
                    AddResidualGradients(dn);
                }

                Backward(da, dn);
            }
        }
        finally
        {
            TensorPool<T>.Return(rented);
            if (packed is not null)
            {
                _residual!.Release(packed);
            }
        }
    }

    // Of the residual product; past the ends of rows its gradient is zero.
    private void AddResidualGradients(T* next)
    {
        var (rows, inputs, units) = (checked(_shape.Rows * _shape.Steps), _shape.Inputs, _shape.Outputs / 2);
        if (Needs(5))
        {
            fixed (T* z = _output.AsReadOnlySpan(), dw = InputGradient(5))
            {
                MatrixProduct<T>.AddTransposed(next, z, dw, rows, inputs, units);
            }
        }

        if (Needs(6))
        {
            fixed (T* db = InputGradient(6))
            {
                MatrixProduct<T>.AddColumnSums(next, rows, inputs, db);
            }
        }
    }

    // From the gradients of the product, and those of the residual sum.
    private void Backward(T* gradients, T* next)
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
                    run.InputGradients(gradients, w, -_shape.Reach, 0, null, ds, !overwrite);
                }
            }

            if (Needs(0))
            {
                fixed (T* dx = InputGradient(0, out var overwrite))
                {
                    run.InputGradients(gradients, w, 0, _shape.Steps, next, dx, !overwrite);
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
