using System.Globalization;

namespace Rnn.Sequences;

/// <summary>What a <see cref="BleuScore"/> does with orders of n-grams that have no match, which make the plain score zero.</summary>
public enum BleuSmoothing
{
    /// <summary>Nothing: without a match of some order the score is 0 (Papineni et al. 2002).</summary>
    None,

    /// <summary>1 is added to matches and n-grams of the orders from 2 (Lin and Och 2004), for short texts.</summary>
    AddOne,

    /// <summary>The first order without a match counts as 1/2 of one, the next as 1/4, and so on (NIST, SacreBLEU's <c>exp</c>).</summary>
    Exponential,
}

/// <summary>
/// BLEU (Papineni, Roukos, Ward and Zhu 2002, "BLEU: a method for automatic evaluation of machine translation") of a whole corpus: the geometric mean of the clipped precisions of n-grams,
/// times a penalty for texts shorter than the references, from 0 to 100.
/// </summary>
/// <remarks>
/// Matches, n-grams and lengths are added over all sentences before anything is divided: the score is that of the corpus, not a mean of sentences. Of several references the one whose length is
/// closest counts for the penalty, the shorter of two equally close. Scores depend on how texts are cut into tokens; compare like with like.
/// </remarks>
/// <example>
/// <code>
/// var bleu = new BleuScore();
/// bleu.Add("the cat sat on the mat".Split(' '), "the cat is on the mat".Split(' '));
/// Console.WriteLine($"BLEU {bleu.Score:F1}");
/// </code>
/// </example>
public sealed class BleuScore
{
    private readonly long[] _matches;
    private readonly long[] _totals;

