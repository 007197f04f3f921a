using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers;

/// <summary>Which steps of a batch lie past the ends of their rows.</summary>
internal static class StepMask
{
    /// <summary>What a step past an end scores before a softmax. Not −∞: a row without steps would have no largest score.</summary>
    internal const double Impossible = -1e30;

    /// <summary>A batch [N, T, …] of rank 3 with zeros past the end of each row, whatever stands there, NaN too; recorded. The batch itself where all rows have full length.</summary>
    internal static Tensor<T> ClearPastEnds<T>(Tensor<T> batch, ReadOnlySpan<int> lengths)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        PastEnds<T>(batch.Shape[0], batch.Shape[1], lengths) is { } past ? batch.MaskedFill(past.Unsqueeze(-1), 0) : batch;

    /// <summary>[N, T] with ones past the end of each row and zeros before it; null where all rows have full length.</summary>
    internal static Tensor<T>? PastEnds<T>(int rows, int steps, ReadOnlySpan<int> lengths)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (lengths.IndexOfAnyExcept(steps) < 0)
        {
            return null;
        }

        var past = new T[rows * steps];
        for (var row = 0; row < rows; row++)
        {
            past.AsSpan((row * steps) + lengths[row], steps - lengths[row]).Fill(T.One);
        }

        return Tensor<T>.From(past, rows, steps);
    }
}
