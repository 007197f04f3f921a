using Rnn.Formats;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>Sentences of words side by side, with the spellings of their words and, where they are known, a tag for each word: what a tagger reads.</summary>
public sealed class SentenceBatch : IRowBatch<SentenceBatch>
{
    /// <summary>What stands in <see cref="Tags"/> past the end of each sentence: the ignore index of a loss.</summary>
    public const int Ignored = -100;

    private readonly int[] _spellingOf;
    private readonly int[] _tags;

    private SentenceBatch(SequenceBatch words, SequenceBatch? spellings, int[] spellingOf, int[] tags) =>
        (Words, Spellings, _spellingOf, _tags) = (words, spellings, spellingOf, tags);

    /// <summary>The number of sentences N.</summary>
    public int Rows => Words.Rows;

    /// <summary>The words [N, T].</summary>
    public SequenceBatch Words { get; }

    /// <summary>The characters of each different word of the batch, [K, L]; null where nobody reads them.</summary>
    public SequenceBatch? Spellings { get; }

    /// <summary>For each word [N, T], row-major, the row of its spelling; past the end of a sentence any. Empty without spellings.</summary>
    public ReadOnlySpan<int> SpellingOf => _spellingOf;

    /// <summary>The tag of each word [N, T], row-major; <see cref="Ignored"/> past the end of a sentence. Empty where tags are not known.</summary>
    public ReadOnlySpan<int> Tags => _tags;

    /// <inheritdoc/>
    public SentenceBatch TakeRows(int start, int count)
    {
        var (rows, words) = (new RowRange(start, count, Rows), Words.TakeRows(start, count));
        var tags = _tags.Length == 0 ? [] : rows.Of(_tags, words.Steps);
        if (Spellings is null)
        {
            return new(words, null, [], tags);
        }

        // The spellings that these sentences have, in the order of their first words.
        var (spellingOf, numbers) = (rows.Of(_spellingOf, words.Steps), new Dictionary<int, int>());
        foreach (ref var spelling in spellingOf.AsSpan())
        {
            if (!numbers.TryGetValue(spelling, out var number))
            {
                numbers.Add(spelling, number = numbers.Count);
            }

            spelling = number;
        }

        return new(words, numbers.Count > 0 ? Spellings.Select([.. numbers.Keys]) : Spellings, spellingOf, tags);
    }

    /// <summary>Puts sentences side by side in the order given.</summary>
    /// <param name="words">The words of each sentence as tokens.</param>
    /// <param name="characters">The characters of each word as tokens, sentence by sentence; null where nobody reads them.</param>
    /// <param name="tags">The tag of each word; null where they are not known.</param>
    /// <exception cref="ArgumentException">There are no sentences, or the numbers of words, spellings and tags differ.</exception>
    public static SentenceBatch Pad(IReadOnlyList<int[]> words, IReadOnlyList<int[][]>? characters = null, IReadOnlyList<int[]>? tags = null)
    {
        Check(words, characters, tags);
        return Pad(words, characters, tags, [.. Enumerable.Range(0, words.Count)]);
    }

    /// <summary>Cuts sentences into batches of about equal length, so that little padding is needed; see <see cref="LengthBuckets"/>.</summary>
    /// <param name="words">The words of each sentence as tokens.</param>
    /// <param name="characters">The characters of each word as tokens, sentence by sentence; null where nobody reads them.</param>
    /// <param name="tags">The tag of each word; null where they are not known.</param>
    /// <param name="batchSize">The most sentences a batch may have.</param>
    /// <param name="random">Where the order of the batches and of equally long sentences comes from; null for shortest first, always the same.</param>
    /// <returns>The batches; each pass plans anew from the random source, where there is one.</returns>
    /// <exception cref="ArgumentException">There are no sentences, the numbers of words, spellings and tags differ, or the batch size is not positive.</exception>
    public static BatchSource<SentenceBatch> Bucket(
        IReadOnlyList<int[]> words, IReadOnlyList<int[][]>? characters, IReadOnlyList<int[]>? tags, int batchSize, RandomSource? random = null)
    {
        Check(words, characters, tags);
        OptionRange.AtLeast(1, batchSize, nameof(batchSize));
        return new BucketSource<SentenceBatch>([.. words.Select(sentence => sentence.Length)], batchSize, random, indices => Pad(words, characters, tags, indices), Hash);

        string Hash()
        {
            var hash = new Fingerprint();
            for (var i = 0; i < words.Count; i++)
            {
                hash.Add<int>(words[i]);
                hash.Add<int>(tags?[i] ?? []);
                foreach (var word in characters?[i] ?? [])
                {
                    hash.Add<int>(word);
                }
            }

            return hash.ToString();
        }
    }

    private static void Check(IReadOnlyList<int[]> words, IReadOnlyList<int[][]>? characters, IReadOnlyList<int[]>? tags)
    {
        ArgumentNullException.ThrowIfNull(words);
        if (words.Count == 0)
        {
            throw new ArgumentException("words: expected at least one sentence but got none.", nameof(words));
        }

        CheckCount(characters?.Count ?? words.Count, words.Count, "sentences", nameof(characters));
        CheckCount(tags?.Count ?? words.Count, words.Count, "sentences", nameof(tags));
        for (var i = 0; i < words.Count; i++)
        {
            CheckCount(characters?[i].Length ?? words[i].Length, words[i].Length, $"words in sentence {i}", nameof(characters));
            CheckCount(tags?[i].Length ?? words[i].Length, words[i].Length, $"words in sentence {i}", nameof(tags));
        }
    }

    private static void CheckCount(int count, int expected, string what, string name)
    {
        if (count != expected)
        {
            throw new ArgumentException($"{name}: expected {expected} {what}, as many as words has, but got {count}.", name);
        }
    }

    private static SentenceBatch Pad(IReadOnlyList<int[]> words, IReadOnlyList<int[][]>? characters, IReadOnlyList<int[]>? tags, int[] indices)
    {
        var batch = SequenceBatch.Pad(words, indices, padding: 0);
        var steps = batch.Steps;
        var ofTags = tags is null ? [] : new int[indices.Length * steps];
        Array.Fill(ofTags, Ignored);
        for (var row = 0; row < indices.Length && tags is not null; row++)
        {
            tags[indices[row]].CopyTo(ofTags.AsSpan(row * steps));
        }

        if (characters is null)
        {
            return new(batch, null, [], ofTags);
        }

        // A word is spelled once for the batch, however often it comes.
        var (spellingOf, rows, spellings) = (new int[indices.Length * steps], new Dictionary<string, int>(StringComparer.Ordinal), new List<int[]>());
        for (var row = 0; row < indices.Length; row++)
        {
            var sentence = characters[indices[row]];
            for (var t = 0; t < sentence.Length; t++)
            {
                var key = string.Join(' ', sentence[t]);
                if (!rows.TryGetValue(key, out var spelling))
                {
                    rows.Add(key, spelling = spellings.Count);
                    spellings.Add(sentence[t]);
                }

                spellingOf[(row * steps) + t] = spelling;
            }
        }

        return new(batch, SequenceBatch.Pad(spellings.Count > 0 ? spellings.ToArray() : new[] { Array.Empty<int>() }), spellingOf, ofTags);
    }
}