    /// <summary>An empty score.</summary>
    /// <param name="maximumOrder">The longest n-grams, 4 as usual.</param>
    /// <param name="smoothing">What is done with orders without a match.</param>
    /// <exception cref="ArgumentOutOfRangeException">The order is not positive, or there is no such smoothing.</exception>
    public BleuScore(int maximumOrder = 4, BleuSmoothing smoothing = BleuSmoothing.None)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maximumOrder);
        if (!Enum.IsDefined(smoothing))
        {
            throw new ArgumentOutOfRangeException(nameof(smoothing), smoothing, $"smoothing: there is no BleuSmoothing {smoothing}.");
        }

        (_matches, _totals, Smoothing) = (new long[maximumOrder], new long[maximumOrder], smoothing);
    }

    /// <summary>What is done with orders of n-grams without a match.</summary>
    public BleuSmoothing Smoothing { get; }

    /// <summary>The longest n-grams.</summary>
    public int MaximumOrder => _matches.Length;

    /// <summary>The tokens of all candidates.</summary>
    public long CandidateLength { get; private set; }

    /// <summary>The tokens of all references, of several for one candidate the closest in length.</summary>
    public long ReferenceLength { get; private set; }

    /// <summary>exp(1 − reference length / candidate length) for candidates that are shorter than the references in all, else 1; 0 for candidates without tokens.</summary>
    public double BrevityPenalty => CandidateLength >= ReferenceLength ? 1 : CandidateLength == 0 ? 0 : Math.Exp(1 - ((double)ReferenceLength / CandidateLength));

    /// <summary>The score from 0 to 100; 0 where the candidates have no n-grams of some order, unless smoothing adds one.</summary>
    public double Score
    {
        get
        {
            var (sum, half) = (0.0, 1.0);
            for (var order = 1; order <= MaximumOrder; order++)
            {
                var (matches, total) = ((double)_matches[order - 1], (double)_totals[order - 1]);
                if (Smoothing == BleuSmoothing.AddOne && order > 1)
                {
                    (matches, total) = (matches + 1, total + 1);
                }
                else if (Smoothing == BleuSmoothing.Exponential && matches == 0)
                {
                    matches = half /= 2;
                }

                if (matches == 0 || total == 0)
                {
                    return 0;
                }

                sum += Math.Log(matches / total);
            }

            return 100 * BrevityPenalty * Math.Exp(sum / MaximumOrder);
        }
    }

    /// <summary>The clipped precision of the n-grams of an order, without smoothing; 0 where there are none.</summary>
    /// <param name="order">From 1 to <see cref="MaximumOrder"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such order.</exception>
    public double Precision(int order)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(order);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(order, MaximumOrder);
        return _totals[order - 1] == 0 ? 0 : (double)_matches[order - 1] / _totals[order - 1];
    }

    /// <summary>Counts one sentence.</summary>
    /// <param name="candidate">The tokens of the translation.</param>
    /// <param name="references">The tokens of one right translation or more.</param>
    /// <typeparam name="TToken">The type of a token, such as <see cref="string"/> or <see cref="int"/>.</typeparam>
    /// <exception cref="ArgumentException">There is no reference.</exception>
    public void Add<TToken>(IReadOnlyList<TToken> candidate, params ReadOnlySpan<IReadOnlyList<TToken>> references)
        where TToken : IEquatable<TToken>
    {
        ArgumentNullException.ThrowIfNull(candidate);
        if (references.IsEmpty)
        {
            throw new ArgumentException("references: expected one reference or more but got none.", nameof(references));
        }

        var closest = -1;
        foreach (var reference in references)
        {
            ArgumentNullException.ThrowIfNull(reference, nameof(references));
            var (distance, least) = (Math.Abs(reference.Count - candidate.Count), Math.Abs(closest - candidate.Count));
            if (closest < 0 || distance < least || (distance == least && reference.Count < closest))
            {
                closest = reference.Count;
            }
        }

        // Tokens become numbers, so that n-grams can be compared as lists of them.
        var numbers = new Dictionary<TToken, int>();
        var text = Numbers(candidate, numbers);
        var rights = new int[references.Length][];
        for (var i = 0; i < rights.Length; i++)
        {
            rights[i] = Numbers(references[i], numbers);
        }

        for (var order = 1; order <= MaximumOrder; order++)
        {
            _totals[order - 1] += Math.Max(0, text.Length - order + 1);
            _matches[order - 1] += ClippedMatches(text, rights, order);
        }

        CandidateLength += candidate.Count;
        ReferenceLength += closest;
    }

    /// <summary>The score and what it is made of, with a point in every culture: <c>BLEU 34.2 (65.1/41.0/27.4/18.8, brevity penalty 1.000, length 1203/1190)</c>.</summary>
    public override string ToString()
    {
        var precisions = string.Join('/', Enumerable.Range(1, MaximumOrder).Select(order => (100 * Precision(order)).ToString("F1", CultureInfo.InvariantCulture)));
        return string.Create(
            CultureInfo.InvariantCulture, $"BLEU {Score:F1} ({precisions}, brevity penalty {BrevityPenalty:F3}, length {CandidateLength}/{ReferenceLength})");
    }

    private static int[] Numbers<TToken>(IReadOnlyList<TToken> tokens, Dictionary<TToken, int> numbers)
        where TToken : IEquatable<TToken>
    {
        var result = new int[tokens.Count];
        for (var i = 0; i < result.Length; i++)
        {
            if (!numbers.TryGetValue(tokens[i], out result[i]))
            {
                numbers.Add(tokens[i], result[i] = numbers.Count);
            }
        }

        return result;
    }

    // Each n-gram of the candidate counts at most as often as it stands in one of the references.
    private static long ClippedMatches(int[] candidate, int[][] references, int order)
    {
        var counts = Counts(candidate, order);
        var most = new Dictionary<NGram, int>(counts.Count);
        foreach (var reference in references)
        {
            foreach (var (ngram, count) in Counts(reference, order))
            {
                if (counts.ContainsKey(ngram))
                {
                    most[ngram] = Math.Max(count, most.GetValueOrDefault(ngram));
                }
            }
        }

        return most.Sum(pair => (long)Math.Min(pair.Value, counts[pair.Key]));
    }

    private static Dictionary<NGram, int> Counts(int[] tokens, int order)
    {
        var counts = new Dictionary<NGram, int>();
        for (var i = 0; i + order <= tokens.Length; i++)
        {
            var ngram = new NGram(tokens, i, order);
            counts[ngram] = counts.GetValueOrDefault(ngram) + 1;
        }

        return counts;
    }

    private readonly struct NGram(int[] tokens, int start, int order) : IEquatable<NGram>
    {
        private ReadOnlySpan<int> Tokens => tokens.AsSpan(start, order);

        public bool Equals(NGram other) => Tokens.SequenceEqual(other.Tokens);

        public override bool Equals(object? obj) => obj is NGram other && Equals(other);

        public override int GetHashCode()
        {
            var hash = default(HashCode);
            foreach (var token in Tokens)
            {
                hash.Add(token);
            }

            return hash.ToHashCode();
        }
    }
}
