using System.Numerics;

namespace Rnn.Kernels;

/// <summary>
/// The operations of sigmoid and tanh (<see cref="RegisterMath"/>) on the runtime's own vector types; the vectors of this library have them
/// beside those on themselves.
/// </summary>
internal interface IRegisters<TRegister, T>
    where TRegister : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    static abstract TRegister Constant(double value);

    static abstract TRegister MultiplyAdd(TRegister a, TRegister b, TRegister c);

    static abstract TRegister Add(TRegister a, TRegister b);

    static abstract TRegister Subtract(TRegister a, TRegister b);

    static abstract TRegister Multiply(TRegister a, TRegister b);

    static abstract TRegister Divide(TRegister a, TRegister b);

    static abstract TRegister MinNative(TRegister a, TRegister b);

    static abstract TRegister MaxNative(TRegister a, TRegister b);

    static abstract TRegister Abs(TRegister a);

    static abstract TRegister CopySign(TRegister magnitude, TRegister sign);

    static abstract TRegister PowerOfTwo(TRegister wholeNumber);

    static abstract TRegister ScaleDown(TRegister a, TRegister n);
}
