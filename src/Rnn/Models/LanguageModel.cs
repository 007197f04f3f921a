using System.Numerics;
using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Models;

/// <summary>
/// Predicts the next token from all before: an embedding, a sequence layer such as a recurrent one of any cell, an output layer with one score for each token.
/// </summary>
/// <remarks>
/// Mikolov et al., "Recurrent neural network based language model" (2010); Zaremba et al., "Recurrent Neural Network Regularization" (2014,
/// arXiv:1409.2329) for dropout on what is not recurrent.
/// </remarks>
/// <example>
/// <code>
/// var vocabulary = CharVocabulary.FromText(text);
/// var model = new LanguageModel&lt;float&gt;(vocabulary, new Lstm&lt;float&gt;(inputSize: 64, hiddenSize: 256, new() { Layers = 2 }));
/// // … train …
/// model.Save("model.safetensors");
/// Console.WriteLine(model.Generate("ROMEO:", 300, new() { Temperature = 0.8, TopK = 40 }));
/// </code>
/// </example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed partial class LanguageModel<T> : Module<T>, ISequenceModel<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Dropout<T>? _embeddingDropout;
    private readonly Dropout<T>? _dropout;

    /// <summary>A model with new embedding and output layer.</summary>
    /// <param name="vocabularySize">The number of tokens V.</param>
    /// <param name="layer">The sequence layer, such as an LSTM; its <c>InputSize</c> is the size of the embedding. It must be causal.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">A size does not fit, the layer is not causal, or the options give both a seed and a source.</exception>
    public LanguageModel(int vocabularySize, SequenceLayer<T> layer, LanguageModelOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(layer);
        if (vocabularySize < 1)
        {
            throw new ArgumentOutOfRangeException(nameof(vocabularySize), vocabularySize, $"vocabularySize: expected 1 or more but got {vocabularySize}.");
        }

        if (!layer.IsCausal)
        {
            throw new ArgumentException("layer: a language model predicts what comes next, but this layer is bidirectional or reversed and would see it.", nameof(layer));
        }

        Options = options ??= new();
        if (options.TieWeights && layer.OutputSize != layer.InputSize)
        {
            throw new ArgumentException(
                $"TieWeights: expected a layer whose OutputSize equals its InputSize ({layer.InputSize}), the size of the shared table's rows, but it is {layer.OutputSize}; "
                + $"choose hiddenSize {layer.InputSize}, or an LSTM with ProjectionSize {layer.InputSize}.",
                nameof(options));
        }

        if (options is { TieWeights: true, AdaptiveSoftmax: not null })
        {
            throw new ArgumentException("AdaptiveSoftmax: its clusters have projections of their own and cannot share the embedding's table; set TieWeights to false, or AdaptiveSoftmax to null.", nameof(options));
        }

        // Each part splits off a random source by a name of its own; dropout under names that no other layer has, since the recurrent layer may have the same seed.
        var seed = RandomSource.ChooseSeed(options.Seed, options.Random);
        var random = new RandomSource(seed);

        // A tied table is also read as output weights, whose scores should start near zero.
        var standardDeviation = options.TieWeights ? 1 / Math.Sqrt(layer.InputSize) : 1;
        Embedding = AddModule(
            "embedding", new Embedding<T>(vocabularySize, layer.InputSize, new() { Initializer = Initializer.Normal(0, standardDeviation), Seed = seed }));
        _embeddingDropout = options.EmbeddingDropout > 0 ? AddModule("embedding_dropout", new Dropout<T>(options.EmbeddingDropout, random.Split("embedding dropout"))) : null;

        // The name in files, from the time when every layer here was recurrent.
        SequenceLayer = AddModule("recurrent", layer);
        _dropout = options.Dropout > 0 ? AddModule("dropout", new Dropout<T>(options.Dropout, random.Split("output dropout"))) : null;
        Output = AddModule<Layer<T>>("output", options switch
        {
            { TieWeights: true } => new Linear<T>(Embedding.Weight, new() { Seed = seed }),
            { AdaptiveSoftmax: { } adaptive } => new AdaptiveSoftmax<T>(layer.OutputSize, vocabularySize, adaptive with { Seed = seed, Random = null }),
            _ => new Linear<T>(layer.OutputSize, vocabularySize, new() { Seed = seed }),
        });
    }

    /// <summary>A model of a vocabulary's tokens, which is saved with it.</summary>
    /// <param name="vocabulary">The vocabulary.</param>
    /// <param name="layer">The sequence layer, such as an LSTM; its <c>InputSize</c> is the size of the embedding. It must be causal.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">A size does not fit, the layer is not causal, or the options give both a seed and a source.</exception>
    public LanguageModel(IVocabulary vocabulary, SequenceLayer<T> layer, LanguageModelOptions? options = null)
        : this(SizeOf(vocabulary), layer, options) => Vocabulary = vocabulary;

    /// <summary>The options the model was made with.</summary>
    public LanguageModelOptions Options { get; }

    /// <summary>The number of tokens V.</summary>
    public int VocabularySize => Embedding.Count;

    /// <summary>The vocabulary whose tokens the model predicts, saved with it; null where the model was not told.</summary>
    /// <exception cref="ArgumentException">The vocabulary has another number of tokens.</exception>
    public IVocabulary? Vocabulary
    {
        get;
        set => field = value is null || value.Count == VocabularySize
            ? value
            : throw new ArgumentException($"Vocabulary: expected {VocabularySize} tokens, the size of this model, but got {value.Count}.", nameof(value));
    }

    /// <summary>The table of the tokens' vectors.</summary>
    public Embedding<T> Embedding { get; }

    /// <summary>The layer between embedding and output.</summary>
    public SequenceLayer<T> SequenceLayer { get; }

    /// <summary>The layer that scores the tokens: a <see cref="Linear{T}"/>, or an <see cref="AdaptiveSoftmax{T}"/>, whose scores are logarithms of probabilities.</summary>
    public Layer<T> Output { get; }

    /// <inheritdoc/>
    protected override string Description => $"{VocabularySize} tokens{(Options.TieWeights ? ", tied weights" : Options.AdaptiveSoftmax is null ? string.Empty : ", adaptive softmax")}";

    /// <summary>The scores of the next token after every step of a batch of windows.</summary>
    /// <param name="tokens">Tokens from 0 to V − 1, [N, T].</param>
    /// <param name="state">The states to start from, such as those after the window before; null for the initial ones.</param>
    /// <exception cref="ArgumentException">A token is out of range or the state does not fit.</exception>
    public SequenceOutput<T> Forward(int[,] tokens, SequenceState<T>? state = null)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        return ToOutput(Hidden(Embedding.Forward(tokens), default, state));
    }

    /// <summary>The scores of the next token after every step of a batch of windows.</summary>
    /// <param name="tokens">Tokens from 0 to V − 1, [N, T] row-major.</param>
    /// <param name="rows">The number of rows N.</param>
    /// <param name="lengths">The valid steps of each row; empty for all.</param>
    /// <param name="state">The states to start from, such as those after the window before; null for the initial ones.</param>
    /// <exception cref="ArgumentException">The tokens do not divide among the rows, one is out of range, or state or lengths do not fit.</exception>
    public SequenceOutput<T> Forward(ReadOnlySpan<int> tokens, int rows, ReadOnlySpan<int> lengths = default, SequenceState<T>? state = null)
    {
        return ToOutput(Hidden(Embed(tokens, rows), lengths, state));
    }

    /// <summary>The states that sequences begin with: zeros, or the learned ones of <see cref="SequenceLayer"/>.</summary>
    /// <param name="rows">The number of rows N.</param>
    public SequenceState<T>? InitialState(int rows) => SequenceLayer.HasLearnedInitialState ? SequenceLayer.InitialState(rows) : null;

    /// <summary>The cross-entropy of the tokens that follow, without making the scores of all steps at once.</summary>
    /// <param name="tokens">Tokens from 0 to V − 1, [N, T] row-major.</param>
    /// <param name="rows">The number of rows N.</param>
    /// <param name="lengths">The valid steps of each row; empty for all.</param>
    /// <param name="state">The states to start from; null for the initial ones.</param>
    /// <param name="targets">The token that follows each step, [N, T], or the ignore index, which stands past the end of a row too.</param>
    /// <param name="options">What the loss is; null for the defaults.</param>
    /// <exception cref="ArgumentException">A token is out of range, or targets, state or lengths do not fit.</exception>
    public SequenceLoss<T> ForwardLoss(
        ReadOnlySpan<int> tokens, int rows, ReadOnlySpan<int> lengths, SequenceState<T>? state, ReadOnlySpan<int> targets, CrossEntropyOptions? options = null)
    {
        var hidden = Hidden(Embed(tokens, rows), lengths, state);
        return new(LossOf(hidden.Output, targets, options), hidden.FinalState);
    }

    private Tensor<T> LossOf(Tensor<T> hidden, ReadOnlySpan<int> targets, CrossEntropyOptions? options) => Output is AdaptiveSoftmax<T> adaptive
        ? Loss.AdaptiveCrossEntropy(hidden, adaptive, targets, options)
        : Loss.LinearCrossEntropy(hidden, (Linear<T>)Output, targets, options);

    private Tensor<T> Embed(ReadOnlySpan<int> tokens, int rows) => rows > 0 && tokens.Length % rows == 0
        ? Embedding.Forward(tokens, [rows, tokens.Length / rows])
        : throw new ArgumentException($"tokens: expected [rows, steps] but {tokens.Length} tokens do not divide among {rows} rows.", nameof(tokens));

    // What the output layer reads.
    private (Tensor<T> Output, SequenceState<T> FinalState) Hidden(Tensor<T> embedded, ReadOnlySpan<int> lengths, SequenceState<T>? state)
    {
        var output = SequenceLayer.Forward(_embeddingDropout?.Forward(embedded) ?? embedded, lengths, state);
        return (_dropout?.Forward(output.Output) ?? output.Output, output.FinalState);
    }

    private SequenceOutput<T> ToOutput((Tensor<T> Output, SequenceState<T> FinalState) hidden) => new(Output.Forward(hidden.Output), hidden.FinalState);

    private static int SizeOf(IVocabulary vocabulary)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        return vocabulary.Count;
    }
}
