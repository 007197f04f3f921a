using System.Numerics;
using System.Runtime.CompilerServices;
using Rnn.Kernels;

namespace Rnn.Autograd;

/// <summary>A function y of two numbers a and b with its derivatives, written once for every vector width.</summary>
internal interface IBinaryFunction<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The name that error messages call it.</summary>
    static abstract string Name { get; }

    /// <summary>Whether the derivatives look at a, b or y; where they do not, these may change before the backward pass.</summary>
    static virtual bool ReadsValues => true;

    /// <summary>The function's value y.</summary>
    static abstract V Value<V>(V a, V b)
        where V : struct, IVector<V, T>;

    /// <summary>dy/da.</summary>
    static abstract V LeftDerivative<V>(V a, V b, V y)
        where V : struct, IVector<V, T>;

    /// <summary>dy/db.</summary>
    static abstract V RightDerivative<V>(V a, V b, V y)
        where V : struct, IVector<V, T>;
}

/// <summary>
/// The innermost loops of a function of two numbers, here once for all functions. Each operand walks along (step 1) or repeats one
/// element (step 0); a gradient with step 0 is a sum.
/// </summary>
internal abstract unsafe class BinarySweep<T, TFunction>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TFunction : struct, IBinaryFunction<T>
{
    internal static readonly BinarySweep<T, TFunction> Instance = Simd.Run<T, Factory, BinarySweep<T, TFunction>>(default);

    /// <summary>y = f(a, b).</summary>
    internal abstract void Forward(T* a, int stepA, T* b, int stepB, T* y, nint count);

    /// <summary>da = dy·∂f/∂a where <paramref name="overwrite"/> (only where a does not repeat), else da += dy·∂f/∂a.</summary>
    internal abstract void BackwardLeft(T* a, int stepA, T* b, int stepB, T* y, T* dy, T* da, nint count, bool overwrite);

    /// <summary>db = dy·∂f/∂b where <paramref name="overwrite"/> (only where b does not repeat), else db += dy·∂f/∂b.</summary>
    internal abstract void BackwardRight(T* a, int stepA, T* b, int stepB, T* y, T* dy, T* db, nint count, bool overwrite);

    private interface ISide
    {
        static abstract V Derivative<V>(V a, V b, V y)
            where V : struct, IVector<V, T>;
    }

    private readonly struct LeftSide : ISide
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Derivative<V>(V a, V b, V y)
            where V : struct, IVector<V, T> => TFunction.LeftDerivative(a, b, y);
    }

    private readonly struct RightSide : ISide
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Derivative<V>(V a, V b, V y)
            where V : struct, IVector<V, T> => TFunction.RightDerivative(a, b, y);
    }

    private readonly struct Factory : IVectorFunction<T, BinarySweep<T, TFunction>>
    {
        public BinarySweep<T, TFunction> Invoke<V>()
            where V : struct, IVector<V, T> => new Sweep<V>();
    }

    private sealed class Sweep<V> : BinarySweep<T, TFunction>
        where V : struct, IVector<V, T>
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        internal override void Forward(T* a, int stepA, T* b, int stepB, T* y, nint count)
        {
            // A repeated element is spread over one vector in memory, so that the loop is the same for both kinds of operand.
            var spreadA = V.Broadcast(*a);
            var spreadB = V.Broadcast(*b);
            a = stepA == 0 ? (T*)Unsafe.AsPointer(ref spreadA) : a;
            b = stepB == 0 ? (T*)Unsafe.AsPointer(ref spreadB) : b;
            nint i = 0;
            for (; i <= count - V.Count; i += V.Count)
            {
                TFunction.Value(V.Load(a), V.Load(b)).Store(y + i);
                a += stepA * V.Count;
                b += stepB * V.Count;
            }

            if (i < count)
            {
                var rest = (int)(count - i);
                TFunction.Value(V.LoadPartial(a, rest), V.LoadPartial(b, rest)).StorePartial(y + i, rest);
            }
        }

        internal override void BackwardLeft(T* a, int stepA, T* b, int stepB, T* y, T* dy, T* da, nint count, bool overwrite)
        {
            if (stepA == 0)
            {
                Reduce<LeftSide>(a, stepA, b, stepB, y, dy, da, count);
            }
            else
            {
                Add<LeftSide>(a, stepA, b, stepB, y, dy, da, count, overwrite);
            }
        }

        internal override void BackwardRight(T* a, int stepA, T* b, int stepB, T* y, T* dy, T* db, nint count, bool overwrite)
        {
            if (stepB == 0)
            {
                Reduce<RightSide>(a, stepA, b, stepB, y, dy, db, count);
            }
            else
            {
                Add<RightSide>(a, stepA, b, stepB, y, dy, db, count, overwrite);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        private static void Add<TSide>(T* a, int stepA, T* b, int stepB, T* y, T* dy, T* dx, nint count, bool overwrite)
            where TSide : struct, ISide
        {
            var spreadA = V.Broadcast(*a);
            var spreadB = V.Broadcast(*b);
            a = stepA == 0 ? (T*)Unsafe.AsPointer(ref spreadA) : a;
            b = stepB == 0 ? (T*)Unsafe.AsPointer(ref spreadB) : b;
            nint i = 0;
            for (; i <= count - V.Count; i += V.Count)
            {
                var gradient = V.Load(dy + i) * TSide.Derivative(V.Load(a), V.Load(b), V.Load(y + i));
                (overwrite ? gradient : gradient + V.Load(dx + i)).Store(dx + i);
                a += stepA * V.Count;
                b += stepB * V.Count;
            }

            if (i < count)
            {
                var rest = (int)(count - i);
                var gradient = V.LoadPartial(dy + i, rest) * TSide.Derivative(V.LoadPartial(a, rest), V.LoadPartial(b, rest), V.LoadPartial(y + i, rest));
                (overwrite ? gradient : gradient + V.LoadPartial(dx + i, rest)).StorePartial(dx + i, rest);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        private static void Reduce<TSide>(T* a, int stepA, T* b, int stepB, T* y, T* dy, T* dx, nint count)
            where TSide : struct, ISide
        {
            var spreadA = V.Broadcast(*a);
            var spreadB = V.Broadcast(*b);
            a = stepA == 0 ? (T*)Unsafe.AsPointer(ref spreadA) : a;
            b = stepB == 0 ? (T*)Unsafe.AsPointer(ref spreadB) : b;
            var sum = V.Zero;
            nint i = 0;
            for (; i <= count - V.Count; i += V.Count)
            {
                sum += V.Load(dy + i) * TSide.Derivative(V.Load(a), V.Load(b), V.Load(y + i));
                a += stepA * V.Count;
                b += stepB * V.Count;
            }

            var total = V.Sum(sum);
            for (; i < count; i++)
            {
                total += Vec1Derivative<TSide>(*a, *b, y[i]) * dy[i];
                a += stepA;
                b += stepB;
            }

            *dx += total;
        }

        private static T Vec1Derivative<TSide>(T a, T b, T y)
            where TSide : struct, ISide
        {
            T derivative;
            TSide.Derivative(Vec1<T>.Load(&a), Vec1<T>.Load(&b), Vec1<T>.Load(&y)).Store(&derivative);
            return derivative;
        }
    }
}
