using System.Numerics;
using Rnn.Cells;
using Rnn.Formats;

namespace Rnn.Layers;

/// <summary>
/// A stack of gated recurrent units: r, z = σ(W x + U h₋ + b), n = tanh(W x + b + r⊙(U h₋ + b′)), h = (1−z)⊙n + z⊙h₋.
/// </summary>
/// <remarks>
/// Cho et al. 2014 (arXiv:1406.1078). Options give the reset before the product, as in the paper, and the other sign of z. Gate order r, z, n as in
/// PyTorch; the bias has a fourth block, b′, where the reset acts after the product.
/// </remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class Gru<T> : RecurrentLayer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>A GRU with weights as <see cref="RecurrentOptions.Initialization"/> says.</summary>
    /// <param name="inputSize">The size of the input I.</param>
    /// <param name="hiddenSize">The hidden size H of each layer.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">A size or option is out of range; the message says which.</exception>
    public Gru(int inputSize, int hiddenSize, GruOptions? options = null)
        : base(Cell(options ??= new(), out var activations), inputSize, hiddenSize, options, activations: activations)
    {
    }

    /// <summary>A GRU with the weights of a state dict of PyTorch (<c>GRU</c> or <c>GRUCell</c>). Sizes, layers, directions and whether there are biases are read from its names and shapes.</summary>
    /// <param name="file">The file, of any format.</param>
    /// <param name="prefix">What stands before each name, with its dot: <c>encoder.gru.</c>.</param>
    /// <param name="options">What the file does not say, such as dropout; with <see cref="GruOptions.UpdateGateKeepsState"/> false the update gate changes its sign; null for the defaults.</param>
    /// <exception cref="InvalidDataException">The file has no such layer below the prefix, or its shapes do not fit together.</exception>
    /// <exception cref="NotSupportedException">The options ask for a cell that PyTorch has not.</exception>
    public static Gru<T> FromPyTorch(WeightFile file, string prefix = "", GruOptions? options = null)
    {
        var sizes = PyTorchSizes.Read(file, prefix, PyTorchGates.Gru);
        var layer = new Gru<T>(sizes.InputSize, sizes.HiddenSize, (options ?? new()) with
        {
            Layers = sizes.Layers,
            HiddenSizes = null,
            Bidirectional = sizes.Bidirectional,
            Bias = sizes.Bias,
            Initialization = RecurrentInitialization.Uniform,
        });
        layer.LoadPyTorch(file, prefix, strict: false);
        return layer;
    }

    // Each choice names its cell's type, so that a trimmed program carries the GRUs only.
    private static CellKernels<T> Cell(GruOptions options, out CellActivations? activations)
    {
        activations = new() { Gate = options.GateActivation, Candidate = options.CandidateActivation, Clip = options.ActivationClip };
        activations = activations.AreUsual ? null : activations;
        var rows = activations?.Rows<T>();
        return options.UpdateGateKeepsState ? WithUpdate<UpdateGateKeepsState>(options, rows) : WithUpdate<UpdateGateReplacesState>(options, rows);
    }

    private static CellKernels<T> WithUpdate<TUpdate>(GruOptions options, ActivationRows<T>? rows)
        where TUpdate : struct, IUpdateGate => rows is not null ? Activated<TUpdate>(options, rows)
        : options.ResetAfter
        ? CellKernels<T>.Create<GruCell<TUpdate>>()
        : CellKernels<T>.Create<GruBeforeCell<TUpdate>>();

    private static ActivatedKernels<T> Activated<TUpdate>(GruOptions options, ActivationRows<T> rows)
        where TUpdate : struct, IUpdateGate => options.ResetAfter
        ? ActivatedKernels<T>.Create<ActivatedGruCell<TUpdate>>(rows)
        : ActivatedKernels<T>.Create<ActivatedGruBeforeCell<TUpdate>>(rows);
}
