using System.Numerics;
using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Models;

/// <summary>
/// Tells the class of a whole sequence (many to one): of a text, a sound, a recording of sensors, a film. An embedding where the sequence is one of tokens, a sequence layer, a pooling over its steps and an
/// output layer with one score for each class.
/// </summary>
/// <example>
/// <code>
/// var vocabulary = CharVocabulary.FromText(string.Concat(names));
/// var lstm = new Lstm&lt;float&gt;(inputSize: 32, hiddenSize: 128, new() { Bidirectional = true });
/// var model = new SequenceClassifier&lt;float&gt;(vocabulary, lstm, ["Greek", "Irish"]);
/// int[][] sequences = [.. names.Select(name =&gt; vocabulary.Encode(name))];
/// var trainer = new Trainer&lt;float&gt;(model, new Adam&lt;float&gt;());
/// await trainer.FitAsync(SequenceBatch.Bucket(sequences, batchSize: 32, random: new RandomSource(1)), batch =&gt; model.Loss(batch, labels), epochs: 10);
/// Console.WriteLine(model.Classify("Papadopoulos"));   // Greek (97.1 %)
/// </code>
/// </example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed partial class SequenceClassifier<T> : Module<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Dropout<T>? _inputDropout;
    private readonly Dropout<T>? _dropout;

    /// <summary>A classifier of sequences of feature vectors.</summary>
    /// <param name="layer">The sequence layer, which may be bidirectional; its <c>InputSize</c> is the number of features.</param>
    /// <param name="classes">The names of the classes.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">There are no classes, a name comes twice, or the options give both a seed and a source.</exception>
    public SequenceClassifier(SequenceLayer<T> layer, IReadOnlyList<string> classes, SequenceClassifierOptions? options = null)
        : this(vocabularySize: 0, vocabulary: null, layer, classes, options)
    {
    }

    /// <summary>A classifier of texts.</summary>
    /// <param name="vocabulary">The vocabulary, which is saved with the model.</param>
    /// <param name="layer">The sequence layer, which may be bidirectional; its <c>InputSize</c> is the size of the embedding.</param>
    /// <param name="classes">The names of the classes.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">There are no classes, a name comes twice, or the options give both a seed and a source.</exception>
    public SequenceClassifier(IVocabulary vocabulary, SequenceLayer<T> layer, IReadOnlyList<string> classes, SequenceClassifierOptions? options = null)
        : this((vocabulary ?? throw new ArgumentNullException(nameof(vocabulary))).Count, vocabulary, layer, classes, options)
    {
    }

    /// <summary>A classifier of sequences of tokens.</summary>
    /// <param name="vocabularySize">The number of tokens V.</param>
    /// <param name="layer">The sequence layer, which may be bidirectional; its <c>InputSize</c> is the size of the embedding.</param>
    /// <param name="classes">The names of the classes.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">There are no classes, a name comes twice, the size is not positive, or the options give both a seed and a source.</exception>
    public SequenceClassifier(int vocabularySize, SequenceLayer<T> layer, IReadOnlyList<string> classes, SequenceClassifierOptions? options = null)
        : this(OptionRange.AtLeast(1, vocabularySize, nameof(vocabularySize)), vocabulary: null, layer, classes, options)
    {
    }

    private SequenceClassifier(int vocabularySize, IVocabulary? vocabulary, SequenceLayer<T> layer, IReadOnlyList<string> classes, SequenceClassifierOptions? options)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(classes);
        if (classes.Count == 0 || classes.Distinct(StringComparer.Ordinal).Count() != classes.Count)
        {
            throw new ArgumentException(
                classes.Count == 0 ? "classes: expected the name of one class or more but got none." : "classes: expected names that differ; one of them comes twice.", nameof(classes));
        }

        Options = options ??= new();
        Classes = classes.ToArray();
        var seed = RandomSource.ChooseSeed(options.Seed, options.Random);
        var random = new RandomSource(seed);
        Embedding = vocabularySize > 0 ? AddModule("embedding", new Embedding<T>(vocabularySize, layer.InputSize, new() { Seed = seed })) : null;
        Vocabulary = vocabulary;
        _inputDropout = options.InputDropout > 0 ? AddModule("input_dropout", new Dropout<T>(options.InputDropout, random.Split("input dropout"))) : null;
        SequenceLayer = AddModule("layer", layer);
        Pooling = AddModule("pooling", new SequencePooling<T>(options.Pooling, layer.OutputSize, seed: seed));
        _dropout = options.Dropout > 0 ? AddModule("dropout", new Dropout<T>(options.Dropout, random.Split("output dropout"))) : null;
        Output = AddModule("output", new Linear<T>(layer.OutputSize, classes.Count, new() { Seed = seed }));
    }

    /// <summary>The options the model was made with.</summary>
    public SequenceClassifierOptions Options { get; }

    /// <summary>The names of the classes C.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>The vocabulary of a classifier of texts, saved with it where it can be (<see cref="IVocabulary.ToMetadata"/>); else null.</summary>
    /// <exception cref="ArgumentException">The vocabulary has another size than the model.</exception>
    public IVocabulary? Vocabulary
    {
        get;
        set => field = value is null || value.Count == Embedding?.Count
            ? value
            : throw new ArgumentException($"Vocabulary: expected {Embedding?.Count ?? 0} tokens, the size of this model, but got {value.Count}.", nameof(value));
    }

    /// <summary>The table of the tokens' vectors; null for a classifier of feature vectors.</summary>
    public Embedding<T>? Embedding { get; }

    /// <summary>The layer that reads the sequence.</summary>
    public SequenceLayer<T> SequenceLayer { get; }

    /// <summary>What makes one vector of its outputs.</summary>
    public SequencePooling<T> Pooling { get; }

    /// <summary>The layer that scores the classes.</summary>
    public Linear<T> Output { get; }

    /// <summary>The scores of the classes for a batch of feature sequences.</summary>
    /// <param name="input">[N, T, I].</param>
    /// <param name="lengths">The valid steps of each row; empty for full length.</param>
    /// <returns>[N, C]: logits; <c>Softmax</c> makes probabilities of them.</returns>
    /// <exception cref="ArgumentException">A shape or a length does not fit.</exception>
    /// <exception cref="InvalidOperationException">The classifier reads tokens.</exception>
    public Tensor<T> Forward(Tensor<T> input, ReadOnlySpan<int> lengths = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        return Embedding is null
            ? Scores(input, lengths)
            : throw new InvalidOperationException("Forward: this classifier reads tokens; give it a SequenceBatch.");
    }

    /// <summary>The scores of the classes for a batch of feature sequences.</summary>
    /// <param name="batch">The sequences.</param>
    /// <returns>[N, C]: logits.</returns>
    /// <exception cref="InvalidOperationException">The classifier reads tokens.</exception>
    public Tensor<T> Forward(FeatureBatch<T> batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return Forward(batch.Input, batch.Lengths);
    }

    /// <summary>The scores of the classes for a batch of token sequences.</summary>
    /// <param name="batch">The sequences.</param>
    /// <returns>[N, C]: logits.</returns>
    /// <exception cref="ArgumentException">A token is out of range.</exception>
    /// <exception cref="InvalidOperationException">The classifier reads feature vectors.</exception>
    public Tensor<T> Forward(SequenceBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return Embedding is { } embedding
            ? Scores(embedding.Forward(batch.Tokens, batch.Shape), batch.Lengths)
            : throw new InvalidOperationException("Forward: this classifier reads feature vectors; give it a FeatureBatch or a tensor.");
    }

    /// <summary>The cross-entropy of a batch, the mean over its rows: what a trainer makes small.</summary>
    /// <param name="batch">The sequences.</param>
    /// <param name="labels">The right class of each of the sequences that the batch was made of (not only of this batch's rows).</param>
    /// <param name="options">What the loss is, such as class weights or label smoothing; null for the defaults.</param>
    public Tensor<T> Loss(SequenceBatch batch, IReadOnlyList<int> labels, CrossEntropyOptions? options = null) =>
        Training.Loss.CrossEntropy(Forward(batch), batch.Select(labels), options: options);

    /// <summary>The cross-entropy of a batch, the mean over its rows: what a trainer makes small.</summary>
    /// <param name="batch">The sequences.</param>
    /// <param name="labels">The right class of each of the sequences that the batch was made of (not only of this batch's rows).</param>
    /// <param name="options">What the loss is, such as class weights or label smoothing; null for the defaults.</param>
    public Tensor<T> Loss(FeatureBatch<T> batch, IReadOnlyList<int> labels, CrossEntropyOptions? options = null) =>
        Training.Loss.CrossEntropy(Forward(batch), batch.Select(labels), options: options);

    /// <summary>The class of a text, with the probabilities of all.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="ArgumentException">The vocabulary does not know a symbol of the text.</exception>
    /// <exception cref="InvalidOperationException">The model has no vocabulary.</exception>
    public Classification Classify(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var vocabulary = Vocabulary ?? throw new InvalidOperationException("Classify: this model has no Vocabulary to read a text with; give tokens or features.");
        return Classify(vocabulary.Encode(text));
    }

    /// <summary>The class of a sequence of tokens, with the probabilities of all.</summary>
    /// <param name="tokens">The tokens.</param>
    /// <exception cref="ArgumentException">A token is out of range.</exception>
    /// <exception cref="InvalidOperationException">The classifier reads feature vectors.</exception>
    public Classification Classify(int[] tokens)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        return Classify(SequenceBatch.Pad(new[] { tokens }))[0];
    }

    /// <summary>The class of a sequence of feature vectors, with the probabilities of all.</summary>
    /// <param name="features">[T, I].</param>
    /// <exception cref="ArgumentException">The shape does not fit.</exception>
    /// <exception cref="InvalidOperationException">The classifier reads tokens.</exception>
    public Classification Classify(Tensor<T> features)
    {
        ArgumentNullException.ThrowIfNull(features);
        return Classify(FeatureBatch<T>.Pad(new[] { features }))[0];
    }

    /// <summary>The class of each sequence of a batch, in evaluation mode and without a graph.</summary>
    /// <param name="batch">The sequences.</param>
    public Classification[] Classify(SequenceBatch batch) => Results(() => Forward(batch));

    /// <summary>The class of each sequence of a batch, in evaluation mode and without a graph.</summary>
    /// <param name="batch">The sequences.</param>
    public Classification[] Classify(FeatureBatch<T> batch) => Results(() => Forward(batch));

    /// <summary>Classifies batches whose classes are known and counts what became what.</summary>
    /// <param name="batches">The batches.</param>
    /// <param name="labels">The right class of each of the sequences that the batches were made of.</param>
    /// <param name="cancellationToken">Asks to stop.</param>
    public ConfusionMatrix Score(IEnumerable<SequenceBatch> batches, IReadOnlyList<int> labels, CancellationToken cancellationToken = default) =>
        Score(batches, Forward, batch => batch.Select(labels), cancellationToken);

    /// <summary>Classifies batches whose classes are known and counts what became what.</summary>
    /// <param name="batches">The batches.</param>
    /// <param name="labels">The right class of each of the sequences that the batches were made of.</param>
    /// <param name="cancellationToken">Asks to stop.</param>
    public ConfusionMatrix Score(IEnumerable<FeatureBatch<T>> batches, IReadOnlyList<int> labels, CancellationToken cancellationToken = default) =>
        Score(batches, Forward, batch => batch.Select(labels), cancellationToken);

    /// <summary>A stream that reads one sequence step by step, from the initial state, and gives the probabilities of the classes after each.</summary>
    /// <exception cref="InvalidOperationException">The sequence layer has a backward direction: it would need the end first.</exception>
    public SequenceClassifierStream<T> CreateStream() => SequenceLayer.IsCausal
        ? new(this)
        : throw new InvalidOperationException(
            "CreateStream: the sequence layer of this model is bidirectional or reversed and needs the whole sequence; use Classify, or train a model whose layer runs forward only.");

    private ConfusionMatrix Score<TBatch>(IEnumerable<TBatch> batches, Func<TBatch, Tensor<T>> forward, Func<TBatch, int[]> labels, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(batches);
        var matrix = new ConfusionMatrix(Classes);
        using var evaluation = Evaluation.Enter();
        using var noGradient = NoGradient.Enter();
        foreach (var batch in batches)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using (TensorScope.Enter())
            {
                matrix.Add(labels(batch), forward(batch));
            }
        }

        return matrix;
    }

    private Classification[] Results(Func<Tensor<T>> forward)
    {
        using var evaluation = Evaluation.Enter();
        using var noGradient = NoGradient.Enter();
        using var scope = TensorScope.Enter();
        var probabilities = forward().Softmax();
        var results = new Classification[probabilities.Shape[0]];
        for (var row = 0; row < results.Length; row++)
        {
            var values = new double[Classes.Count];
            for (var i = 0; i < values.Length; i++)
            {
                values[i] = double.CreateTruncating(probabilities[row, i]);
            }

            var best = Array.IndexOf(values, values.Max());
            results[row] = new(best, Classes[best], values);
        }

        return results;
    }

    private Tensor<T> Scores(Tensor<T> input, ReadOnlySpan<int> lengths)
    {
        var pooled = Pooling.Forward(SequenceLayer.Forward(_inputDropout?.Forward(input) ?? input, lengths), lengths);
        return Output.Forward(_dropout?.Forward(pooled) ?? pooled);
    }
}
