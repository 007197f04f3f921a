using Rnn.Tensors;
using Samples;

namespace Addition;

/// <summary>Sums of two numbers of up to three digits, and their results.</summary>
internal static class Sums
{
    /// <summary>Sums, none of which comes twice.</summary>
    internal static (TextPairs Training, TextPairs Test) Make(RandomSource random, int training, int test)
    {
        var sums = new HashSet<(int, int)>();
        while (sums.Count < training + test)
        {
            // Each number of digits comes as often, so that short sums are learned too.
            sums.Add((Number(), Number()));
        }

        var pairs = sums.Select(sum => (Text: $"{sum.Item1}+{sum.Item2}", Result: $"{sum.Item1 + sum.Item2}")).ToArray();
        return (Pairs(pairs[..training]), Pairs(pairs[training..]));

        int Number() => random.Next(random.Next(3) switch { 0 => 10, 1 => 100, _ => 1000 });
    }

    private static TextPairs Pairs((string Text, string Result)[] pairs) => new([.. pairs.Select(pair => pair.Text)], [.. pairs.Select(pair => pair.Result)]);
}
