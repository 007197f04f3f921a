using System.Numerics;
using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Models;

/// <summary>
/// Writes a sequence for one thing (one to many): a caption for a picture, a melody for a genre. An encoder makes a vector of the condition; learned projections of it are the state that a language model
/// starts with, which writes token by token.
/// </summary>
/// <remarks>
/// Vinyals et al. 2015 (arXiv:1411.4555), Karpathy and Fei-Fei 2015 (arXiv:1412.2306) for captions. Every tensor of the decoder's state starts as tanh(W e + b) of the encoded condition e, h and c of each layer
/// or whatever the states of the decoder are.
/// </remarks>
/// <example>
/// <code>
/// var vocabulary = WordVocabulary.FromText(string.Join('\n', captions), new() { BeginAndEnd = true });
/// var encoder = new Sequential&lt;float&gt;(new Linear&lt;float&gt;(768, 128), new ActivationLayer&lt;float&gt;(Activation.Relu));
/// var model = new ConditionalGenerator&lt;float&gt;(vocabulary, conditionSize: 768, encoder, new Gru&lt;float&gt;(32, 128));
/// var trainer = new Trainer&lt;float&gt;(model, new Adam&lt;float&gt;());
/// await trainer.FitAsync(model.Pairs(pictures, captions, batchSize: 64, new RandomSource(1)), batch =&gt; model.Loss(batch), epochs: 10);
/// string[] written = model.GenerateText(newPictures);
/// </code>
/// </example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed partial class ConditionalGenerator<T> : Module<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly StateProjection<T> _start;
    private readonly Dropout<T>? _embeddingDropout;
    private readonly Dropout<T>? _dropout;

    /// <summary>A model whose conditions are vectors, such as the features of a picture.</summary>
    /// <param name="vocabulary">The vocabulary of what is written; it needs tokens that begin and end a sequence.</param>
    /// <param name="conditionSize">The size F of a condition.</param>
    /// <param name="encoder">What turns conditions [N, F] into vectors [N, E], such as a <see cref="Sequential{T}"/>; an empty one takes the conditions as they are.</param>
    /// <param name="decoder">The layer that writes, which must be causal; its <c>InputSize</c> is the size of a token's embedding, plus E where the condition is fed.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">A size does not fit, the decoder is not causal or has no state, the vocabulary has no begin or end, or the options give both a seed and a source.</exception>
    public ConditionalGenerator(IVocabulary vocabulary, int conditionSize, Layer<T> encoder, SequenceLayer<T> decoder, ConditionalGeneratorOptions? options = null)
        : this(vocabulary, OptionRange.AtLeast(1, conditionSize, nameof(conditionSize)), [], encoder ?? throw new ArgumentNullException(nameof(encoder)), decoder, options ?? new())
    {
    }

    /// <summary>A model whose conditions are classes, such as genres; each gets a learned vector.</summary>
    /// <param name="vocabulary">The vocabulary of what is written; it needs tokens that begin and end a sequence.</param>
    /// <param name="classes">The names of the classes.</param>
    /// <param name="decoder">
    /// The layer that writes, which must be causal; its <c>InputSize</c> is the size of a token's embedding, plus <see cref="ConditionalGeneratorOptions.ClassSize"/> where the condition is fed.
    /// </param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">
    /// There are no classes, a name comes twice, a size does not fit, the decoder is not causal or has no state, the vocabulary has no begin or end, or the options give both a seed and a source.
    /// </exception>
    public ConditionalGenerator(IVocabulary vocabulary, IReadOnlyList<string> classes, SequenceLayer<T> decoder, ConditionalGeneratorOptions? options = null)
        : this(vocabulary, conditionSize: 0, CheckClasses(classes), encoder: null, decoder, options ?? new())
    {
    }

    private ConditionalGenerator(
        IVocabulary vocabulary, int conditionSize, string[] classes, Layer<T>? encoder, SequenceLayer<T> decoder, ConditionalGeneratorOptions options)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        ArgumentNullException.ThrowIfNull(decoder);
        (Vocabulary, ConditionSize, Classes, Options) = (vocabulary, conditionSize, classes, options);
        if (vocabulary.BeginOfSequence is not { } begin || vocabulary.EndOfSequence is not { } end)
        {
            throw new ArgumentException("vocabulary: expected one with tokens that begin and end a sequence; make it with BeginAndEnd = true.", nameof(vocabulary));
        }

        if (!decoder.IsCausal)
        {
            throw new ArgumentException("decoder: a decoder writes from left to right, but this layer is bidirectional or reversed and would see what it is to write.", nameof(decoder));
        }

        (Begin, End) = (begin, end);
        EncodedSize = encoder is null ? options.ClassSize : SizeOf(encoder, conditionSize);
        var fed = options.FeedCondition ? EncodedSize : 0;
        if (decoder.InputSize <= fed)
        {
            throw new ArgumentException(
                $"decoder: expected an InputSize above {fed}, the size of the encoded condition, but it is {decoder.InputSize}; InputSize is the size of a token's embedding plus {fed}.", nameof(decoder));
        }

        if (fed == 0 && decoder.ZeroState(1).Tensors.Count == 0)
        {
            throw new ArgumentException("decoder: this layer has no state to start with, so that the condition could not be told to it; set FeedCondition, or take a recurrent layer.", nameof(decoder));
        }

        var random = new RandomSource(RandomSource.ChooseSeed(options.Seed, options.Random));
        Encoder = AddModule("encoder", encoder ?? new Embedding<T>(classes.Length, options.ClassSize, new() { Random = random.Split("classes") }));
        Embedding = AddModule("embedding", new Embedding<T>(vocabulary.Count, decoder.InputSize - fed, new() { Random = random.Split("embedding") }));
        _start = new(decoder, EncodedSize, random.Split("start"), AddModule);
        _embeddingDropout = options.EmbeddingDropout > 0 ? AddModule("embedding_dropout", new Dropout<T>(options.EmbeddingDropout, random.Split("embedding dropout"))) : null;
        Decoder = AddModule("decoder", decoder);
        _dropout = options.Dropout > 0 ? AddModule("dropout", new Dropout<T>(options.Dropout, random.Split("output dropout"))) : null;
        Output = AddModule("output", new Linear<T>(decoder.OutputSize, vocabulary.Count, new() { Random = random.Split("output") }));
    }

    /// <summary>The options the model was made with.</summary>
    public ConditionalGeneratorOptions Options { get; }

    /// <summary>The vocabulary of what is written, saved with the model.</summary>
    public IVocabulary Vocabulary { get; }

    /// <summary>The size F of a condition; 0 where conditions are classes.</summary>
    public int ConditionSize { get; }

    /// <summary>The names of the classes; empty where conditions are vectors.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>The size E of an encoded condition.</summary>
    public int EncodedSize { get; }

    /// <summary>The token that the decoder begins with.</summary>
    public int Begin { get; }

    /// <summary>The token that ends what is written.</summary>
    public int End { get; }

    /// <summary>What makes a vector of a condition; of classes an <see cref="Embedding{T}"/>.</summary>
    public Layer<T> Encoder { get; }

    /// <summary>The table of the tokens' vectors.</summary>
    public Embedding<T> Embedding { get; }

    /// <summary>The layer that writes.</summary>
    public SequenceLayer<T> Decoder { get; }

    /// <summary>The layer that scores the tokens.</summary>
    public Linear<T> Output { get; }

    /// <summary>The conditions for some classes.</summary>
    /// <param name="names">Names of classes, of which one may come several times.</param>
    /// <returns>[N]: their numbers.</returns>
    /// <exception cref="ArgumentException">There is no such class.</exception>
    public Tensor<T> Conditions(params IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        var numbers = new T[names.Count];
        for (var i = 0; i < numbers.Length; i++)
        {
            var number = Array.IndexOf((string[])Classes, names[i]);
            numbers[i] = number >= 0
                ? T.CreateChecked(number)
                : throw new ArgumentException(
                    $"names: there is no class '{names[i]}'; {(Classes.Count == 0 ? "the conditions of this model are vectors, not classes" : $"there are {string.Join(", ", Classes)}")}.", nameof(names));
        }

        return Tensor<T>.From(numbers, numbers.Length);
    }

    /// <summary>Batches of conditions and texts for training or scoring.</summary>
    /// <param name="conditions">[L, F], or [L] numbers of classes (see <see cref="Conditions"/>).</param>
    /// <param name="texts">The text that belongs to each.</param>
    /// <param name="batchSize">The most rows a batch may have.</param>
    /// <param name="random">Where the order comes from; null for shortest first, always the same.</param>
    /// <exception cref="ArgumentException">The numbers of conditions and texts differ, there are none, or the vocabulary does not know a symbol.</exception>
    public BatchSource<ConditionedBatch<T>> Pairs(Tensor<T> conditions, IReadOnlyList<string> texts, int batchSize, RandomSource? random = null)
    {
        ArgumentNullException.ThrowIfNull(texts);
        return ConditionedBatch<T>.Bucket(conditions, texts.Select(text => Vocabulary.Encode(text)).ToArray(), batchSize, Begin, End, random);
    }

    /// <summary>The scores of the tokens of a batch, each after the right ones before it.</summary>
    /// <param name="batch">Conditions and sequences.</param>
    /// <returns>[N, U, V]: logits; past the end of a sequence anything.</returns>
    /// <exception cref="ArgumentException">A condition does not fit, or a token is out of range.</exception>
    public Tensor<T> Forward(ConditionedBatch<T> batch) => Output.Forward(Run(batch));

    /// <summary>The cross-entropy of the right sequences, the mean over their tokens, end tokens included.</summary>
    /// <param name="batch">Conditions and sequences.</param>
    /// <param name="options">What the loss is, such as label smoothing; its ignore index must be <see cref="ConditionedBatch{T}.Ignored"/>, the default.</param>
    /// <exception cref="ArgumentException">A condition does not fit, or a token is out of range.</exception>
    public Tensor<T> Loss(ConditionedBatch<T> batch, CrossEntropyOptions? options = null) => Training.Loss.LinearCrossEntropy(Run(batch), Output, batch.Targets, options);

    // What the output layer reads, [N, U, O].
    private Tensor<T> Run(ConditionedBatch<T> batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var encoded = Encode(batch.Conditions);
        var input = Embedding.Forward(batch.Inputs, [batch.Rows, batch.Steps]);
        input = _embeddingDropout?.Forward(input) ?? input;
        if (Options.FeedCondition)
        {
            input = Tensor<T>.Concat([input, encoded.Unsqueeze(1).BroadcastTo(batch.Rows, batch.Steps, EncodedSize)], -1);
        }

        var output = Decoder.Forward(input, batch.Lengths, _start.Forward(encoded)).Output;
        return _dropout?.Forward(output) ?? output;
    }

    // [N, E].
    private Tensor<T> Encode(Tensor<T> conditions)
    {
        ArgumentNullException.ThrowIfNull(conditions);
        var fits = Classes.Count > 0 ? conditions.Rank == 1 : conditions.Rank == 2 && conditions.Shape[1] == ConditionSize;
        return fits ? Encoder.Forward(conditions) : throw new ArgumentException(
            $"conditions: expected {(Classes.Count > 0 ? "[rows], the numbers of classes," : $"[rows, {ConditionSize}]")} but got {conditions.Shape}.", nameof(conditions));
    }

    private static string[] CheckClasses(IReadOnlyList<string> classes)
    {
        ArgumentNullException.ThrowIfNull(classes);
        return classes.Count > 0 && classes.Distinct(StringComparer.Ordinal).Count() == classes.Count
            ? [.. classes]
            : throw new ArgumentException(
                classes.Count == 0 ? "classes: expected the name of one class or more but got none." : "classes: expected names that differ; one of them comes twice.", nameof(classes));
    }

    // What an encoder makes of a condition says its size: layers that are only functions have none of their own.
    private static int SizeOf(Layer<T> encoder, int conditionSize)
    {
        using var evaluation = Evaluation.Enter();
        using var noGradient = NoGradient.Enter();
        var shape = encoder.Forward(Tensor<T>.Zeros(1, conditionSize)).Shape;
        return shape.Rank == 2 && shape[0] == 1
            ? shape[1]
            : throw new ArgumentException($"encoder: expected [1, size] for a condition [1, {conditionSize}] but it gives {shape}; an encoder makes one vector of each condition.", nameof(encoder));
    }
}
