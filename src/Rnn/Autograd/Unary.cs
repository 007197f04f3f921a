using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Autograd;

/// <summary>The derivative of a function of one number, for the backward pass.</summary>
internal interface IDerivative<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Whether <see cref="Derivative"/> looks at x or y; where it does not, they may change before the backward pass.</summary>
    static virtual bool ReadsValues => true;

    /// <summary>dy/dx at x, where y is the function's value.</summary>
    V Derivative<V>(V x, V y)
        where V : struct, IVector<V, T>;
}

/// <summary>A function of one number, written once for every vector width.</summary>
internal interface IUnaryFunction<T> : IDerivative<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The function's value y at x.</summary>
    V Value<V>(V x)
        where V : struct, IVector<V, T>;
}

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
            Elementwise<T, Values<T, TFunction>>.Run(new(function, source, target), x.Length);
        }

        return Record(x, y, function);
    }

    /// <summary>x = f(x) for every element of a span, which nothing records.</summary>
    internal static void InPlace<T, TFunction>(Span<T> x, TFunction function)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TFunction : struct, IUnaryFunction<T>
    {
        fixed (T* values = x)
        {
            Elementwise<T, Values<T, TFunction>>.Run(new(function, values, values), x.Length);
        }
    }

    /// <summary>Records that y was computed from x by a function of one number.</summary>
    internal static Tensor<T> Record<T, TFunction>(Tensor<T> x, Tensor<T> y, TFunction function)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TFunction : struct, IDerivative<T> =>
        Graph.Records(x) ? new Node<T, TFunction>(x, y, function).Attach(y) : y;

    private readonly struct Values<T, TFunction>(TFunction function, T* x, T* y) : IElementwise<T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TFunction : struct, IUnaryFunction<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Run<V, TLanes>(TLanes lanes, nint i)
            where V : struct, IVector<V, T>
            where TLanes : struct, ILanes<V, T> => lanes.Store(function.Value(lanes.Load(x + i)), y + i);
    }

    // dx = dy·f′(x), or dx += dy·f′(x).
    private readonly struct Gradients<T, TFunction>(TFunction function, T* x, T* y, T* dy, T* dx, bool overwrite) : IElementwise<T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TFunction : struct, IDerivative<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Run<V, TLanes>(TLanes lanes, nint i)
            where V : struct, IVector<V, T>
            where TLanes : struct, ILanes<V, T>
        {
            var gradient = lanes.Load(dy + i) * function.Derivative(lanes.Load(x + i), lanes.Load(y + i));
            lanes.Store(overwrite ? gradient : gradient + lanes.Load(dx + i), dx + i);
        }
    }

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
                Elementwise<T, Gradients<T, TFunction>>.Run(new(function, x, y, dy, dx, overwrite), gradient.Length);
            }
        }
    }
}
