namespace Rnn.Tests.Learning;

/// <summary>
/// The language aⁿbⁿ between two end markers. Whoever reads it from the left knows from the first b on what must come, by counting.
/// Gers and Schmidhuber, "LSTM Recurrent Networks Learn Simple Context-Free and Context-Sensitive Languages", 2001.
/// </summary>
internal static class CountingLanguage
{
    public const string Alphabet = "ab$";

    private const int A = 0, B = 1, End = 2;

    /// <summary>The string of <paramref name="n"/> a and as many b.</summary>
    public static SymbolString AnBn(int n)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(n);
        int[] symbols = [End, .. Enumerable.Repeat(A, n), .. Enumerable.Repeat(B, n), End];
        int[] legal =
        [
            1 << A,
            .. Enumerable.Repeat((1 << A) | (1 << B), n),
            .. Enumerable.Repeat(1 << B, n - 1),
            1 << End,
            0,
        ];
        return new(symbols, legal);
    }

    /// <summary>The largest N such that every n from 1 to N is predicted right at every position, searched up to <paramref name="limit"/>.</summary>
    /// <param name="score">Scores of the next symbol after every position, one row of the alphabet each.</param>
    /// <param name="limit">Where to stop.</param>
    public static int CountsUpTo(Func<SymbolString, float[]> score, int limit)
    {
        for (var n = 1; n <= limit; n++)
        {
            var text = AnBn(n);
            if (text.CountLegal(score(text), Alphabet.Length) < text.Predictions)
            {
                return n - 1;
            }
        }

        return limit;
    }
}
