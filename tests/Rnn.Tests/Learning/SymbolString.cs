using System.Numerics;

namespace Rnn.Tests.Learning;

/// <summary>A string of a formal language: its symbols, and after each one the set of symbols that may come next, as bits.</summary>
internal sealed record SymbolString(int[] Symbols, int[] Legal)
{
    /// <summary>Predictions are made after every symbol but the last.</summary>
    public int Predictions => Symbols.Length - 1;

    /// <summary>The text, one letter a symbol.</summary>
    public string Text(string alphabet) => string.Concat(Symbols.Select(symbol => alphabet[symbol]));

    /// <summary>How many of the predictions name a legal symbol. <paramref name="scores"/> holds one row of the alphabet a position.</summary>
    public int CountLegal(ReadOnlySpan<float> scores, int alphabet)
    {
        var count = 0;
        for (var t = 0; t < Predictions; t++)
        {
            var row = scores.Slice(t * alphabet, alphabet);
            count += (Legal[t] >> IndexOfLargest(row)) & 1;
        }

        return count;
    }

    /// <summary>
    /// Whether at every position all legal symbols score higher than all others: the criterion of Hochreiter and Schmidhuber (1997)
    /// for the embedded Reber grammar.
    /// </summary>
    public bool RanksLegalFirst(ReadOnlySpan<float> scores, int alphabet)
    {
        for (var t = 0; t < Predictions; t++)
        {
            var (lowestLegal, highestOther) = (float.PositiveInfinity, float.NegativeInfinity);
            for (var symbol = 0; symbol < alphabet; symbol++)
            {
                var score = scores[(t * alphabet) + symbol];
                if (((Legal[t] >> symbol) & 1) == 1)
                {
                    lowestLegal = MathF.Min(lowestLegal, score);
                }
                else
                {
                    highestOther = MathF.Max(highestOther, score);
                }
            }

            if (!(lowestLegal > highestOther))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>How many symbols may follow position <paramref name="t"/>.</summary>
    public int Choices(int t) => BitOperations.PopCount((uint)Legal[t]);

    private static int IndexOfLargest(ReadOnlySpan<float> row)
    {
        var best = 0;
        for (var i = 1; i < row.Length; i++)
        {
            if (row[i] > row[best])
            {
                best = i;
            }
        }

        return best;
    }
}
