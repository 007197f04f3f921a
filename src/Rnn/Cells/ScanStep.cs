using System.Numerics;

namespace Rnn.Cells;

/// <summary>The memory of one step of one row, as a scan cell reads and writes it; a kernel moves it from step to step.</summary>
internal unsafe struct ScanStep<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The pre-activations, one gate after the other, each of <see cref="Units"/> numbers.</summary>
    public T* Gates;

    /// <summary>H, the elements from one gate to the next.</summary>
    public nint Units;

    /// <summary>The layer's input, for cells that read it unit by unit.</summary>
    public T* Input;

    /// <summary>A number for each unit, such as its decay, for cells that have one.</summary>
    public T* PerUnit;

    /// <summary>The state before the step.</summary>
    public T* Previous;

    /// <summary>The state after the step, which is the output.</summary>
    public T* Output;

    /// <summary>The elements of <see cref="Gates"/> from one step to the next.</summary>
    public nint GateStep;

    /// <summary>The elements of <see cref="Input"/> from one step to the next.</summary>
    public nint InputStep;

    /// <summary>The elements of <see cref="Output"/> from one step to the next.</summary>
    public nint OutputStep;

    /// <summary>The gradient of the output, which moves as <see cref="Output"/> does.</summary>
    public T* OutputGradient;

    /// <summary>The gradient that comes back from the step after; the backward step puts that of the previous state in its place.</summary>
    public T* Carried;

    /// <summary>Receives the gradients of the pre-activations; moves as <see cref="Gates"/> does.</summary>
    public T* GateGradients;

    /// <summary>Receives the gradient of the input; moves as <see cref="Input"/> does.</summary>
    public T* InputGradient;

    /// <summary>Sums over all rows and steps for the gradient of <see cref="PerUnit"/>.</summary>
    public T* PerUnitSums;

    /// <summary>Whether gradients of the pre-activations are added to what is there.</summary>
    public bool AddsGateGradients;

    /// <summary>Whether gradients of the input are added to what is there.</summary>
    public bool AddsInputGradient;
}
