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
/// The innermost loops of a function of two numbers. Each operand has an element for each of the result (step 1) or one for all of them (step 0),
/// but not both of them one; a gradient with step 0 is a sum.
/// </summary>
internal static unsafe class BinaryKernels<T, TFunction>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TFunction : struct, IBinaryFunction<T>
{
    /// <summary>y = f(a, b).</summary>
    internal static void Forward(T* a, int stepA, T* b, int stepB, T* y, nint count)
    {
        if (stepA == 0)
        {
            Elementwise<T, Value<Repeated, Whole>>.Run(new(a, b, y), count);
        }
        else if (stepB == 0)
        {
            Elementwise<T, Value<Whole, Repeated>>.Run(new(a, b, y), count);
        }
        else
        {
            Elementwise<T, Value<Whole, Whole>>.Run(new(a, b, y), count);
        }
    }

    /// <summary>da = dy·∂f/∂a where <paramref name="overwrite"/> (only where a does not repeat), else da += dy·∂f/∂a.</summary>
    internal static void BackwardLeft(T* a, int stepA, T* b, int stepB, T* y, T* dy, T* da, nint count, bool overwrite)
    {
        if (stepA == 0)
        {
            *da += Simd.Run<T, Sum<Left, Repeated, Whole>, T>(new(a, b, y, dy, count));
        }
        else if (stepB == 0)
        {
            Elementwise<T, Gradient<Left, Whole, Repeated>>.Run(new(a, b, y, dy, da, overwrite), count);
        }
        else
        {
            Elementwise<T, Gradient<Left, Whole, Whole>>.Run(new(a, b, y, dy, da, overwrite), count);
        }
    }

    /// <summary>db = dy·∂f/∂b where <paramref name="overwrite"/> (only where b does not repeat), else db += dy·∂f/∂b.</summary>
    internal static void BackwardRight(T* a, int stepA, T* b, int stepB, T* y, T* dy, T* db, nint count, bool overwrite)
    {
        if (stepB == 0)
        {
            *db += Simd.Run<T, Sum<Right, Whole, Repeated>, T>(new(a, b, y, dy, count));
        }
        else if (stepA == 0)
        {
            Elementwise<T, Gradient<Right, Repeated, Whole>>.Run(new(a, b, y, dy, db, overwrite), count);
        }
        else
        {
            Elementwise<T, Gradient<Right, Whole, Whole>>.Run(new(a, b, y, dy, db, overwrite), count);
        }
    }

    private interface ISide
    {
        static abstract V Derivative<V>(V a, V b, V y)
            where V : struct, IVector<V, T>;
    }

    private interface IOperand
    {
        static abstract V Load<V, TLanes>(TLanes lanes, T* operand, nint i)
            where V : struct, IVector<V, T>
            where TLanes : struct, ILanes<V, T>;
    }

    private readonly struct Left : ISide
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Derivative<V>(V a, V b, V y)
            where V : struct, IVector<V, T> => TFunction.LeftDerivative(a, b, y);
    }

    private readonly struct Right : ISide
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Derivative<V>(V a, V b, V y)
            where V : struct, IVector<V, T> => TFunction.RightDerivative(a, b, y);
    }

    private readonly struct Whole : IOperand
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Load<V, TLanes>(TLanes lanes, T* operand, nint i)
            where V : struct, IVector<V, T>
            where TLanes : struct, ILanes<V, T> => lanes.Load(operand + i);
    }

    private readonly struct Repeated : IOperand
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Load<V, TLanes>(TLanes lanes, T* operand, nint i)
            where V : struct, IVector<V, T>
            where TLanes : struct, ILanes<V, T> => V.Broadcast(*operand);
    }

    private readonly struct Value<TLeft, TRight>(T* a, T* b, T* y) : IElementwise<T>
        where TLeft : struct, IOperand
        where TRight : struct, IOperand
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Run<V, TLanes>(TLanes lanes, nint i)
            where V : struct, IVector<V, T>
            where TLanes : struct, ILanes<V, T> =>
            lanes.Store(TFunction.Value(TLeft.Load<V, TLanes>(lanes, a, i), TRight.Load<V, TLanes>(lanes, b, i)), y + i);
    }

    private readonly struct Gradient<TSide, TLeft, TRight>(T* a, T* b, T* y, T* dy, T* dx, bool overwrite) : IElementwise<T>
        where TSide : struct, ISide
        where TLeft : struct, IOperand
        where TRight : struct, IOperand
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Run<V, TLanes>(TLanes lanes, nint i)
            where V : struct, IVector<V, T>
            where TLanes : struct, ILanes<V, T>
        {
            var derivative = TSide.Derivative(TLeft.Load<V, TLanes>(lanes, a, i), TRight.Load<V, TLanes>(lanes, b, i), lanes.Load(y + i));
            var gradient = lanes.Load(dy + i) * derivative;
            lanes.Store(overwrite ? gradient : gradient + lanes.Load(dx + i), dx + i);
        }
    }

    private readonly struct Sum<TSide, TLeft, TRight>(T* a, T* b, T* y, T* dy, nint count) : IVectorFunction<T, T>
        where TSide : struct, ISide
        where TLeft : struct, IOperand
        where TRight : struct, IOperand
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
        public T Invoke<V>()
            where V : struct, IVector<V, T>
        {
            var sum = V.Zero;
            nint i = 0;
            for (; i <= count - V.Count; i += V.Count)
            {
                sum += Term<V>(i);
            }

            var total = V.Sum(sum);
            for (; i < count; i++)
            {
                total += Vec1<T>.Sum(Term<Vec1<T>>(i));
            }

            return total;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private V Term<V>(nint i)
            where V : struct, IVector<V, T>
        {
            AllLanes<V, T> lanes = default;
            var derivative = TSide.Derivative(TLeft.Load<V, AllLanes<V, T>>(lanes, a, i), TRight.Load<V, AllLanes<V, T>>(lanes, b, i), lanes.Load(y + i));
            return lanes.Load(dy + i) * derivative;
        }
    }
}
