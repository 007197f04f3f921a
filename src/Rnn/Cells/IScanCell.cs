using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Cells;

/// <summary>
/// A recurrent unit whose gates do not read its state: h = a⊙h₋ + b with a and b of the input alone. One product gives all gates of a sequence, and a loop over time that works unit by unit
/// (a scan) does the rest.
/// </summary>
internal interface IScanCell
{
    /// <summary>How many gates the input product feeds.</summary>
    static abstract int Gates { get; }

    /// <summary>Whether the step also reads the layer's input and a number for each unit.</summary>
    static abstract bool ReadsInput { get; }

    /// <summary>The state after a step of the units from <paramref name="j"/> on.</summary>
    static abstract V Forward<V, T, TLanes>(in ScanStep<T> step, TLanes lanes, nint j)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TLanes : struct, ILanes<V, T>;

    /// <summary>Writes the gradients of the pre-activations, and where the cell reads them of input and number for each unit.</summary>
    /// <param name="step">The step's memory.</param>
    /// <param name="lanes">Which units of a vector count.</param>
    /// <param name="j">The first unit.</param>
    /// <param name="gradient">The gradient of the state after the step.</param>
    /// <returns>The gradient of the state before it.</returns>
    static abstract V Backward<V, T, TLanes>(in ScanStep<T> step, TLanes lanes, nint j, V gradient)
        where V : struct, IVector<V, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TLanes : struct, ILanes<V, T>;
}
