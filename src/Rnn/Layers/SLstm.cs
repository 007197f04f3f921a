using System.Numerics;
using Rnn.Cells;

namespace Rnn.Layers;

/// <summary>
/// A stack of sLSTM layers, LSTMs with exponential gates: z = tanh(W x + U h₋ + b), o = σ(·), i = exp(·), f = σ(·), c = f⊙c₋ + i⊙z, n = f⊙n₋ + i, h = o⊙c/n.
/// </summary>
/// <remarks>
/// <para>Beck et al. 2024 (xLSTM, arXiv:2405.04517). An exponential input gate may outweigh all that is stored, so the memory can revise what it holds; the normaliser n keeps the output a
/// weighted mean of cell inputs, within ±1. The third and fourth state, n and the stabiliser m, hold c and n as c·eᵐ and n·eᵐ, by which no pre-activation overflows, whatever its size.</para>
/// <para>The paper's layer has four heads (<see cref="RecurrentOptions.Heads"/>) and normalises its output by heads (<see cref="RmsNorm{T}"/> with as many groups). Gate order i, f, z, o.</para>
/// <para>In a state of zeros the memory is empty; then c, n and m get no gradient, and <see cref="RecurrentOptions.LearnedInitialState"/> learns h alone.</para>
/// </remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class SLstm<T> : RecurrentLayer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>An sLSTM with weights as <see cref="RecurrentOptions.Initialization"/> says.</summary>
    /// <param name="inputSize">The size of the input I.</param>
    /// <param name="hiddenSize">The hidden size H of each layer.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">A size or option is out of range; the message says which.</exception>
    public SLstm(int inputSize, int hiddenSize, SLstmOptions? options = null)
        : base(Cell(options ??= new()), inputSize, hiddenSize, options)
    {
    }

    private static CellKernels<T> Cell(SLstmOptions options) =>
        options.ExponentialForget ? CellKernels<T>.Create<SLstmCell<ExponentialForget>>() : CellKernels<T>.Create<SLstmCell<SigmoidForget>>();
}
