using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Autograd;

/// <summary>Applies functions of two numbers to tensors with broadcasting and records them.</summary>
internal static unsafe class Binary
{
    /// <summary>y = f(a, b) for every pair of elements, recorded where needed.</summary>
    internal static Tensor<T> Apply<T, TFunction>(Tensor<T> left, Tensor<T> right)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TFunction : struct, IBinaryFunction<T>
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        var output = Tensor<T>.Uninitialized(Broadcasting.Result(left.Shape, right.Shape, TFunction.Name));
        var loops = Broadcasting.Loops(output.Shape, left.Shape, right.Shape);
        fixed (T* a = left.AsReadOnlySpan())
        fixed (T* b = right.AsReadOnlySpan())
        fixed (T* y = output.AsSpan())
        {
            for (var i = 0; i < loops.Outer; i++)
            {
                var at = loops.Start(i);
                BinaryKernels<T, TFunction>.Forward(a + at.Left, loops.LeftStep, b + at.Right, loops.RightStep, y + ((nint)i * loops.Inner), loops.Inner);
            }
        }

        return Graph.Records(left, right) ? new Node<T, TFunction>(left, right, output).Attach(output) : output;
    }

    private sealed class Node<T, TFunction>(Tensor<T> left, Tensor<T> right, Tensor<T> output) : GraphNode<T>([left, right])
        where T : unmanaged, IFloatingPointIeee754<T>
        where TFunction : struct, IBinaryFunction<T>
    {
        private protected override bool ReadsInputs => TFunction.ReadsValues;

        internal override void Backward()
        {
            var left = Inputs[0]!;
            var right = Inputs[1]!;
            var loops = Broadcasting.Loops(output.Shape, left.Shape, right.Shape);

            // Where nobody looks at them any numbers do, and these are as many or more.
            fixed (T* a = TFunction.ReadsValues ? left.AsReadOnlySpan() : OutputGradient())
            fixed (T* b = TFunction.ReadsValues ? right.AsReadOnlySpan() : OutputGradient())
            fixed (T* y = output.AsReadOnlySpan())
            fixed (T* dy = OutputGradient())
            {
                if (Needs(0))
                {
                    Propagate(0, loops, a, b, y, dy);
                }

                if (Needs(1))
                {
                    Propagate(1, loops, a, b, y, dy);
                }
            }
        }

        private void Propagate(int input, in LoopNest loops, T* a, T* b, T* y, T* dy)
        {
            var gradient = InputGradient(input, out var overwrite);
            if (overwrite && gradient.Length != output.Length)
            {
                gradient.Clear();
                overwrite = false;
            }

            fixed (T* dx = gradient)
            {
                for (var i = 0; i < loops.Outer; i++)
                {
                    var at = loops.Start(i);
                    var from = (nint)i * loops.Inner;
                    if (input == 0)
                    {
                        BinaryKernels<T, TFunction>.BackwardLeft(a + at.Left, loops.LeftStep, b + at.Right, loops.RightStep, y + from, dy + from, dx + at.Left, loops.Inner, overwrite);
                    }
                    else
                    {
                        BinaryKernels<T, TFunction>.BackwardRight(a + at.Left, loops.LeftStep, b + at.Right, loops.RightStep, y + from, dy + from, dx + at.Right, loops.Inner, overwrite);
                    }
                }
            }
        }
    }
}
