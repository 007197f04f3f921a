using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Autograd;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    extension<T>(Tensor<T>)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        /// <summary>Element by element one of two tensors: <c>Tensor&lt;float&gt;.Where(x.GreaterThan(y), a, b)</c>.</summary>
        /// <param name="condition">Zero chooses <paramref name="whenFalse"/>, anything else <paramref name="whenTrue"/>; no gradient flows through it.</param>
        /// <param name="whenTrue">The elements where the condition holds; dimensions of one element repeat, as in NumPy.</param>
        /// <param name="whenFalse">The elements where it does not.</param>
        /// <exception cref="ArgumentException">The shapes do not fit together.</exception>
        public static Tensor<T> Where(Tensor<T> condition, Tensor<T> whenTrue, Tensor<T> whenFalse)
        {
            ArgumentNullException.ThrowIfNull(condition);
            ArgumentNullException.ThrowIfNull(whenTrue);
            ArgumentNullException.ThrowIfNull(whenFalse);
            var shape = Broadcasting.Result(whenTrue.Shape, whenFalse.Shape, "Where");
            shape = Broadcasting.Result(condition.Shape, shape, "Where");
            var mask = condition.Detach().BroadcastTo(shape);
            return Choose(mask, whenTrue.BroadcastTo(shape), whenFalse.BroadcastTo(shape));
        }
    }

    /// <summary>The tensor with a value put in wherever the mask is not zero, such as a large negative one before a softmax.</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="mask">Not zero where the value goes; dimensions of one element repeat. No gradient flows through it.</param>
    /// <param name="value">The value; no gradient flows back from where it stands.</param>
    /// <exception cref="ArgumentException">The mask does not fit into the tensor's shape.</exception>
    public static Tensor<T> MaskedFill<T>(this Tensor<T> input, Tensor<T> mask, double value)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(mask);
        return Choose(mask.Detach().BroadcastTo(input.Shape), Tensor<T>.Scalar(Element.From<T>(value)), input);
    }

    // One of the two may be a scalar; it is not made into a tensor of the mask's shape.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static Tensor<T> Choose<T>(Tensor<T> mask, Tensor<T> whenTrue, Tensor<T> whenFalse)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var output = Tensor<T>.Uninitialized(mask.Shape);
        var chosen = mask.AsReadOnlySpan();
        var a = whenTrue.AsReadOnlySpan();
        var b = whenFalse.AsReadOnlySpan();
        var y = output.AsSpan();
        for (var i = 0; i < y.Length; i++)
        {
            y[i] = chosen[i] != T.Zero ? a[a.Length == 1 ? 0 : i] : b[i];
        }

        return Graph.Records(whenTrue, whenFalse) ? new WhereNode<T>(mask, whenTrue, whenFalse).Attach(output) : output;
    }

    private sealed class WhereNode<T> : GraphNode<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly Tensor<T> _mask;

        public WhereNode(Tensor<T> mask, Tensor<T> whenTrue, Tensor<T> whenFalse)
            : base([whenTrue, whenFalse])
        {
            _mask = mask;
            SaveForBackward(mask);
        }

        private protected override bool ReadsInputs => false;

        internal override void Backward()
        {
            if (Needs(0))
            {
                Pass(InputGradient(0), whenMasked: true);
            }

            if (Needs(1))
            {
                Pass(InputGradient(1), whenMasked: false);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        private void Pass(Span<T> gradient, bool whenMasked)
        {
            var source = OutputGradient();
            var chosen = _mask.AsReadOnlySpan();
            for (var i = 0; i < gradient.Length; i++)
            {
                gradient[i] += (chosen[i] != T.Zero) == whenMasked ? source[i] : T.Zero;
            }
        }
    }
}
