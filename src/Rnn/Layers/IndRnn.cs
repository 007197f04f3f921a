using System.Numerics;
using Rnn.Cells;
using Rnn.Kernels;

namespace Rnn.Layers;

/// <summary>A stack of independently recurrent layers: h = φ(W x + u⊙h₋ + b), φ relu unless an option says another.</summary>
/// <remarks>
/// Li et al. 2018 (arXiv:1803.04831). Units of one layer do not see each other, those of the next layer see them all: use several layers. No matrix
/// product stands in the time loop.
/// </remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class IndRnn<T> : RecurrentLayer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>An independently recurrent network with weights as <see cref="RecurrentOptions.Initialization"/> says.</summary>
    /// <param name="inputSize">The size of the input I.</param>
    /// <param name="hiddenSize">The hidden size H of each layer.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">A size or option is out of range; the message says which.</exception>
    public IndRnn(int inputSize, int hiddenSize, IndRnnOptions? options = null)
        : base(ActivationChoice.Create<Factory, CellKernels<T>>((options ??= new()).Activation, default), inputSize, hiddenSize, options)
    {
    }

    private readonly struct Factory : IActivationFactory<CellKernels<T>>
    {
        public CellKernels<T> Create<TActivation>()
            where TActivation : struct, IActivation => CellKernels<T>.Create<IndRnnCell<TActivation>>();
    }
}
