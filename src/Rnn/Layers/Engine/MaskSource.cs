using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Layers.Engine;

/// <summary>The masks of the engine, which follow from seed and place.</summary>
internal static class MaskSource
{
    internal static ulong Key(ulong key, int number) => RandomMask.Key(key, number);

    internal static void Fill<T>(Span<T> mask, ulong key, double probability, T value)
        where T : unmanaged, IFloatingPointIeee754<T> => RandomMask.Fill(mask, key, probability, value);
}
