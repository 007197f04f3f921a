using System.Numerics;
using Rnn.Cells;
using Rnn.Formats;
using Rnn.Kernels;

namespace Rnn.Layers;

/// <summary>A stack of plain recurrent layers: h = φ(W x + U h₋ + b), φ tanh unless an option says another.</summary>
/// <remarks>Elman 1990. With relu and the identity initialisation it is the IRNN (Le, Jaitly and Hinton 2015, arXiv:1504.00941).</remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class SimpleRnn<T> : RecurrentLayer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>A plain recurrent network with weights as <see cref="RecurrentOptions.Initialization"/> says.</summary>
    /// <param name="inputSize">The size of the input I.</param>
    /// <param name="hiddenSize">The hidden size H of each layer.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">A size or option is out of range; the message says which.</exception>
    public SimpleRnn(int inputSize, int hiddenSize, SimpleRnnOptions? options = null)
        : base(Cell(options ??= new(), out var activations), inputSize, hiddenSize, options, options.ProjectionSize, activations)
    {
    }

    /// <summary>A plain recurrent network with the weights of a state dict of PyTorch (<c>RNN</c> or <c>RNNCell</c>). Sizes, layers, directions and whether there are biases are read from its names and shapes.</summary>
    /// <param name="file">The file, of any format.</param>
    /// <param name="prefix">What stands before each name, with its dot: <c>encoder.rnn.</c>.</param>
    /// <param name="options">What the file does not say, such as dropout and the activation, tanh or relu; null for the defaults.</param>
    /// <exception cref="InvalidDataException">The file has no such layer below the prefix, or its shapes do not fit together.</exception>
    /// <exception cref="NotSupportedException">The options ask for a cell that PyTorch has not.</exception>
    public static SimpleRnn<T> FromPyTorch(WeightFile file, string prefix = "", SimpleRnnOptions? options = null)
    {
        var sizes = PyTorchSizes.Read(file, prefix, PyTorchGates.Rnn);
        var layer = new SimpleRnn<T>(sizes.InputSize, sizes.HiddenSize, (options ?? new()) with
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

    private static CellKernels<T> Cell(SimpleRnnOptions options, out CellActivations? activations)
    {
        var function = options.Activation;
        activations = ActivationChoice.HasCell(function.Kind) && function.HasDefaultNumbers && options.ActivationClip is null
            ? null
            : new() { Candidate = function, Clip = options.ActivationClip };
        return activations is null
            ? ActivationChoice.Create<Factory, CellKernels<T>>(function.Kind, default)
            : ActivatedKernels<T>.Create<ActivatedRnnCell>(activations.Rows<T>());
    }

    private readonly struct Factory : IActivationFactory<CellKernels<T>>
    {
        public CellKernels<T> Create<TActivation>()
            where TActivation : struct, IActivation => CellKernels<T>.Create<SimpleRnnCell<TActivation>>();
    }
}
