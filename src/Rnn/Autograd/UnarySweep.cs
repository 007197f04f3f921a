using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

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

/// <summary>Applies a function of one number to all elements; the loops exist here once for all functions.</summary>
internal abstract unsafe class UnarySweep<T, TFunction>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TFunction : struct, IUnaryFunction<T>
{
    internal static readonly UnarySweep<T, TFunction> Instance = Simd.Create<T, Factory, UnarySweep<T, TFunction>>(default);

    /// <summary>y = f(x).</summary>
    internal abstract void Forward(TFunction function, T* x, T* y, nint count);

    private readonly struct Factory : IVectorFactory<T, UnarySweep<T, TFunction>>
    {
        public UnarySweep<T, TFunction> Create<V>()
            where V : struct, IVector<V, T> => new Sweep<V>();
    }

    private sealed class Sweep<V> : UnarySweep<T, TFunction>
        where V : struct, IVector<V, T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        internal override void Forward(TFunction function, T* x, T* y, nint count)
        {
            nint i = 0;
            for (; i <= count - V.Count; i += V.Count)
            {
                function.Value(V.Load(x + i)).Store(y + i);
            }

            if (i < count)
            {
                var rest = (int)(count - i);
                function.Value(V.LoadPartial(x + i, rest)).StorePartial(y + i, rest);
            }
        }
    }
}

/// <summary>The backward pass through a function of one number; see <see cref="UnarySweep{T, TFunction}"/>.</summary>
internal abstract unsafe class DerivativeSweep<T, TFunction>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TFunction : struct, IDerivative<T>
{
    internal static readonly DerivativeSweep<T, TFunction> Instance = Simd.Create<T, Factory, DerivativeSweep<T, TFunction>>(default);

    /// <summary>dx = dy·f′(x) where <paramref name="overwrite"/>, else dx += dy·f′(x).</summary>
    internal abstract void Backward(TFunction function, T* x, T* y, T* dy, T* dx, nint count, bool overwrite);

    private readonly struct Factory : IVectorFactory<T, DerivativeSweep<T, TFunction>>
    {
        public DerivativeSweep<T, TFunction> Create<V>()
            where V : struct, IVector<V, T> => new Sweep<V>();
    }

    private sealed class Sweep<V> : DerivativeSweep<T, TFunction>
        where V : struct, IVector<V, T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        internal override void Backward(TFunction function, T* x, T* y, T* dy, T* dx, nint count, bool overwrite)
        {
            nint i = 0;
            for (; i <= count - V.Count; i += V.Count)
            {
                var derivative = function.Derivative(V.Load(x + i), V.Load(y + i));
                var gradient = V.Load(dy + i) * derivative;
                (overwrite ? gradient : gradient + V.Load(dx + i)).Store(dx + i);
            }

            if (i < count)
            {
                var rest = (int)(count - i);
                var derivative = function.Derivative(V.LoadPartial(x + i, rest), V.LoadPartial(y + i, rest));
                var gradient = V.LoadPartial(dy + i, rest) * derivative;
                (overwrite ? gradient : gradient + V.LoadPartial(dx + i, rest)).StorePartial(dx + i, rest);
            }
        }
    }
}
