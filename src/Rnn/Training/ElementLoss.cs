using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Training;

/// <summary>A loss of one prediction x and its target y, with a weight w that is 1 where there are none.</summary>
internal interface IElementLoss<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The loss.</summary>
    V Value<V>(V x, V y, V w)
        where V : struct, IVector<V, T>;

    /// <summary>Its derivative in x.</summary>
    V Derivative<V>(V x, V y, V w)
        where V : struct, IVector<V, T>;
}

/// <summary>Sums a loss over elements and gives its gradient; the loops exist here once for all losses.</summary>
internal abstract unsafe class ElementLossKernel<T, TLoss>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TLoss : struct, IElementLoss<T>
{
    internal static readonly ElementLossKernel<T, TLoss> Instance = Simd.Run<T, Factory, ElementLossKernel<T, TLoss>>(default);

    /// <summary>The sum of the losses, in fixed pieces; <paramref name="w"/> may be null.</summary>
    internal abstract double Sum(TLoss loss, T* x, T* y, T* w, nint count);

    /// <summary>g = scale·derivative, written where overwrite, else added; <paramref name="w"/> may be null.</summary>
    internal static void Gradient(TLoss loss, T* x, T* y, T* w, T scale, T* gradient, nint count, bool overwrite) =>
        Elementwise<T, Gradients>.Run(new(loss, x, y, w, scale, gradient, overwrite), count);

    private readonly struct Gradients(TLoss loss, T* x, T* y, T* w, T scale, T* gradient, bool overwrite) : IElementwise<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Run<V, TLanes>(TLanes lanes, nint i)
            where V : struct, IVector<V, T>
            where TLanes : struct, ILanes<V, T>
        {
            var derivative = V.Broadcast(scale) * loss.Derivative(lanes.Load(x + i), lanes.Load(y + i), w == null ? V.One : lanes.Load(w + i));
            lanes.Store(overwrite ? derivative : derivative + lanes.Load(gradient + i), gradient + i);
        }
    }

    private readonly struct Factory : IVectorFunction<T, ElementLossKernel<T, TLoss>>
    {
        public ElementLossKernel<T, TLoss> Invoke<V>()
            where V : struct, IVector<V, T> => new Kernel<V>();
    }

    private sealed class Kernel<V> : ElementLossKernel<T, TLoss>
        where V : struct, IVector<V, T>
    {
        private const int Piece = 1024;

        internal override double Sum(TLoss loss, T* x, T* y, T* w, nint count)
        {
            var sum = 0.0;
            for (nint start = 0; start < count; start += Piece)
            {
                sum += SumPiece(loss, x + start, y + start, w == null ? null : w + start, (int)Math.Min(Piece, count - start));
            }

            return sum;
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        private static double SumPiece(TLoss loss, T* x, T* y, T* w, int count)
        {
            var (sum0, sum1, i) = (V.Zero, V.Zero, 0);
            for (; i <= count - (2 * V.Count); i += 2 * V.Count)
            {
                sum0 += loss.Value(V.Load(x + i), V.Load(y + i), w == null ? V.One : V.Load(w + i));
                sum1 += loss.Value(V.Load(x + i + V.Count), V.Load(y + i + V.Count), w == null ? V.One : V.Load(w + i + V.Count));
            }

            for (; i <= count - V.Count; i += V.Count)
            {
                sum0 += loss.Value(V.Load(x + i), V.Load(y + i), w == null ? V.One : V.Load(w + i));
            }

            var total = double.CreateTruncating(V.Sum(sum0 + sum1));
            for (; i < count; i++)
            {
                var value = loss.Value(Vec1<T>.Broadcast(x[i]), Vec1<T>.Broadcast(y[i]), w == null ? Vec1<T>.One : Vec1<T>.Broadcast(w[i]));
                total += double.CreateTruncating(Vec1<T>.Sum(value));
            }

            return total;
        }
    }
}
