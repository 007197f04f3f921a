using System.Globalization;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>
/// The languages aⁿbⁿ and aⁿbⁿcⁿ, word by word between end markers: after each symbol the next one is to be predicted. From the first b on each is determined, for whoever has counted.
/// </summary>
/// <remarks>
/// Gers and Schmidhuber, "LSTM Recurrent Networks Learn Simple Context-Free and Context-Sensitive Languages" (2001); Weiss, Goldberg and Yahav, "On the Practical Computational Power of Finite Precision RNNs for Language
/// Recognition" (2018, arXiv:1805.04908). A network accepts a word when it predicts a symbol that may come at every step; what it has learned shows in words longer than those it was taught.
/// </remarks>
/// <example>
/// <code>
/// var task = new CountingLanguage(letters: 3, longest: 40, batchSize: 16, new RandomSource(1));
/// await trainer.FitAsync(task, batch => Loss.CrossEntropy(model.Forward(batch.OneHot&lt;float&gt;(), batch.Lengths).Output, batch.Targets, batch.Lengths));
/// var word = CountingLanguage.Words(letters: 3, 100);
/// var isAccepted = word.Score(model.Forward(word.OneHot&lt;float&gt;(), word.Lengths).Output).RightRows == 1;
/// </code>
/// </example>
public sealed class CountingLanguage : GeneratedSource<SymbolBatch>
{
    /// <summary>Words of a language.</summary>
    /// <param name="letters">The different letters: 2 for aⁿbⁿ, 3 for aⁿbⁿcⁿ, up to 26.</param>
    /// <param name="longest">The largest n.</param>
    /// <param name="batchSize">N, the rows of a batch.</param>
    /// <param name="random">Where the words come from; null for the next seed of the process.</param>
    /// <param name="shortest">The smallest n, 1 or more. All n from it to the largest are equally likely.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public CountingLanguage(int letters, int longest, int batchSize, RandomSource? random = null, int shortest = 1)
        : base(random)
    {
        (Letters, Shortest) = (CheckLetters(letters), OptionRange.AtLeast(1, shortest, nameof(shortest)));
        (Longest, BatchSize) = (OptionRange.AtLeast(shortest, longest, nameof(longest)), OptionRange.AtLeast(1, batchSize, nameof(batchSize)));
    }

    /// <summary>The different letters.</summary>
    public int Letters { get; }

    /// <summary>The symbols, which are the classes too: the letters from 0 on, and the end marker, which also stands before each word.</summary>
    public int Symbols => Letters + 1;

    /// <summary>The smallest n.</summary>
    public int Shortest { get; }

    /// <summary>The largest n.</summary>
    public int Longest { get; }

    /// <summary>N, the rows of a batch.</summary>
    public int BatchSize { get; }

    /// <inheritdoc/>
    protected override string Settings => string.Create(CultureInfo.InvariantCulture, $"{Letters} letters, n {Shortest} to {Longest}, {BatchSize} rows");

    /// <summary>Words of given n side by side, to test on.</summary>
    /// <param name="letters">The different letters, 2 to 26.</param>
    /// <param name="n">How often each letter stands in each word, 1 or more.</param>
    /// <exception cref="ArgumentException">There are no words, or a number is out of range.</exception>
    public static SymbolBatch Words(int letters, params ReadOnlySpan<int> n)
    {
        CheckLetters(letters);
        var (symbols, targets, right) = (new int[n.Length][], new int[n.Length][], new uint[n.Length][]);
        for (var row = 0; row < n.Length; row++)
        {
            var count = OptionRange.AtLeast(1, n[row], nameof(n));
            var length = (letters * count) + 1;
            (symbols[row], targets[row], right[row]) = (new int[length], new int[length], new uint[length]);
            symbols[row][0] = letters;
            for (var t = 0; t < length; t++)
            {
                var next = t / count;
                targets[row][t] = next;
                right[row][t] = 1U << next;
                if (t + 1 < length)
                {
                    symbols[row][t + 1] = next;
                }
            }

            // After an a either letter may come: how many there will be is not known yet.
            right[row].AsSpan(1, count).Fill(0b11);
        }

        return SymbolBatch.Pad(symbols, targets, letters + 1, letters + 1, right);
    }

    /// <inheritdoc/>
    protected override SymbolBatch Make(RandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        var counts = new int[BatchSize];
        foreach (ref var count in counts.AsSpan())
        {
            count = random.Next(Shortest, Longest + 1);
        }

        return Words(Letters, counts);
    }

    private static int CheckLetters(int letters) =>
        letters is >= 2 and <= 26 ? letters : throw new ArgumentOutOfRangeException(nameof(letters), letters, $"letters: expected a number from 2 to 26 but got {letters}.");
}
