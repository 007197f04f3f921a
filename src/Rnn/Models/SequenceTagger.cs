using System.Numerics;
using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Models;

/// <summary>
/// Gives every word of a sentence a tag (many to many, in step): parts of speech, names, chunks. Embeddings of words and, so that unknown words are understood by how they are written, of their characters; a sequence
/// layer, bidirectional as a rule; an output layer; a softmax for each word or a conditional random field over the sentence.
/// </summary>
/// <remarks>Huang, Xu and Yu 2015 (arXiv:1508.01991); Lample et al. 2016 (arXiv:1603.01360); Plank, Søgaard and Goldberg 2016 (arXiv:1604.05529).</remarks>
/// <example>
/// <code>
/// var words = WordVocabulary.FromWords(sentences.SelectMany(sentence =&gt; sentence), new() { MinCount = 2, Lowercase = true });
/// var characters = CharVocabulary.FromText(text, new() { Unknown = true });
/// var model = new SequenceTagger&lt;float&gt;(
///     words, characters, characterLayer: new Lstm&lt;float&gt;(32, 64, new() { Bidirectional = true }), layer: new Lstm&lt;float&gt;(256, 128, new() { Bidirectional = true }), tags);
/// await new Trainer&lt;float&gt;(model, new Adam&lt;float&gt;()).FitAsync(model.Sentences(sentences, tagsOfSentences, batchSize: 32, random), batch =&gt; model.Loss(batch), epochs: 10);
/// string[] found = model.Predict(["Time", "flies", "like", "an", "arrow", "."]);
/// </code>
/// </example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed partial class SequenceTagger<T> : Module<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Dropout<T>? _inputDropout;
    private readonly Dropout<T>? _dropout;
    private readonly RandomSource _wordDropout;
    private readonly Dictionary<string, int> _tagNumbers;

    /// <summary>A tagger that reads words alone.</summary>
    /// <param name="words">The words; with an unknown one where texts may have others.</param>
    /// <param name="layer">The sequence layer, which may be bidirectional; its <c>InputSize</c> is the size of the embedding.</param>
    /// <param name="tags">The tags.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">There are no tags, one comes twice, or the options do not fit.</exception>
    public SequenceTagger(WordVocabulary words, SequenceLayer<T> layer, IReadOnlyList<string> tags, SequenceTaggerOptions? options = null)
        : this(words, null, null, layer, tags, options)
    {
    }

    /// <summary>A tagger that reads words and their characters.</summary>
    /// <param name="words">The words; with an unknown one where texts may have others.</param>
    /// <param name="characters">The characters; with an unknown one where texts may have others.</param>
    /// <param name="characterLayer">The layer that reads the characters of a word, bidirectional as a rule; its <c>InputSize</c> is the size of a character's embedding.</param>
    /// <param name="layer">The sequence layer, which may be bidirectional; the size of a word's embedding is its <c>InputSize</c> less the <c>OutputSize</c> of the character layer.</param>
    /// <param name="tags">The tags.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">There are no tags, one comes twice, a size does not fit, or the options do not fit.</exception>
    public SequenceTagger(
        WordVocabulary words, CharVocabulary? characters, SequenceLayer<T>? characterLayer, SequenceLayer<T> layer, IReadOnlyList<string> tags, SequenceTaggerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(words);
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(tags);
        if ((characters is null) != (characterLayer is null))
        {
            throw new ArgumentException("characterLayer: expected both characters and a layer that reads them, or neither.", nameof(characterLayer));
        }

        var wordSize = layer.InputSize - (characterLayer?.OutputSize ?? 0);
        if (wordSize <= 0)
        {
            throw new ArgumentException(
                $"layer: expected an InputSize above {characterLayer!.OutputSize}, the OutputSize of the character layer, but it is {layer.InputSize}; InputSize is the size of a word's embedding plus that.", nameof(layer));
        }

        _tagNumbers = new(StringComparer.Ordinal);
        foreach (var tag in tags)
        {
            if (!_tagNumbers.TryAdd(tag, _tagNumbers.Count))
            {
                throw new ArgumentException($"tags: expected tags that differ but '{tag}' comes twice.", nameof(tags));
            }
        }

        if (tags.Count == 0)
        {
            throw new ArgumentException("tags: expected one tag or more but got none.", nameof(tags));
        }

        Options = options ??= new();
        if (options.WordDropout > 0 && words.Unknown is null)
        {
            throw new ArgumentException("WordDropout: words are dropped to the unknown one, but the vocabulary has none; make it with Unknown = true.", nameof(options));
        }

        (Words, Characters, Tags) = (words, characters, tags.ToArray());
        var random = new RandomSource(RandomSource.ChooseSeed(options.Seed, options.Random));
        WordEmbedding = AddModule("word_embedding", new Embedding<T>(words.Count, wordSize, new() { Random = random.Split("word embedding") }));
        if (characterLayer is not null)
        {
            CharacterEmbedding = AddModule("character_embedding", new Embedding<T>(characters!.Count, characterLayer.InputSize, new() { Random = random.Split("character embedding") }));
            CharacterLayer = AddModule("character_layer", characterLayer);
        }

        _inputDropout = options.InputDropout > 0 ? AddModule("input_dropout", new Dropout<T>(options.InputDropout, random.Split("input dropout"))) : null;
        SequenceLayer = AddModule("layer", layer);
        _dropout = options.Dropout > 0 ? AddModule("dropout", new Dropout<T>(options.Dropout, random.Split("output dropout"))) : null;
        Output = AddModule("output", new Linear<T>(layer.OutputSize, tags.Count, new() { Random = random.Split("output") }));
        Field = options.ConditionalRandomField ? AddModule("field", new LinearChainCrf<T>(tags.Count)) : null;
        _wordDropout = AddRandomSource("word_dropout", random.Split("word dropout"));
    }

    /// <summary>The options the model was made with.</summary>
    public SequenceTaggerOptions Options { get; }

    /// <summary>The words.</summary>
    public WordVocabulary Words { get; }

    /// <summary>The characters; null where the model reads words alone.</summary>
    public CharVocabulary? Characters { get; }

    /// <summary>The tags C.</summary>
    public IReadOnlyList<string> Tags { get; }

    /// <summary>The table of the words' vectors.</summary>
    public Embedding<T> WordEmbedding { get; }

    /// <summary>The table of the characters' vectors, or null.</summary>
    public Embedding<T>? CharacterEmbedding { get; }

    /// <summary>The layer that reads the characters of a word, or null.</summary>
    public SequenceLayer<T>? CharacterLayer { get; }

    /// <summary>The layer that reads the sentence.</summary>
    public SequenceLayer<T> SequenceLayer { get; }

    /// <summary>The layer that scores the tags.</summary>
    public Linear<T> Output { get; }

    /// <summary>The field that chooses the tags of a sentence together, or null.</summary>
    public LinearChainCrf<T>? Field { get; }

    /// <summary>Batches of sentences.</summary>
    /// <param name="sentences">The words of each sentence.</param>
    /// <param name="tags">The tag of each word, one of <see cref="Tags"/>; null where they are not known.</param>
    /// <param name="batchSize">The most sentences a batch may have.</param>
    /// <param name="random">Where the order comes from; null for shortest first, always the same.</param>
    /// <exception cref="ArgumentException">The numbers of sentences, words and tags differ, there are none, or a word or tag is unknown.</exception>
    public BatchSource<SentenceBatch> Sentences(
        IReadOnlyList<IReadOnlyList<string>> sentences, IReadOnlyList<IReadOnlyList<string>>? tags, int batchSize, RandomSource? random = null)
    {
        ArgumentNullException.ThrowIfNull(sentences);
        return SentenceBatch.Bucket(
            sentences.Select(Words.EncodeWords).ToArray(), Spelled(sentences), tags?.Select(row => row.Select(NumberOf).ToArray()).ToArray(), batchSize, random);
    }

    /// <summary>The scores of the tags of every word.</summary>
    /// <param name="batch">The sentences.</param>
    /// <returns>[N, T, C]: logits; past the end of a sentence anything.</returns>
    /// <exception cref="ArgumentException">The batch has no spellings and the model reads them, or a token is out of range.</exception>
    public Tensor<T> Forward(SentenceBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var input = WordEmbedding.Forward(Dropped(batch.Words), batch.Words.Shape);
        if (CharacterLayer is { } layer)
        {
            var spellings = batch.Spellings ?? throw new ArgumentException("batch: this tagger reads the characters of words, but the batch has no spellings; make it by Sentences.", nameof(batch));
            var spelled = layer.Forward(CharacterEmbedding!.Forward(spellings.Tokens, spellings.Shape), spellings.Lengths).Last;
            input = Tensor<T>.Concat([input, spelled.IndexSelect(0, batch.SpellingOf).Reshape(batch.Rows, batch.Words.Steps, layer.OutputSize)], -1);
        }

        var output = SequenceLayer.Forward(_inputDropout?.Forward(input) ?? input, batch.Words.Lengths).Output;
        return Output.Forward(_dropout?.Forward(output) ?? output);
    }

    /// <summary>−log of the probability of the right tags, the mean over all words.</summary>
    /// <param name="batch">The sentences with their tags.</param>
    /// <exception cref="ArgumentException">The batch has no tags.</exception>
    public Tensor<T> Loss(SentenceBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (batch.Tags.IsEmpty && batch.Words.Tokens.Length > 0)
        {
            throw new ArgumentException("batch: expected tags for its words but it has none.", nameof(batch));
        }

        var scores = Forward(batch);
        if (Field is not { } field)
        {
            return Training.Loss.CrossEntropy(scores, batch.Tags);
        }

        var words = 0;
        foreach (var length in batch.Words.Lengths)
        {
            words += length;
        }

        return field.NegativeLogLikelihood(scores, batch.Tags, batch.Words.Lengths).Sum().Multiply(T.One / T.CreateChecked(Math.Max(1, words)));
    }

    /// <summary>The tags of a sentence, in evaluation mode and without a graph.</summary>
    /// <param name="words">The words.</param>
    /// <exception cref="ArgumentException">A word or character is unknown, and its vocabulary has no token for unknown ones.</exception>
    public string[] Predict(IReadOnlyList<string> words)
    {
        ArgumentNullException.ThrowIfNull(words);
        var batch = SentenceBatch.Pad(new[] { Words.EncodeWords(words) }, Spelled(new[] { words }));
        return Array.ConvertAll(Predict(batch)[0], tag => Tags[tag]);
    }

    /// <summary>The tags of the sentences of a batch by number, in evaluation mode and without a graph.</summary>
    /// <param name="batch">The sentences.</param>
    /// <returns>For each sentence as many tags as it has words.</returns>
    public int[][] Predict(SentenceBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var evaluation = Evaluation.Enter();
        using var noGradient = NoGradient.Enter();
        using var scope = TensorScope.Enter();
        var scores = Forward(batch);
        if (Field is { } field)
        {
            return field.Decode(scores, batch.Words.Lengths);
        }

        var (best, result) = (scores.ArgMax(-1), new int[batch.Rows][]);
        for (var row = 0; row < result.Length; row++)
        {
            result[row] = best.AsSpan(row * batch.Words.Steps, batch.Words.Lengths[row]).ToArray();
        }

        return result;
    }

    /// <summary>Tags batches whose tags are known and counts what became what, word by word.</summary>
    /// <param name="batches">The batches, with tags.</param>
    /// <param name="cancellationToken">Asks to stop.</param>
    public ConfusionMatrix Score(IEnumerable<SentenceBatch> batches, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batches);
        var matrix = new ConfusionMatrix(Tags.ToArray());
        foreach (var batch in batches)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (batch.Tags.IsEmpty && batch.Rows > 0)
            {
                throw new ArgumentException("batches: expected sentences with tags but a batch has none; give them to Sentences.", nameof(batches));
            }

            var predicted = Predict(batch);
            for (var row = 0; row < predicted.Length; row++)
            {
                matrix.Add(batch.Tags.Slice(row * batch.Words.Steps, predicted[row].Length), predicted[row]);
            }
        }

        return matrix;
    }

    private int[][][]? Spelled(IReadOnlyList<IReadOnlyList<string>> sentences) =>
        Characters is { } characters ? sentences.Select(words => words.Select(word => characters.Encode(word)).ToArray()).ToArray() : null;

    private int NumberOf(string tag) => _tagNumbers.TryGetValue(tag, out var number)
        ? number
        : throw new ArgumentException($"tags: '{tag}' is none of the tags of this model ({string.Join(", ", Tags)}).", nameof(tag));

    private ReadOnlySpan<int> Dropped(SequenceBatch words)
    {
        if (!IsTraining || Options.WordDropout == 0)
        {
            return words.Tokens;
        }

        var tokens = words.Tokens.ToArray();
        foreach (ref var token in tokens.AsSpan())
        {
            token = _wordDropout.NextDouble() < Options.WordDropout ? Words.Unknown!.Value : token;
        }

        return tokens;
    }
}
