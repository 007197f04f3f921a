using System.Numerics;
using Rnn.Cells;
using Rnn.Kernels;

namespace Rnn.Layers;

/// <summary>minGRU: z = σ(W_z x + b_z), n = φ(W_n x + b_n), h = (1−z)⊙h₋ + z⊙n.</summary>
/// <remarks>Feng et al. 2024, "Were RNNs all we needed?" (arXiv:2410.01201): a GRU whose gates do not read the state.</remarks>
/// <example>
/// <code>
/// var layer = new SequenceChain&lt;float&gt;(new MinGru&lt;float&gt;(64, 128), new LayerNorm&lt;float&gt;(128), new MinGru&lt;float&gt;(128, 128));
/// </code>
/// </example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class MinGru<T> : ScanLayer<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>A layer with new weights.</summary>
    /// <param name="inputSize">The size of the input I.</param>
    /// <param name="hiddenSize">The hidden size H.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">A size is not positive, or the options give both a seed and a source.</exception>
    public MinGru(int inputSize, int hiddenSize, ScanOptions? options = null)
        : base(CreateKernels((options ??= new()).Candidate), inputSize, hiddenSize, MinLayers.Product(options))
    {
        Options = options;
        MinLayers.FillBias(Gates.Bias, 0, hiddenSize, -options.ForgetBias);
    }

    /// <summary>The options the layer was made with.</summary>
    public ScanOptions Options { get; }

    internal static string Type => "min-gru";

    /// <inheritdoc/>
    protected override string? FileType => Type;

    /// <inheritdoc/>
    protected override string Arithmetic => $"min-gru, {Options.Candidate} candidate";

    /// <inheritdoc/>
    protected override void Describe(DescriptionWriter writer) => MinLayers.Describe(writer, InputSize, HiddenSize, Options);

    internal static MinGru<T> Read(DescriptionReader reader)
    {
        var (inputSize, hiddenSize, options) = MinLayers.Read(reader, gates: 2);
        return new(inputSize, hiddenSize, options);
    }

    private static ScanKernels<T> CreateKernels(ScanCandidate candidate) => candidate switch
    {
        ScanCandidate.Identity => ScanKernels<T>.Create<MinGruCell<Identity>>(),
        ScanCandidate.Tanh => ScanKernels<T>.Create<MinGruCell<Tanh>>(),
        _ => ScanKernels<T>.Create<MinGruCell<PositiveCandidate>>(),
    };
}
