using System.Numerics;
using Rnn.Autograd;

namespace Rnn.Tensors;

public static partial class TensorOperations
{
    /// <summary>The dimensions in another order; <c>x.Permute(1, 0, 2)</c> turns [N, T, I] into [T, N, I].</summary>
    /// <param name="input">The tensor.</param>
    /// <param name="order">For each dimension of the result, which dimension of the input it is; negative ones count from the last.</param>
    /// <exception cref="ArgumentException">The order does not name every dimension once.</exception>
    public static Tensor<T> Permute<T>(this Tensor<T> input, params ReadOnlySpan<int> order)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        Span<int> axes = stackalloc int[order.Length];
        var seen = 0u;
        for (var i = 0; i < order.Length; i++)
        {
            axes[i] = input.Shape.Axis(order[i], nameof(order));
            seen |= 1u << axes[i];
        }

        if (order.Length != input.Rank || BitOperations.PopCount(seen) != input.Rank)
        {
            throw new ArgumentException(
                $"order: expected each of the {input.Rank} dimensions of the shape {input.Shape} once but got [{string.Join(", ", order.ToArray())}].", nameof(order));
        }

        var view = new StridedView(input.Shape).Permute(axes);
        return ViewOperation.Apply(input, view, view.Shape);
    }

    /// <summary>Two dimensions exchanged; by default the last two, the transpose of a matrix.</summary>
    /// <param name="input">The tensor, of two dimensions or more.</param>
    /// <param name="first">A dimension; negative ones count from the last.</param>
    /// <param name="second">Another.</param>
    public static Tensor<T> Transpose<T>(this Tensor<T> input, int first = -2, int second = -1)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(input);
        first = input.Shape.Axis(first, nameof(first));
        second = input.Shape.Axis(second, nameof(second));
        Span<int> order = stackalloc int[input.Rank];
        for (var i = 0; i < order.Length; i++)
        {
            order[i] = i;
        }

        (order[first], order[second]) = (second, first);
        return input.Permute(order);
    }
}
