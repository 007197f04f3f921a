namespace Rnn.Tests.Learning;

/// <summary>
/// The embedded Reber grammar: <c>B (T|P) inner (the same T|P) E</c>, where the inner string is a walk through Reber's six states between
/// B and E. The symbol before the last can only be told by one that stood many steps before. Hochreiter and Schmidhuber,
/// "Long Short-Term Memory", Neural Computation 9(8), 1997, experiment 1.
/// </summary>
internal static class ReberGrammar
{
    public const string Alphabet = "BTPSXVE";

    private const int B = 0, T = 1, P = 2, S = 3, X = 4, V = 5, E = 6;

    /// <summary>For each state the two ways on. The edges 3 –X→ 2 and 4 –P→ 3 cross over between the branches.</summary>
    private static readonly (int Symbol, int Next)[][] Ways =
    [
        [(T, 1), (P, 2)],
        [(X, 3), (S, 1)],
        [(V, 4), (T, 2)],
        [(X, 2), (S, 5)],
        [(P, 3), (V, 5)],
    ];

    /// <summary>A random string; each way is taken with probability one half.</summary>
    public static SymbolString Generate(Random random)
    {
        var outer = random.Next(2) == 0 ? T : P;
        List<int> symbols = [B, outer, B];
        List<int> legal = [Set(T, P), Set(B)];
        var state = 0;
        while (state < Ways.Length)
        {
            var ways = Ways[state];
            legal.Add(Set(ways[0].Symbol, ways[1].Symbol));
            (var symbol, state) = ways[random.Next(2)];
            symbols.Add(symbol);
        }

        symbols.AddRange([E, outer, E]);
        legal.AddRange([Set(E), Set(outer), Set(E), 0]);
        return new([.. symbols], [.. legal]);
    }

    /// <summary><paramref name="count"/> random strings; the same for the same seed.</summary>
    public static SymbolString[] GenerateMany(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => Generate(random))];
    }

    private static int Set(params ReadOnlySpan<int> symbols)
    {
        var bits = 0;
        foreach (var symbol in symbols)
        {
            bits |= 1 << symbol;
        }

        return bits;
    }
}
