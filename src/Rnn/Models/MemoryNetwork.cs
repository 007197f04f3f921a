using System.Numerics;
using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Models;

/// <summary>
/// Answers questions about a story: an end-to-end memory network. Each sentence is a memory; the question looks for what fits it, what is read there changes what is looked for next, and after K such hops the answer is one token of
/// the vocabulary. It learns from questions and answers alone, and says for each hop which sentences it looked at.
/// </summary>
/// <remarks>
/// Sukhbaatar, Szlam, Weston and Fergus 2015 (arXiv:1503.08895): pᵏ = softmax(uᵏ·mᵏ), oᵏ = Σ pᵏ cᵏ, uᵏ⁺¹ = uᵏ + oᵏ (layer-wise: H uᵏ + oᵏ), answer = softmax(W uᴷ⁺¹). Published training: <see cref="Sgd{T}"/> on the sum
/// over 32 questions with a learning rate of 0.01, halved every 25 of 100 epochs, gradients clipped to a norm of 40, after a linear start (<see cref="IsLinear"/>).
/// </remarks>
/// <example>
/// <code>
/// var vocabulary = WordVocabulary.FromText("Mary went to the kitchen garden Where is", new() { Lowercase = true });
/// var model = new MemoryNetwork&lt;float&gt;(vocabulary, new() { Hops = 2 });
/// var question = model.Encode(["Mary went to the kitchen", "Mary went to the garden"], "Where is Mary", "garden");
/// var batches = StoryBatch.Batches([question], batchSize: 32, new RandomSource(1));
/// await new Trainer&lt;float&gt;(model, new Adam&lt;float&gt;()).FitAsync(batches, batch =&gt; model.Loss(batch), epochs: 100);
/// var answer = model.Answer(["Mary went to the garden", "Mary went to the kitchen"], "Where is Mary");
/// Console.WriteLine($"{answer}, since {answer.Attention[0][1]:P0} of the first look went to the second sentence");   // kitchen (98.2 %), since …
/// </code>
/// </example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed partial class MemoryNetwork<T> : Module<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly RandomSource _timeNoise;
    private readonly T[]? _slopes;

    /// <summary>A network with new weights.</summary>
    /// <param name="vocabulary">The words of stories and questions, and the answers; saved with the model. An answer of several words is one token here.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <exception cref="ArgumentException">The options give both a seed and a source.</exception>
    public MemoryNetwork(IVocabulary vocabulary, MemoryNetworkOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        Options = options ??= new();
        Vocabulary = vocabulary;
        var random = new RandomSource(RandomSource.ChooseSeed(options.Seed, options.Random));
        var initializer = Initializer.Normal(0, options.InitialDeviation);
        var (adjacent, size) = (options.Tying == MemoryTying.Adjacent, options.EmbeddingSize);

        // Adjacent: A¹ = B, C¹ = A², …, Cᴷ = Wᵀ. Layer-wise: A, C, B.
        Embeddings = Tables("embedding", adjacent ? options.Hops + 1 : 3, vocabulary.Count);
        Times = options.TemporalEncoding ? Tables("time", adjacent ? options.Hops + 1 : 2, options.MemorySize) : Array.Empty<Embedding<T>>();
        Hop = adjacent ? null : AddModule("hop", new Linear<T>(size, size, new() { Bias = false, WeightInitializer = initializer, Random = random.Split("hop") }));
        Output = AddModule("output", adjacent
            ? new Linear<T>(Embeddings[^1].Weight, new() { Bias = false })
            : new Linear<T>(size, vocabulary.Count, new() { Bias = false, WeightInitializer = initializer, Random = random.Split("output") }));
        _slopes = options.PositionEncoding ? EmbeddingSum<T>.Slopes(size) : null;
        _timeNoise = AddRandomSource("time_noise", random.Split("time noise"));

        Embedding<T>[] Tables(string name, int count, int rows)
        {
            var tables = new Embedding<T>[count];
            for (var i = 0; i < count; i++)
            {
                tables[i] = AddModule($"{name}_{i + 1}", new Embedding<T>(rows, size, new() { Initializer = initializer, Random = random.Split($"{name} {i + 1}") }));
            }

            return tables;
        }
    }

    /// <summary>The options the model was made with.</summary>
    public MemoryNetworkOptions Options { get; }

    /// <summary>The words and answers V.</summary>
    public IVocabulary Vocabulary { get; }

    /// <summary>The tables of word vectors [V, E]: A¹ to Aᴷ and Cᴷ where adjacent hops share them, else A, C and B.</summary>
    public IReadOnlyList<Embedding<T>> Embeddings { get; }

    /// <summary>The tables of the vectors of ages [<see cref="MemoryNetworkOptions.MemorySize"/>, E], newest first, one for each A and C; none without temporal encoding.</summary>
    public IReadOnlyList<Embedding<T>> Times { get; }

    /// <summary>H, what the question becomes between two hops; null where adjacent hops share tables.</summary>
    public Linear<T>? Hop { get; }

    /// <summary>W, which scores the answers.</summary>
    public Linear<T> Output { get; }

    /// <summary>
    /// Whether attention is linear, without its softmax; false at first, and saved with the model. A linear start, training so until the loss stops falling and only then with the softmax, keeps training out of poor local minima (section
    /// 4.2 of the paper; it used half the learning rate for it).
    /// </summary>
    public bool IsLinear { get; set; }

    /// <summary>A question about a story, as tokens.</summary>
    /// <param name="story">The sentences, the oldest first; may be empty. Punctuation marks are words of their own for a <see cref="WordVocabulary"/>: leave them out, or in, of all texts alike.</param>
    /// <param name="question">The question.</param>
    /// <param name="answer">The right answer, one token of the vocabulary; null where it is not known. One that the vocabulary does not have is its unknown token, and no answer to it counts as right.</param>
    /// <exception cref="ArgumentException">A word or the answer is not in the vocabulary, and there is no token for unknown ones.</exception>
    public StoryQuestion Encode(IReadOnlyList<string> story, string question, string? answer = null)
    {
        ArgumentNullException.ThrowIfNull(story);
        ArgumentNullException.ThrowIfNull(question);
        var sentences = new int[story.Count][];
        for (var i = 0; i < sentences.Length; i++)
        {
            sentences[i] = Vocabulary.Encode(story[i]);
        }

        return new(sentences, Vocabulary.Encode(question), answer is null ? null : AnswerToken(answer));
    }

    /// <summary>The scores of all answers.</summary>
    /// <param name="batch">The questions.</param>
    /// <returns>[N, V]: logits; <c>Softmax</c> makes probabilities of them.</returns>
    /// <exception cref="ArgumentException">A token is out of range.</exception>
    public Tensor<T> Forward(StoryBatch batch) => Forward(batch, Plan(batch), attention: null);

    /// <summary>The cross-entropy of the right answers; the mean over the questions of the batch unless the options say otherwise.</summary>
    /// <param name="batch">The questions with their answers; those whose answer is not known do not count.</param>
    /// <param name="options">What the loss is; its ignore index is that of the batch, whatever it says. Null for the defaults.</param>
    /// <exception cref="ArgumentException">A token or an answer is out of range.</exception>
    public Tensor<T> Loss(StoryBatch batch, CrossEntropyOptions? options = null) =>
        Training.Loss.CrossEntropy(Forward(batch), batch.Answers, options: (options ?? new()) with { IgnoreIndex = StoryBatch.Ignored });

    private int AnswerToken(string answer)
    {
        if (Vocabulary.TryGetToken(answer, out var token))
        {
            return token;
        }

        // As it would be read, in small letters where the vocabulary makes them.
        var tokens = Vocabulary.Encode(answer);
        return tokens.Length == 1
            ? tokens[0]
            : Vocabulary.Unknown ?? throw new ArgumentException($"answer: '{answer}' is not one token of the vocabulary but {tokens.Length}; make the vocabulary with each answer as one word.", nameof(answer));
    }

    private Tensor<T> Forward(StoryBatch batch, MemoryPlan plan, List<Tensor<T>>? attention)
    {
        CheckTokens(batch.SentenceTokens);
        CheckTokens(batch.QuestionTokens);
        var adjacent = Hop is null;
        var memories = new MemoryVectors<T>[adjacent ? Options.Hops + 1 : 2];
        for (var i = 0; i < memories.Length; i++)
        {
            var sentences = EmbeddingSum<T>.Apply(Embeddings[i].Weight.Value, batch.SentenceTokens, batch.SentenceTokenStarts, _slopes, Options.PositionLength);
            memories[i] = new(sentences, Times.Count > 0 ? Times[i].Weight.Value : null);
        }

        var query = EmbeddingSum<T>.Apply(Embeddings[adjacent ? 0 : 2].Weight.Value, batch.QuestionTokens, batch.QuestionStarts, _slopes, Options.PositionLength);
        for (var hop = 0; hop < Options.Hops; hop++)
        {
            var read = MemoryHop<T>.Apply(query, memories[adjacent ? hop : 0], memories[adjacent ? hop + 1 : 1], plan, IsLinear, out var weights);
            query = (Hop?.Forward(query) ?? query) + read;
            attention?.Add(weights);
        }

        return Output.Forward(query);
    }

    // The last sentences of each story with their ages: 0 for the newest.
    private MemoryPlan Plan(StoryBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var (stories, starts) = (batch.StoryStarts, new int[batch.Rows + 1]);
        for (var row = 0; row < batch.Rows; row++)
        {
            starts[row + 1] = starts[row] + Math.Min(stories[row + 1] - stories[row], Options.MemorySize);
        }

        var (sentences, ages) = (new int[starts[^1]], new int[starts[^1]]);
        for (var row = 0; row < batch.Rows; row++)
        {
            var count = starts[row + 1] - starts[row];
            batch.StorySentences.AsSpan(stories[row + 1] - count, count).CopyTo(sentences.AsSpan(starts[row]));
            Age(ages.AsSpan(starts[row], count));
        }

        return new(starts, sentences, ages, Options.EmptyPlaces ? Options.MemorySize : 0);
    }

    private void Age(Span<int> ages)
    {
        var empty = IsTraining && Options.TimeNoise > 0 && Times.Count > 0 ? _timeNoise.Next((int)Math.Ceiling(Options.TimeNoise * ages.Length) + 1) : 0;
        for (var (age, left) = (0, ages.Length); left > 0; age++)
        {
            // Of the places that are left some stay empty, all choices alike.
            if (empty > 0 && _timeNoise.Next(left + empty) < empty)
            {
                empty--;
                continue;
            }

            ages[--left] = Math.Min(age, Options.MemorySize - 1);
        }
    }

    private void CheckTokens(int[] tokens)
    {
        foreach (var token in tokens)
        {
            if ((uint)token >= (uint)Vocabulary.Count)
            {
                throw new ArgumentException($"batch: expected tokens from 0 to {Vocabulary.Count - 1}, the vocabulary of this model, but got {token}; encode stories by its Encode.", nameof(tokens));
            }
        }
    }
}
