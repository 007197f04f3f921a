using Rnn.Formats;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>
/// Questions about stories side by side. A row has any number of sentences and a sentence any number of tokens: all lie one behind the other, and nothing is padded. A sentence that comes more than once in the batch, which
/// short stories about the same things have many of, is held once.
/// </summary>
public sealed class StoryBatch : IRowBatch<StoryBatch>
{
    /// <summary>What stands in <see cref="Answers"/> where the answer is not known: the ignore index of a loss.</summary>
    public const int Ignored = -100;

    private readonly int[] _indices;
    private readonly int[] _answers;

    private StoryBatch(int[] tokens, int[] tokenStarts, int[] sentences, int[] sentenceStarts, int[] questions, int[] questionStarts, int[] answers, int[] indices)
    {
        (SentenceTokens, SentenceTokenStarts, StorySentences, StoryStarts) = (tokens, tokenStarts, sentences, sentenceStarts);
        (QuestionTokens, QuestionStarts, _answers, _indices) = (questions, questionStarts, answers, indices);
    }

    /// <summary>The number of rows N.</summary>
    public int Rows => _answers.Length;

    /// <summary>The right answer of each row as a token; <see cref="Ignored"/> where it is not known.</summary>
    public ReadOnlySpan<int> Answers => _answers;

    /// <summary>Which of the given questions each row holds.</summary>
    public ReadOnlySpan<int> Indices => _indices;

    /// <summary>The tokens of the different sentences, one behind the other.</summary>
    internal int[] SentenceTokens { get; }

    /// <summary>Where each different sentence begins, and the end of the last.</summary>
    internal int[] SentenceTokenStarts { get; }

    /// <summary>The sentences of all stories, one behind the other, by their number among the different ones.</summary>
    internal int[] StorySentences { get; }

    /// <summary>Where the story of each row begins, and the end of the last [N + 1].</summary>
    internal int[] StoryStarts { get; }

    /// <summary>The tokens of all questions, one behind the other.</summary>
    internal int[] QuestionTokens { get; }

    /// <summary>Where the question of each row begins, and the end of the last [N + 1].</summary>
    internal int[] QuestionStarts { get; }

    /// <inheritdoc/>
    public StoryBatch TakeRows(int start, int count)
    {
        var rows = new RowRange(start, count, Rows);
        var (sentences, starts) = Cut(StorySentences, StoryStarts, rows);
        var (questions, questionStarts) = Cut(QuestionTokens, QuestionStarts, rows);

        // The different sentences of these stories, in the order in which they come.
        var (tokens, tokenStarts, numbers) = (new List<int>(), new List<int> { 0 }, new Dictionary<int, int>());
        foreach (ref var sentence in sentences.AsSpan())
        {
            if (!numbers.TryGetValue(sentence, out var number))
            {
                numbers.Add(sentence, number = numbers.Count);
                tokens.AddRange(SentenceTokens.AsSpan(SentenceTokenStarts[sentence]..SentenceTokenStarts[sentence + 1]));
                tokenStarts.Add(tokens.Count);
            }

            sentence = number;
        }

        return new([.. tokens], [.. tokenStarts], sentences, starts, questions, questionStarts, rows.Of(_answers), rows.Of(_indices));
    }

    /// <summary>Puts questions side by side in the order given.</summary>
    /// <param name="questions">The questions with their stories.</param>
    /// <exception cref="ArgumentException">There are no questions.</exception>
    public static StoryBatch Of(IReadOnlyList<StoryQuestion> questions)
    {
        Check(questions);
        return new Table(questions).Take([.. Enumerable.Range(0, questions.Count)]);
    }

    /// <summary>Cuts questions into batches. Stories of all lengths come together: rows cost what they hold, so there is nothing to sort them for.</summary>
    /// <param name="questions">The questions with their stories.</param>
    /// <param name="batchSize">The most rows a batch may have.</param>
    /// <param name="random">Where the order of each pass comes from; null for the order given.</param>
    /// <exception cref="ArgumentException">There are no questions, or the batch size is not positive.</exception>
    public static BatchSource<StoryBatch> Batches(IReadOnlyList<StoryQuestion> questions, int batchSize, RandomSource? random = null)
    {
        Check(questions);
        return new Source(new Table(questions), OptionRange.AtLeast(1, batchSize, nameof(batchSize)), random);
    }

