using System.Numerics;
using Rnn.Cells;

namespace Rnn.Layers;

/// <summary>A stack of minimal gated units: f = σ(W x + U h₋ + b), n = tanh(W x + U(f⊙h₋) + b), h = (1−f)⊙h₋ + f⊙n.</summary>
/// <remarks>Zhou et al. 2016 (arXiv:1603.09420): a GRU of one gate, two thirds of its weights.</remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
/// <param name="inputSize">The size of the input I.</param>
/// <param name="hiddenSize">The hidden size H of each layer.</param>
/// <param name="options">Options, or null for the defaults.</param>
/// <exception cref="ArgumentException">A size or option is out of range; the message says which.</exception>
public sealed class Mgu<T>(int inputSize, int hiddenSize, RecurrentOptions? options = null)
    : RecurrentLayer<T>(CellKernels<T>.Create<MguCell>(), inputSize, hiddenSize, options ?? new())
    where T : unmanaged, IFloatingPointIeee754<T>;
