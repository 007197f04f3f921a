using System.Numerics;
using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Models;

/// <summary>
/// Reads labels out of a longer sequence without being told where they are (many to fewer): speech into letters, pen strokes or columns of a picture into writing, sensors into events. An embedding where the sequence is
/// one of tokens, a sequence layer, and an output layer with a score for each label and for the blank at each step, trained by connectionist temporal classification (<see cref="Training.Loss.Ctc"/>).
/// </summary>
/// <remarks>Graves, Fernández, Gomez and Schmidhuber 2006; Graves, Mohamed and Hinton 2013 (arXiv:1303.5778).</remarks>
/// <example>
/// <code>
/// var vocabulary = CharVocabulary.FromText("0123456789");
/// var model = new SequenceTranscriber&lt;float&gt;(new Lstm&lt;float&gt;(inputSize: 32, hiddenSize: 128, new() { Bidirectional = true }), vocabulary);
/// var batches = model.Pairs(recordings, texts, batchSize: 32, new RandomSource(1));   // each recording [frames, 32]
/// await new Trainer&lt;float&gt;(model, new Adam&lt;float&gt;()).FitAsync(batches, batch =&gt; model.Loss(batch), epochs: 20);
/// Console.WriteLine(model.Transcribe(recording));   // 40713
/// </code>
/// </example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed partial class SequenceTranscriber<T> : Module<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Dropout<T>? _inputDropout;
    private readonly Dropout<T>? _dropout;

    /// <summary>A transcriber of sequences of feature vectors.</summary>
    /// <param name="layer">The sequence layer, which may be bidirectional; its <c>InputSize</c> is the number of features of the steps that it reads as one.</param>
    /// <param name="vocabulary">The labels, which are saved with the model; the blank is one more.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">The stacking does not divide the input size, or the options give both a seed and a source.</exception>
    public SequenceTranscriber(SequenceLayer<T> layer, IVocabulary vocabulary, SequenceTranscriberOptions? options = null)
        : this(layer, vocabulary, options, source: null)
    {
    }

    /// <summary>A transcriber of texts, such as of spellings into sounds. No text has fewer symbols than the labels that it gives.</summary>
    /// <param name="source">What is read, which is saved with the model.</param>
    /// <param name="layer">The sequence layer, which may be bidirectional; its <c>InputSize</c> is the size of the embeddings that it reads as one.</param>
    /// <param name="vocabulary">The labels, which are saved with the model; the blank is one more.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">The stacking does not divide the input size, or the options give both a seed and a source.</exception>
    public SequenceTranscriber(IVocabulary source, SequenceLayer<T> layer, IVocabulary vocabulary, SequenceTranscriberOptions? options = null)
        : this(layer, vocabulary, options, source ?? throw new ArgumentNullException(nameof(source)))
    {
    }

    private SequenceTranscriber(SequenceLayer<T> layer, IVocabulary vocabulary, SequenceTranscriberOptions? options, IVocabulary? source)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(vocabulary);
        Options = options ??= new();
        if (layer.InputSize % options.FrameStacking != 0)
        {
            throw new ArgumentException(
                $"FrameStacking: the layer reads {layer.InputSize} numbers, which are not {options.FrameStacking} steps side by side; choose an InputSize of {options.FrameStacking} times the features of a step.", nameof(options));
        }

        (Vocabulary, SourceVocabulary) = (vocabulary, source);
        var random = new RandomSource(RandomSource.ChooseSeed(options.Seed, options.Random));
        Embedding = source is null ? null : AddModule("embedding", new Embedding<T>(source.Count, layer.InputSize / options.FrameStacking, new() { Random = random.Split("embedding") }));
        _inputDropout = options.InputDropout > 0 ? AddModule("input_dropout", new Dropout<T>(options.InputDropout, random.Split("input dropout"))) : null;
        SequenceLayer = AddModule("layer", layer);
        _dropout = options.Dropout > 0 ? AddModule("dropout", new Dropout<T>(options.Dropout, random.Split("output dropout"))) : null;
        Output = AddModule("output", new Linear<T>(layer.OutputSize, vocabulary.Count + 1, new() { Random = random.Split("output") }));
    }

    /// <summary>The options the model was made with.</summary>
    public SequenceTranscriberOptions Options { get; }

    /// <summary>The labels V.</summary>
    public IVocabulary Vocabulary { get; }

    /// <summary>What a transcriber of texts reads; else null.</summary>
    public IVocabulary? SourceVocabulary { get; }

    /// <summary>The table of the tokens' vectors; null for a transcriber of feature vectors.</summary>
    public Embedding<T>? Embedding { get; }

    /// <summary>The layer that reads the sequence.</summary>
    public SequenceLayer<T> SequenceLayer { get; }

    /// <summary>The layer that scores the labels and the blank.</summary>
    public Linear<T> Output { get; }

    /// <summary>The number of features I of a step, or the size of a token's embedding.</summary>
    public int FeatureSize => SequenceLayer.InputSize / Options.FrameStacking;

    /// <summary>The class that stands for no label: V, behind the labels.</summary>
    public int Blank => Vocabulary.Count;

    /// <summary>Batches of sequences of feature vectors with what they are to give, for training or scoring.</summary>
    /// <param name="sequences">Sequences [steps, I].</param>
    /// <param name="texts">The text of each.</param>
    /// <param name="batchSize">The most rows a batch may have.</param>
    /// <param name="random">Where the order comes from; null for shortest first, always the same.</param>
    /// <exception cref="ArgumentException">The numbers of sequences and texts differ, a shape does not fit, or the vocabulary does not know a symbol.</exception>
    public BatchSource<TranscriptionBatch<T>> Pairs(IReadOnlyList<Tensor<T>> sequences, IReadOnlyList<string> texts, int batchSize, RandomSource? random = null) =>
        TranscriptionBatch<T>.Bucket(sequences, Targets(texts), batchSize, random);

    /// <summary>Batches of texts with what they are to give, for training or scoring.</summary>
    /// <param name="sources">The texts to read.</param>
    /// <param name="texts">The text that each is to give.</param>
    /// <param name="batchSize">The most rows a batch may have.</param>
    /// <param name="random">Where the order comes from; null for shortest first, always the same.</param>
    /// <exception cref="ArgumentException">The numbers of texts differ, or a vocabulary does not know a symbol.</exception>
    /// <exception cref="InvalidOperationException">The model reads feature vectors.</exception>
    public BatchSource<TranscriptionBatch<T>> Pairs(IReadOnlyList<string> sources, IReadOnlyList<string> texts, int batchSize, RandomSource? random = null)
    {
        ArgumentNullException.ThrowIfNull(sources);
        return TranscriptionBatch<T>.Bucket(sources.Select(Encode).ToArray(), Targets(texts), batchSize, random);
    }

    /// <summary>How many steps of scores sequences give: ⌈L/k⌉ for k steps read as one.</summary>
    /// <param name="lengths">The lengths L of the sequences.</param>
    public int[] OutputLengths(ReadOnlySpan<int> lengths)
    {
        var result = new int[lengths.Length];
        for (var row = 0; row < result.Length; row++)
        {
            result[row] = Steps(lengths[row]);
        }

        return result;
    }

    /// <summary>The scores of the labels and the blank at each step of a batch of feature sequences.</summary>
    /// <param name="input">[N, L, I].</param>
    /// <param name="lengths">The valid steps of each row; empty for full length. What lies past them is not read.</param>
    /// <returns>[N, ⌈L/k⌉, V + 1]: logits, the blank last; past the end of a row (<see cref="OutputLengths"/>) anything.</returns>
    /// <exception cref="ArgumentException">A shape or a length does not fit.</exception>
    /// <exception cref="InvalidOperationException">The model reads texts.</exception>
    public Tensor<T> Forward(Tensor<T> input, ReadOnlySpan<int> lengths = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        if (Embedding is not null)
        {
            throw new InvalidOperationException("Forward: this transcriber reads texts; give it a batch of tokens.");
        }

        RecurrentChecks.CheckBatch(input, lengths, FeatureSize, sizeName: nameof(FeatureSize));
        return Scores(input, lengths);
    }

    /// <summary>The scores of the labels and the blank at each step.</summary>
    /// <param name="batch">The sequences.</param>
    /// <returns>[N, ⌈L/k⌉, V + 1]: logits, the blank last; past the end of a row (<see cref="OutputLengths"/>) anything.</returns>
    /// <exception cref="ArgumentException">A shape or a token does not fit.</exception>
    /// <exception cref="InvalidOperationException">The batch has tokens and the model reads feature vectors, or the other way round.</exception>
    public Tensor<T> Forward(TranscriptionBatch<T> batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (batch.Tokens is not { } tokens)
        {
            return Forward(batch.Features!.Input, batch.Lengths);
        }

        return Embedding is { } embedding
            ? Scores(embedding.Forward(tokens.Tokens, tokens.Shape), tokens.Lengths)
            : throw new InvalidOperationException("Forward: this transcriber reads feature vectors, but the batch has tokens.");
    }

    /// <summary>−log of the probability of the right labels, in whatever way they lie in the sequences; the mean over all labels unless the options say otherwise. What a trainer makes small.</summary>
    /// <param name="batch">The sequences with their labels.</param>
    /// <param name="options">What the loss is; its blank is that of the model, whatever it says. Null for the defaults.</param>
    /// <exception cref="ArgumentException">A shape, a token or a label does not fit.</exception>
    public Tensor<T> Loss(TranscriptionBatch<T> batch, CtcOptions? options = null)
    {
        var scores = Forward(batch);
        return Training.Loss.Ctc(scores, batch.Targets, OutputLengths(batch.Lengths), (options ?? new()) with { Blank = Blank });
    }

    private int Steps(int length) => (length + Options.FrameStacking - 1) / Options.FrameStacking;

    private int[][] Targets(IReadOnlyList<string> texts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        return texts.Select(text => Vocabulary.Encode(text)).ToArray();
    }

    private int[] Encode(string text) => SourceVocabulary is { } source
        ? source.Encode(text)
        : throw new InvalidOperationException("This transcriber reads feature vectors and has no vocabulary to read a text with; give tensors.");

    private Tensor<T> Scores(Tensor<T> input, ReadOnlySpan<int> lengths)
    {
        input = Stack(_inputDropout?.Forward(input) ?? input, lengths);
        var output = SequenceLayer.Forward(input, lengths.IsEmpty ? default : OutputLengths(lengths)).Output;
        return Output.Forward(_dropout?.Forward(output) ?? output);
    }

    // [N, L, I] → [N, ⌈L/k⌉, k·I]; the steps that the last one lacks are zeros.
    private Tensor<T> Stack(Tensor<T> input, ReadOnlySpan<int> lengths)
    {
        var (rows, steps, size) = (input.Shape[0], input.Shape[1], input.Shape[2]);
        if (Options.FrameStacking == 1)
        {
            return input;
        }

        input = StepMask.ClearPastEnds(input, lengths);
        var (stacked, missing) = (Steps(steps), (Steps(steps) * Options.FrameStacking) - steps);
        return (missing == 0 ? input : Tensor<T>.Concat([input, Tensor<T>.Zeros(rows, missing, size)], 1)).Reshape(rows, stacked, SequenceLayer.InputSize);
    }
}
