using System.Numerics;
using Rnn.Cells;
using Rnn.Formats;

namespace Rnn.Layers;

/// <summary>
/// A stack of long short-term memory layers: i, f, o = σ(W x + U h₋ + b), g = tanh(·), c = f⊙c₋ + i⊙g, h = o⊙tanh c.
/// </summary>
/// <remarks>
/// Hochreiter and Schmidhuber 1997, with forget gate (Gers et al. 2000) and, as options, peepholes, coupled gates, projection and layer
/// normalisation. Gate order i, f, g, o as in PyTorch.
/// </remarks>
/// <example>
/// <code>
/// var lstm = new Lstm&lt;float&gt;(inputSize: 40, hiddenSize: 128, new() { Layers = 2, Bidirectional = true });
/// var output = lstm.Forward(x, lengths).Last;
/// </code>
/// </example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class Lstm<T> : RecurrentLayer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>An LSTM with weights as <see cref="RecurrentOptions.Initialization"/> says.</summary>
    /// <param name="inputSize">The size of the input I.</param>
    /// <param name="hiddenSize">The hidden size H of each layer.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">A size or option is out of range; the message says which.</exception>
    public Lstm(int inputSize, int hiddenSize, LstmOptions? options = null)
        : base(Cell(options ??= new(), out var activations), inputSize, hiddenSize, options, options.ProjectionSize, activations)
    {
    }

    /// <summary>An LSTM with the weights of a state dict of PyTorch (<c>LSTM</c> or <c>LSTMCell</c>). Sizes, layers, directions, projection and whether there are biases are read from its names and shapes.</summary>
    /// <param name="file">The file, of any format.</param>
    /// <param name="prefix">What stands before each name, with its dot: <c>encoder.lstm.</c>.</param>
    /// <param name="options">What the file does not say, such as dropout; null for the defaults.</param>
    /// <exception cref="InvalidDataException">The file has no such layer below the prefix, or its shapes do not fit together.</exception>
    /// <exception cref="NotSupportedException">The options ask for a cell that PyTorch has not.</exception>
    public static Lstm<T> FromPyTorch(WeightFile file, string prefix = "", LstmOptions? options = null)
    {
        var sizes = PyTorchSizes.Read(file, prefix, PyTorchGates.Lstm);
        var layer = new Lstm<T>(sizes.InputSize, sizes.HiddenSize, (options ?? new()) with
        {
            Layers = sizes.Layers,
            HiddenSizes = null,
            Bidirectional = sizes.Bidirectional,
            ProjectionSize = sizes.ProjectionSize,
            Bias = sizes.Bias,
            Initialization = RecurrentInitialization.Uniform,
        });
        layer.LoadPyTorch(file, prefix, strict: false);
        return layer;
    }

    // Each choice names its cell's type, so that a trimmed program carries the LSTMs only.
    private static CellKernels<T> Cell(LstmOptions options, out CellActivations? activations)
    {
        if (options.CoupledGates && !options.ForgetGate)
        {
            throw new ArgumentException("ForgetGate: coupled gates need a forget gate.", nameof(options));
        }

        if (options.ForgetFromInput && (options.CoupledGates || !options.ForgetGate))
        {
            throw new ArgumentException("ForgetFromInput: it makes the forget gate from the input gate, so leave CoupledGates false and ForgetGate true.", nameof(options));
        }

        activations = new()
        {
            Gate = options.GateActivation,
            Candidate = options.CandidateActivation,
            Output = options.OutputActivation,
            Clip = options.ActivationClip,
        };
        if (activations.AreUsual && !options.ForgetFromInput)
        {
            activations = null;
        }

        var rows = activations?.Rows<T>();
        return options.Peepholes switch
        {
            Peepholes.None => WithPeephole<NoPeephole>(options, rows),
            Peepholes.Diagonal => WithPeephole<DiagonalPeephole>(options, rows),
            Peepholes.Full => WithPeephole<FullPeephole>(options, rows),
            _ => throw new ArgumentException($"Peepholes: {options.Peepholes} is none of None, Diagonal and Full.", nameof(options)),
        };
    }

    private static CellKernels<T> WithPeephole<TPeephole>(LstmOptions options, ActivationRows<T>? rows)
        where TPeephole : struct, IPeephole =>
        rows is not null ? Activated<TPeephole>(options, rows)
        : options.CoupledGates ? CellKernels<T>.Create<LstmCell<TPeephole, CoupledForget>>()
        : options.ForgetGate ? CellKernels<T>.Create<LstmCell<TPeephole, SeparateForget>>()
        : CellKernels<T>.Create<LstmCell<TPeephole, NoForget>>();

    private static ActivatedKernels<T> Activated<TPeephole>(LstmOptions options, ActivationRows<T> rows)
        where TPeephole : struct, IPeephole =>
        options.ForgetFromInput ? ActivatedKernels<T>.Create<ActivatedLstmCell<TPeephole, NoForget, Yes>>(rows)
        : options.CoupledGates ? ActivatedKernels<T>.Create<ActivatedLstmCell<TPeephole, CoupledForget, No>>(rows)
        : options.ForgetGate ? ActivatedKernels<T>.Create<ActivatedLstmCell<TPeephole, SeparateForget, No>>(rows)
        : ActivatedKernels<T>.Create<ActivatedLstmCell<TPeephole, NoForget, No>>(rows);
}
