using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Autograd;

/// <summary>Applies functions of one number to tensors and records them.</summary>
internal static unsafe class Unary
{
    /// <summary>y = f(x) for every element, recorded where needed.</summary>
    internal static Tensor<T> Apply<T, TFunction>(Tensor<T> x, TFunction function)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TFunction : struct, IUnaryFunction<T>
    {
        ArgumentNullException.ThrowIfNull(x);
        var y = Tensor<T>.Uninitialized(x.Shape);
        fixed (T* source = x.AsReadOnlySpan())
        fixed (T* target = y.AsSpan())
        {
            UnarySweep<T, TFunction>.Instance.Forward(function, source, target, x.Length);
        }

        return Record(x, y, function);
    }

    /// <summary>Records that y was computed from x by a function of one number.</summary>
    internal static Tensor<T> Record<T, TFunction>(Tensor<T> x, Tensor<T> y, TFunction function)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TFunction : struct, IDerivative<T> =>
        Graph.Records(x) ? new Node<T, TFunction>(x, y, function).Attach(y) : y;

    private sealed class Node<T, TFunction>(Tensor<T> x, Tensor<T> output, TFunction function) : GraphNode<T>([x])
        where T : unmanaged, IFloatingPointIeee754<T>
        where TFunction : struct, IDerivative<T>
    {
        private protected override bool ReadsInputs => TFunction.ReadsValues;

        internal override void Backward()
        {
            // Where nobody looks at them any numbers do.
            var input = TFunction.ReadsValues ? Inputs[0]!.AsReadOnlySpan() : OutputGradient();
            var gradient = InputGradient(0, out var overwrite);
            fixed (T* x = input)
            fixed (T* y = output.AsReadOnlySpan())
            fixed (T* dy = OutputGradient())
            fixed (T* dx = gradient)
            {
                DerivativeSweep<T, TFunction>.Instance.Backward(function, x, y, dy, dx, gradient.Length, overwrite);
            }
        }
    }
}
