using System.Diagnostics.CodeAnalysis;
using System.Numerics;

namespace Rnn.Kernels;

/// <summary>
/// A nonlinearity φ that cells take as a type parameter, such as <see cref="Tanh"/> in <c>SimpleRnnCell&lt;Tanh&gt;</c>. A struct of
/// one's own works as well as the ones that are here.
/// </summary>
/// <remarks>Mark both functions <c>[MethodImpl(MethodImplOptions.AggressiveInlining)]</c>: they stand in the innermost loop.</remarks>
[Experimental("RNN001")]
public interface IActivation
{
    /// <summary>The name in lower case, as files and cell names carry it.</summary>
    static abstract string Name { get; }

    /// <summary>
    /// Whether <see cref="Derivative"/> needs y only. Then cells save just the output for the backward pass; otherwise they save the
    /// pre-activation x too.
    /// </summary>
    static abstract bool DerivativeFromOutput { get; }

    /// <summary>y = φ(x).</summary>
    /// <param name="x">The pre-activation.</param>
    static abstract V Apply<V, T>(V x)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>;

    /// <summary>φ′ at the point where φ(x) = y.</summary>
    /// <param name="x">The pre-activation; may be anything where <see cref="DerivativeFromOutput"/>.</param>
    /// <param name="y">The output.</param>
    static abstract V Derivative<V, T>(V x, V y)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>;
}
