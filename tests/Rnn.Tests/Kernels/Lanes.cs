using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Tests.Kernels;

internal interface ILaneFunction
{
    V Apply<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>;
}

/// <summary>One number through a function at a given vector width; the other lanes hold other numbers.</summary>
internal static unsafe class Lanes
{
    internal static T Map<TFunction, T>(int bits, TFunction function, T x)
        where TFunction : struct, ILaneFunction
        where T : unmanaged, IFloatingPointIeee754<T> => bits switch
        {
            512 => Map<TFunction, Vec512<T>, T>(function, x),
            256 => Map<TFunction, Vec256<T>, T>(function, x),
            128 => Map<TFunction, Vec128<T>, T>(function, x),
            _ => Map<TFunction, Vec1<T>, T>(function, x),
        };

    private static T Map<TFunction, V, T>(TFunction function, T x)
        where TFunction : struct, ILaneFunction
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        T* lanes = stackalloc T[V.Count];
        for (var i = 0; i < V.Count; i++)
        {
            lanes[i] = T.CreateTruncating(i - 3);
        }

        lanes[V.Count - 1] = x;
        function.Apply<V, T>(V.Load(lanes)).Store(lanes);
        return lanes[V.Count - 1];
    }
}