    private static void Check(IReadOnlyList<StoryQuestion> questions)
    {
        ArgumentNullException.ThrowIfNull(questions);
        if (questions.Count == 0)
        {
            throw new ArgumentException("questions: expected one question or more but got none.", nameof(questions));
        }
    }

    // What lies one behind the other for each row, of some rows, and where each begins.
    private static (int[] Values, int[] Starts) Cut(int[] values, int[] starts, RowRange rows)
    {
        var (first, end) = (starts[rows.Start], starts[rows.Start + rows.Count]);
        return (values[first..end], Array.ConvertAll(starts[rows.Start..(rows.Start + rows.Count + 1)], start => start - first));
    }

    /// <summary>All questions, with a number for each different sentence.</summary>
    private sealed class Table
    {
        private readonly StoryQuestion[] _questions;
        private readonly List<int[]> _sentences = [];
        private readonly int[][] _stories;

        // The number of each sentence in the batch that is being made, or −1.
        private readonly int[] _places;

        internal Table(IReadOnlyList<StoryQuestion> questions)
        {
            var numbers = new Dictionary<int[], int>(new SameTokens());
            _questions = questions.ToArray();
            _stories = new int[questions.Count][];
            for (var i = 0; i < _stories.Length; i++)
            {
                var story = questions[i].Story;
                _stories[i] = new int[story.Count];
                for (var j = 0; j < story.Count; j++)
                {
                    if (!numbers.TryGetValue(story[j], out _stories[i][j]))
                    {
                        numbers.Add(story[j], _stories[i][j] = _sentences.Count);
                        _sentences.Add(story[j]);
                    }
                }
            }

            _places = new int[_sentences.Count];
            Array.Fill(_places, -1);
        }

        internal int Count => _stories.Length;

        internal StoryBatch Take(int[] indices)
        {
            var (tokens, tokenStarts, numbers) = (new List<int>(), new List<int> { 0 }, new List<int>());
            var (sentences, starts, questions, questionStarts, answers) = (new List<int>(), new int[indices.Length + 1], new List<int>(), new int[indices.Length + 1], new int[indices.Length]);
            for (var row = 0; row < indices.Length; row++)
            {
                foreach (var number in _stories[indices[row]])
                {
                    if (_places[number] < 0)
                    {
                        _places[number] = numbers.Count;
                        numbers.Add(number);
                        tokens.AddRange(_sentences[number]);
                        tokenStarts.Add(tokens.Count);
                    }

                    sentences.Add(_places[number]);
                }

                var question = _questions[indices[row]];
                questions.AddRange(question.Question);
                (starts[row + 1], questionStarts[row + 1], answers[row]) = (sentences.Count, questions.Count, question.Answer ?? Ignored);
            }

            numbers.ForEach(number => _places[number] = -1);
            return new([.. tokens], [.. tokenStarts], [.. sentences], starts, [.. questions], questionStarts, answers, indices);
        }

        internal string Hash()
        {
            var hash = new Fingerprint();
            for (var i = 0; i < _stories.Length; i++)
            {
                hash.Add<int>(_stories[i]);
                hash.Add<int>([.. _questions[i].Question, _questions[i].Answer ?? Ignored]);
            }

            _sentences.ForEach(sentence => hash.Add<int>(sentence));
            return hash.ToString();
        }
    }

    private sealed class SameTokens : IEqualityComparer<int[]>
    {
        public bool Equals(int[]? x, int[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(int[] obj)
        {
            var hash = default(HashCode);
            foreach (var token in obj)
            {
                hash.Add(token);
            }

            return hash.ToHashCode();
        }
    }

    private sealed class Source(Table table, int batchSize, RandomSource? random) : BatchSource<StoryBatch>(random)
    {
        private readonly RowOrder _order = new(table.Count, batchSize);
        private StoryBatch? _current;

        public override StoryBatch Current => _current ?? throw new InvalidOperationException("Current: there is no batch before the first MoveNext().");

        public override string Identity => FormattableString.Invariant($"{table.Count} questions ({table.Hash()}), batches of {batchSize}{(Random is null ? string.Empty : ", shuffled")}");

        protected override void OnBeginPass() => _order.Begin(Random);

        protected override bool OnSkip() => _order.Skip();

        protected override bool OnMoveNext()
        {
            var rows = _order.Take();
            if (rows.IsEmpty)
            {
                return false;
            }

            _current = table.Take(rows.ToArray());
            return true;
        }
    }
}
