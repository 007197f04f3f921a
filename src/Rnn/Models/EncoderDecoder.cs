using System.Numerics;
using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Models;

/// <summary>
/// Turns one sequence into another (many to many): translation, transduction, spelling, arithmetic. An encoder reads the source; a decoder writes the target token by token, from the encoder's state and,
/// with attention, from what it looks up in the encoder's outputs at each step.
/// </summary>
/// <remarks>
/// Cho et al. 2014 (arXiv:1406.1078), Sutskever et al. 2014 (arXiv:1409.3215); attention by Bahdanau et al. 2015 (arXiv:1409.0473) or Luong et al. 2015 (arXiv:1508.04025), see
/// <see cref="DecoderAttention"/>. The size of the target's embedding is the decoder's <c>InputSize</c> less what attention adds to its input: the encoder's <c>OutputSize</c> for Bahdanau's, the decoder's own
/// <c>OutputSize</c> where the attentional vector is fed back (<see cref="EncoderDecoderOptions.InputFeeding"/>).
/// </remarks>
/// <example>
/// <code>
/// var source = CharVocabulary.FromText(string.Concat(sourceTexts));
/// var target = CharVocabulary.FromText(string.Concat(targetTexts), new() { BeginAndEnd = true });
/// var model = new EncoderDecoder&lt;float&gt;(
///     source, target, encoder: new Lstm&lt;float&gt;(64, 128, new() { Bidirectional = true }), decoder: new Lstm&lt;float&gt;(64, 256));
/// var batches = model.Pairs(sourceTexts, targetTexts, batchSize: 64, new RandomSource(1));
/// await new Trainer&lt;float&gt;(model, new Adam&lt;float&gt;()).FitAsync(batches, batch =&gt; model.Loss(batch), epochs: 10);
/// Console.WriteLine(model.Translate("3 March 2021"));   // 2021-03-03
/// </code>
/// </example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed partial class EncoderDecoder<T> : Module<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Dropout<T>? _sourceDropout;
    private readonly Dropout<T>? _targetDropout;
    private readonly Dropout<T>? _dropout;
    private readonly Attention<T>? _attention;
    private readonly Linear<T>? _readout;
    private readonly StateProjection<T>? _start;
    private readonly RandomSource _forcing;

    /// <summary>A model with new embeddings, attention and output layer.</summary>
    /// <param name="source">The vocabulary of what is read.</param>
    /// <param name="target">The vocabulary of what is written; it needs tokens that begin and end a sequence.</param>
    /// <param name="encoder">The layer that reads the source, which may be bidirectional; its <c>InputSize</c> is the size of the source's embedding.</param>
    /// <param name="decoder">The layer that writes the target; it must be causal.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">A size does not fit, the decoder is not causal, the target's vocabulary has no begin or end, or the options give both a seed and a source.</exception>
    public EncoderDecoder(IVocabulary source, IVocabulary target, SequenceLayer<T> encoder, SequenceLayer<T> decoder, EncoderDecoderOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(encoder);
        ArgumentNullException.ThrowIfNull(decoder);
        Options = options ??= new();
        if (target.BeginOfSequence is not { } begin || target.EndOfSequence is not { } end)
        {
            throw new ArgumentException("target: expected a vocabulary with tokens that begin and end a sequence; make it with BeginAndEnd = true.", nameof(target));
        }

        if (!decoder.IsCausal)
        {
            throw new ArgumentException("decoder: a decoder writes from left to right, but this layer is bidirectional or reversed and would see what it is to write.", nameof(decoder));
        }

        options.Check();
        var fed = FedSize(options, encoder, decoder);
        if (decoder.InputSize <= fed)
        {
            throw new ArgumentException(
                $"decoder: expected an InputSize above {fed}, which attention adds to the target's embedding, but it is {decoder.InputSize}; InputSize is the size of the embedding plus {fed}.", nameof(decoder));
        }

        if (options.Attention == DecoderAttention.LuongDot && encoder.OutputSize != decoder.OutputSize)
        {
            throw new ArgumentException(
                $"Attention: LuongDot needs an encoder and a decoder of the same OutputSize, but they have {encoder.OutputSize} and {decoder.OutputSize}; use LuongGeneral.", nameof(options));
        }

        (SourceVocabulary, TargetVocabulary, Begin, End) = (source, target, begin, end);
        var seed = RandomSource.ChooseSeed(options.Seed, options.Random);
        var random = new RandomSource(seed);
        SourceEmbedding = AddModule("source_embedding", new Embedding<T>(source.Count, encoder.InputSize, new() { Random = random.Split("source embedding") }));
        TargetEmbedding = AddModule("target_embedding", new Embedding<T>(target.Count, decoder.InputSize - fed, new() { Random = random.Split("target embedding") }));
        Encoder = AddModule("encoder", encoder);
        Decoder = AddModule("decoder", decoder);
        if (options.EmbeddingDropout > 0)
        {
            _sourceDropout = AddModule("source_dropout", new Dropout<T>(options.EmbeddingDropout, random.Split("source dropout")));
            _targetDropout = AddModule("target_dropout", new Dropout<T>(options.EmbeddingDropout, random.Split("target dropout")));
        }

        _dropout = options.Dropout > 0 ? AddModule("dropout", new Dropout<T>(options.Dropout, random.Split("output dropout"))) : null;
        _attention = options.NewAttention<T>(decoder.OutputSize, encoder.OutputSize, random.Split("attention").NextUInt64());
        if (_attention is not null)
        {
            AddModule("attention", _attention);
            _readout = AddModule("readout", new Linear<T>(encoder.OutputSize + decoder.OutputSize, decoder.OutputSize, new() { Random = random.Split("readout") }));
        }

        if (options.Start == DecoderStart.Projection || (options.Start == DecoderStart.Encoder && !HasSameState(encoder, decoder)))
        {
            _start = new(decoder, encoder.OutputSize, random, AddModule);
        }

        Output = AddModule("output", new Linear<T>(decoder.OutputSize, target.Count, new() { Random = random.Split("output") }));
        _forcing = AddRandomSource("teacher_forcing", random.Split("teacher forcing"));
    }

    /// <summary>The options the model was made with.</summary>
    public EncoderDecoderOptions Options { get; }

    /// <summary>The vocabulary of what is read.</summary>
    public IVocabulary SourceVocabulary { get; }

    /// <summary>The vocabulary of what is written.</summary>
    public IVocabulary TargetVocabulary { get; }

    /// <summary>The token that the decoder begins with.</summary>
    public int Begin { get; }

    /// <summary>The token that ends what is written.</summary>
    public int End { get; }

    /// <summary>The table of the source tokens' vectors.</summary>
    public Embedding<T> SourceEmbedding { get; }

    /// <summary>The table of the target tokens' vectors.</summary>
    public Embedding<T> TargetEmbedding { get; }

    /// <summary>The layer that reads.</summary>
    public SequenceLayer<T> Encoder { get; }

    /// <summary>The layer that writes.</summary>
    public SequenceLayer<T> Decoder { get; }

    /// <summary>The layer that scores the tokens of the target.</summary>
    public Linear<T> Output { get; }

    internal Attention<T>? Attention => _attention;

    internal Linear<T>? Readout => _readout;

    // Whether a step needs the one before it for more than its state.
    private bool RunsStepByStep => FedSize(Options, Encoder, Decoder) > 0;

    /// <summary>Batches of pairs of texts for training or scoring.</summary>
    /// <param name="sources">The texts to read.</param>
    /// <param name="targets">The texts to write, as many.</param>
    /// <param name="batchSize">The most pairs a batch may have.</param>
    /// <param name="random">Where the order comes from; null for shortest first, always the same.</param>
    /// <exception cref="ArgumentException">The numbers of texts differ, there are none, or a vocabulary does not know a symbol.</exception>
    public BatchSource<SequencePairBatch> Pairs(IReadOnlyList<string> sources, IReadOnlyList<string> targets, int batchSize, RandomSource? random = null)
    {
        ArgumentNullException.ThrowIfNull(sources);
        ArgumentNullException.ThrowIfNull(targets);
        return SequencePairBatch.Bucket(
            sources.Select(text => SourceVocabulary.Encode(text)).ToArray(), targets.Select(text => TargetVocabulary.Encode(text)).ToArray(), batchSize, Begin, End, random);
    }

    /// <summary>The scores of the target's tokens, each after the right ones before it (teacher forcing).</summary>
    /// <param name="batch">The pairs.</param>
    /// <returns>[N, U, V]: logits; past the end of a target anything.</returns>
    /// <exception cref="ArgumentException">A token is out of range.</exception>
    public Tensor<T> Forward(SequencePairBatch batch) => Output.Forward(Run(batch, teacherForcing: 1, weights: null));

    /// <summary>The cross-entropy of the right targets, the mean over their tokens, end tokens included.</summary>
    /// <param name="batch">The pairs.</param>
    /// <param name="teacherForcing">
    /// The probability that a step reads the right token before it, and not the likeliest of the step before: 1 for teacher forcing, less towards the end of training so that the decoder learns to go on from its own
    /// mistakes (scheduled sampling; Bengio et al. 2015, arXiv:1506.03099). Drawn anew for each step and row. Below 1 steps run one after the other. How it falls any <see cref="Schedule"/> can say, see
    /// <see cref="InverseSigmoidSchedule"/> for an example.
    /// </param>
    /// <param name="options">What the loss is, such as label smoothing; its ignore index must be <see cref="SequencePairBatch.Ignored"/>, the default.</param>
    /// <exception cref="ArgumentException">A token is out of range.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The probability is none.</exception>
    public Tensor<T> Loss(SequencePairBatch batch, double teacherForcing = 1, CrossEntropyOptions? options = null)
    {
        OptionRange.Within(teacherForcing, 0, 1, nameof(teacherForcing));
        var read = Run(batch, teacherForcing, weights: null);
        return Training.Loss.LinearCrossEntropy(read, Output, batch.Targets, options);
    }

    /// <summary>Where the decoder looks while it writes the right targets.</summary>
    /// <param name="batch">The pairs.</param>
    /// <returns>[N, U, T]: for each token that is written, the weights of the source's tokens, which add to 1; without history.</returns>
    /// <exception cref="InvalidOperationException">The model has no attention.</exception>
    public Tensor<T> AttentionWeights(SequencePairBatch batch)
    {
        if (_attention is null)
        {
            throw new InvalidOperationException("AttentionWeights: this model has no attention; make it with an Attention other than None.");
        }

        using var evaluation = Evaluation.Enter();
        using var noGradient = NoGradient.Enter();
        var weights = new List<Tensor<T>>();
        Run(batch, teacherForcing: 1, weights);
        return weights.Count == 1 && weights[0].Rank == 3 ? weights[0] : Tensor<T>.Stack([.. weights], 1);
    }

    private static int FedSize(EncoderDecoderOptions options, SequenceLayer<T> encoder, SequenceLayer<T> decoder) =>
        (options.Attention == DecoderAttention.Bahdanau ? encoder.OutputSize : 0) + (options.InputFeeding ? decoder.OutputSize : 0);

    private static bool HasSameState(SequenceLayer<T> encoder, SequenceLayer<T> decoder)
    {
        var (from, to) = (encoder.ZeroState(1), decoder.ZeroState(1));
        return from.Names.SequenceEqual(to.Names) && from.Tensors.Zip(to.Tensors).All(pair => pair.First.Shape == pair.Second.Shape);
    }
}
