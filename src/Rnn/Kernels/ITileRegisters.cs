using System.Numerics;

namespace Rnn.Kernels;

/// <summary>
/// The few operations of the matrix kernels on the runtime's own vector types. <see cref="IVector{TSelf, T}"/> wraps them in structs,
/// whose copies keep the JIT from accumulating in place: with 24 sums in registers every one of them would be moved or spilled.
/// </summary>
/// <remarks>
/// The implementations are for one element type each: where an operation begins with a question about T, the JIT takes
/// several times as long for a tile, and a program's first step waits for it.
/// </remarks>
internal unsafe interface ITileRegisters<TRegister, T>
    where TRegister : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    static abstract int Count { get; }

    static abstract TRegister Load(T* source);

    static abstract void Store(TRegister value, T* destination);

    /// <summary>One number for all lanes, in the form that <see cref="MultiplyAdd"/> takes as its first factor; in no other place has it a meaning.</summary>
    static abstract TRegister Broadcast(T* source);

    /// <summary>a·b + c with <paramref name="a"/> from <see cref="Broadcast"/>.</summary>
    static abstract TRegister MultiplyAdd(TRegister a, TRegister b, TRegister c);
}
