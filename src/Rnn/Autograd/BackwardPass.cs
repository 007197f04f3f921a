using System.Numerics;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Autograd;

/// <summary>
/// One backward pass over the graph, from a result to its leaves: it runs every node once, after all nodes that use its outputs. It works by lists and
/// not by recursion, so the depth of the graph does not matter.
/// </summary>
internal sealed class BackwardPass<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Lists that one backward pass leaves to the next of the same thread; one inside another finds none and makes its own.
    [ThreadStatic]
    private static BackwardPass<T>? _spare;

    private static long _lastVisit;

    private readonly List<GraphNode<T>> _found = [];
    private readonly Stack<GraphNode<T>> _ready = [];

    internal static void Run(Tensor<T> output, ReadOnlySpan<T> gradient, bool keepGraph, T[]? pinnedGradient = null)
    {
        if (output.Node is not { } root)
        {
            AddToLeaf(output, gradient);
            return;
        }

        var pass = _spare ?? new BackwardPass<T>();
        _spare = null;
        var isUnderWay = false;
        try
        {
            pass.CountUses(root);

            // All are checked before the first runs: a backward pass that is refused has changed no gradient.
            foreach (var node in pass._found)
            {
                node.CheckUnchanged();
            }

            isUnderWay = true;
            if (pinnedGradient is not null && !pass.AddsTo(pinnedGradient))
            {
                root.BorrowGradient(output.NodeOutput, pinnedGradient);
            }
            else
            {
                gradient.CopyTo(root.GradientToFill(output.NodeOutput, output.Length, out _));
            }

            pass.Propagate(root, keepGraph);
            isUnderWay = false;
        }
        finally
        {
            // After success there is nothing left to release; after an exception there are buffers.
            foreach (var node in pass._found)
            {
                node.ReleaseGradients();
                if (isUnderWay)
                {
                    // An operation may have overwritten half of what another backward pass would read.
                    node.Release();
                }
            }

            pass._found.Clear();
            pass._ready.Clear();
            _spare = pass;
        }
    }

    private static void AddToLeaf(Tensor<T> output, ReadOnlySpan<T> gradient)
    {
        if (!output.RequiresGradient)
        {
            throw new InvalidOperationException(
                "Backward: this tensor has no history: nothing that it was computed from requires a gradient, it was detached, or recording was off (NoGradient.Enter).");
        }

        var sum = output.GradientToAccumulate().AsSpan();
        SpanKernels<T>.Add(gradient, sum);
    }

    // Finds every node that the root depends on, and counts how many of them use the outputs of each.
    private void CountUses(GraphNode<T> root)
    {
        var visit = Interlocked.Increment(ref _lastVisit);
        root.Visit = visit;
        root.Pending = 0;
        _found.Add(root);
        for (var i = 0; i < _found.Count; i++)
        {
            foreach (var input in _found[i].Inputs)
            {
                if (input?.Node is not { } node)
                {
                    continue;
                }

                if (node.Visit != visit)
                {
                    node.Visit = visit;
                    node.Pending = 0;
                    _found.Add(node);
                }

                node.Pending++;
            }
        }
    }

    // Whether a leaf's gradient lies in this memory: then the output's gradient, which is read from there, would change meanwhile.
    private bool AddsTo(T[] memory)
    {
        foreach (var node in _found)
        {
            foreach (var input in node.Inputs)
            {
                if (input is not null && input.HasGradientIn(memory))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private void Propagate(GraphNode<T> root, bool keepGraph)
    {
        _ready.Push(root);
        while (_ready.TryPop(out var node))
        {
            // No gradient counts as zero: an operation that uses the outputs chose to pass none.
            if (node.HasGradient)
            {
                node.IsKept = keepGraph;
                node.Backward();
                node.ReleaseGradients();
            }

            foreach (var input in node.Inputs)
            {
                if (input?.Node is { } earlier && --earlier.Pending == 0)
                {
                    _ready.Push(earlier);
                }
            }

            if (!keepGraph)
            {
                node.Release();
            }
        }
    }
}
