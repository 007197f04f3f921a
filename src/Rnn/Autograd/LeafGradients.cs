using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Autograd;

/// <summary>A backward pass for chosen leaves only, so that to measure leaves the gradients of parameters as they are.</summary>
internal static class LeafGradients
{
    /// <summary>Adds the gradient of a number to those of the chosen leaves, and to no others; the graph is freed.</summary>
    /// <param name="output">A tensor with one element that depends on some of the leaves.</param>
    /// <param name="leaves">Leaves that require a gradient.</param>
    internal static void Backward<T>(Tensor<T> output, params ReadOnlySpan<Tensor<T>> leaves)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // Operations of several inputs ask in the backward pass which of them want a gradient; until it is over, no other leaf does. Those of one input do not ask: what they give to another leaf
        // goes to a gradient that is dropped.
        var others = new List<(Tensor<T> Leaf, Tensor<T>? Gradient)>();
        try
        {
            var found = new HashSet<GraphNode<T>>();
            var next = new Stack<GraphNode<T>>();
            Visit(output, leaves, others, found, next);
            while (next.TryPop(out var node))
            {
                foreach (var input in node.Inputs)
                {
                    if (input is not null)
                    {
                        Visit(input, leaves, others, found, next);
                    }
                }
            }

            output.Backward();
        }
        finally
        {
            foreach (var (leaf, gradient) in others)
            {
                leaf.RequiresGradient = true;
                leaf.ExchangeGradient(gradient);
            }
        }
    }

    private static void Visit<T>(Tensor<T> tensor, ReadOnlySpan<Tensor<T>> leaves, List<(Tensor<T> Leaf, Tensor<T>? Gradient)> others, HashSet<GraphNode<T>> found, Stack<GraphNode<T>> next)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (tensor.Node is { } node)
        {
            if (found.Add(node))
            {
                next.Push(node);
            }
        }
        else if (tensor.RequiresGradient && !leaves.Contains(tensor))
        {
            tensor.RequiresGradient = false;
            others.Add((tensor, tensor.ExchangeGradient(null)));
        }
    }
}
