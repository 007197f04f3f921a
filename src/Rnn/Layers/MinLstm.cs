using System.Numerics;
using Rnn.Cells;
using Rnn.Kernels;

namespace Rnn.Layers;

/// <summary>minLSTM: f = σ(W_f x + b_f), i = σ(W_i x + b_i), n = φ(W_n x + b_n), h = f/(f+i)⊙h₋ + i/(f+i)⊙n.</summary>
/// <remarks>Feng et al. 2024, "Were RNNs all we needed?" (arXiv:2410.01201): an LSTM whose gates do not read the state and are normalised to a sum of 1, without an output gate.</remarks>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class MinLstm<T> : ScanLayer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>A layer with new weights.</summary>
    /// <param name="inputSize">The size of the input I.</param>
    /// <param name="hiddenSize">The hidden size H.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">A size is not positive, or the options give both a seed and a source.</exception>
    public MinLstm(int inputSize, int hiddenSize, ScanOptions? options = null)
        : base(CreateKernels((options ??= new()).Candidate), inputSize, hiddenSize, MinLayers.Product(options))
    {
        Options = options;
        MinLayers.FillBias(Gates.Bias, 0, hiddenSize, options.ForgetBias);
    }

    /// <summary>The options the layer was made with.</summary>
    public ScanOptions Options { get; }

    internal static string Type => "min-lstm";

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override string Arithmetic => $"min-lstm, {Options.Candidate} candidate";

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer) => MinLayers.Describe(writer, InputSize, HiddenSize, Options);

    internal static MinLstm<T> Read(DescriptionReader reader)
    {
        var (inputSize, hiddenSize, options) = MinLayers.Read(reader, gates: 3);
        return new(inputSize, hiddenSize, options);
    }

    private static ScanKernels<T> CreateKernels(ScanCandidate candidate) => candidate switch
    {
        ScanCandidate.Identity => ScanKernels<T>.Create<MinLstmCell<Identity>>(),
        ScanCandidate.Tanh => ScanKernels<T>.Create<MinLstmCell<Tanh>>(),
        _ => ScanKernels<T>.Create<MinLstmCell<PositiveCandidate>>(),
    };
}
