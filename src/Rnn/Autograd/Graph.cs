using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Autograd;

/// <summary>Whether operations have to be recorded.</summary>
internal static class Graph
{
    /// <summary>Whether an operation of this input is recorded.</summary>
    internal static bool Records<T>(Tensor<T> input)
        where T : unmanaged, IFloatingPointIeee754<T> => input.RequiresGradient && !NoGradient.IsActive;

    /// <summary>Whether an operation of these inputs is recorded.</summary>
    internal static bool Records<T>(Tensor<T> first, Tensor<T> second)
        where T : unmanaged, IFloatingPointIeee754<T> => (first.RequiresGradient || second.RequiresGradient) && !NoGradient.IsActive;

    /// <summary>Whether an operation of these inputs is recorded; null stands for an input that was not given.</summary>
    internal static bool Records<T>(params ReadOnlySpan<Tensor<T>?> inputs)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        foreach (var input in inputs)
        {
            if (input is { RequiresGradient: true })
            {
                return !NoGradient.IsActive;
            }
        }

        return false;
    }
}
