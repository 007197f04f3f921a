using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>
/// Reber's grammar, a small finite automaton, and the embedded one, in which the second symbol of a string decides the last but one, with a string of Reber's grammar between them. Strings begin with B and end with E.
/// </summary>
/// <remarks>
/// Reber (1967); embedded: Fahlman (1991), Hochreiter and Schmidhuber, "Long Short-Term Memory" (1997), experiment 1. The edges by which X leads from state 3 back to 2 and P from state 4 to 3 are part of it; the
/// language without them is much easier.
/// </remarks>
public sealed class ReberGrammar
{
    /// <summary>The symbols, by their numbers.</summary>
    public const string Letters = "BTPSXVE";

    private const int B = 0, T = 1, P = 2, S = 3, X = 4, V = 5, E = 6;

    /// <summary>The state before a string begins and after it has ended: where each state stands in a string.</summary>
    public const int Start = 0;

    // For each state the next one by symbol; −1 where the symbol may not come.
    private readonly int[][] _next;

    private ReberGrammar(params int[][] next) => _next = next;

    /// <summary>Reber's grammar.</summary>
    public static ReberGrammar Plain { get; } = MakePlain();

    /// <summary>The embedded grammar: B, then T or P, a string of Reber's grammar, the same T or P again, E.</summary>
    public static ReberGrammar Embedded { get; } = MakeEmbedded();

    /// <summary>The number of states.</summary>
    public int States => _next.Length;

    /// <summary>The symbols that may come in a state, as bits: 1 &lt;&lt; s is set where symbol s may. In <see cref="Start"/> that is B, with which a string begins, so that strings may follow each other without end.</summary>
    /// <param name="state">A state, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such state.</exception>
    public uint Legal(int state)
    {
        var (next, bits) = (Edges(state), 0U);
        for (var symbol = 0; symbol < next.Length; symbol++)
        {
            bits |= next[symbol] >= 0 ? 1U << symbol : 0;
        }

        return bits;
    }

    /// <summary>The state after a symbol.</summary>
    /// <param name="state">The state before it.</param>
    /// <param name="symbol">The symbol.</param>
    /// <returns>The next state, <see cref="Start"/> where the string has ended; −1 where the symbol may not come.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such state.</exception>
    public int Next(int state, int symbol) => (uint)symbol < (uint)Letters.Length ? Edges(state)[symbol] : -1;

    /// <summary>Whether some symbols are a string of the grammar.</summary>
    /// <param name="symbols">The symbols.</param>
    public bool Contains(ReadOnlySpan<int> symbols)
    {
        var state = Start;
        for (var i = 0; i < symbols.Length; i++)
        {
            state = Next(state, symbols[i]);
            if (state < 0 || (state == Start && i < symbols.Length - 1))
            {
                return false;
            }
        }

        return state == Start && !symbols.IsEmpty;
    }

    /// <summary>A random string: where two symbols may come, each does in half of the cases.</summary>
    /// <param name="random">Where it comes from.</param>
    public int[] Generate(RandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        var symbols = new List<int>();
        var state = Start;
        do
        {
            symbols.Add(Choose(state, random));
            state = Next(state, symbols[^1]);
        }
        while (state != Start);
        return [.. symbols];
    }

    /// <summary>One of the symbols that may come, all equally likely.</summary>
    internal int Choose(int state, RandomSource random)
    {
        var legal = Legal(state);
        for (var skip = random.Next(BitOperations.PopCount(legal)); skip > 0; skip--)
        {
            legal &= legal - 1;
        }

        return BitOperations.TrailingZeroCount(legal);
    }

    private int[] Edges(int state) =>
        (uint)state < (uint)_next.Length ? _next[state] : throw new ArgumentOutOfRangeException(nameof(state), state, $"state: expected a state from 0 to {_next.Length - 1} but got {state}.");

    private static ReberGrammar MakePlain() => new([Edge((B, 1)), .. Inner(1, Start)]);

    // The inner string of either branch begins at its B and ends after its E.
    private static ReberGrammar MakeEmbedded()
    {
        const int TBranch = 2, PBranch = 10, LastE = 18;
        return new(
        [
            Edge((B, 1)),
            Edge((T, TBranch), (P, PBranch)),
            Edge((B, TBranch + 1)), .. Inner(TBranch + 1, TBranch + 7), Edge((T, LastE)),
            Edge((B, PBranch + 1)), .. Inner(PBranch + 1, PBranch + 7), Edge((P, LastE)),
            Edge((E, Start)),
        ]);
    }

    // Reber's states 0 to 5, which stand from a place on, and where their E leads.
    private static int[][] Inner(int at, int after) =>
    [
        Edge((T, at + 1), (P, at + 2)),
        Edge((S, at + 1), (X, at + 3)),
        Edge((T, at + 2), (V, at + 4)),
        Edge((X, at + 2), (S, at + 5)),
        Edge((P, at + 3), (V, at + 5)),
        Edge((E, after)),
    ];

    private static int[] Edge(params ReadOnlySpan<(int Symbol, int Next)> edges)
    {
        var next = new int[Letters.Length];
        next.AsSpan().Fill(-1);
        foreach (var edge in edges)
        {
            next[edge.Symbol] = edge.Next;
        }

        return next;
    }
}
