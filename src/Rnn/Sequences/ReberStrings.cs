using System.Globalization;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>Random strings of <see cref="ReberGrammar"/>: after each symbol the next one is to be predicted, and right is whatever the grammar allows.</summary>
/// <remarks>
/// Hochreiter and Schmidhuber, "Long Short-Term Memory" (1997), experiment 1, who learn from 256 strings and test on 256 others: <c>new ReberStrings(256, new RandomSource(1)).First()</c>.
/// </remarks>
public sealed class ReberStrings : GeneratedSource<SymbolBatch>
{
    private readonly ReberGrammar _grammar;

    /// <summary>Strings.</summary>
    /// <param name="batchSize">N, the rows of a batch.</param>
    /// <param name="random">Where the strings come from; null for the next seed of the process.</param>
    /// <param name="grammar">The grammar; null for <see cref="ReberGrammar.Embedded"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The batch size is not positive.</exception>
    public ReberStrings(int batchSize, RandomSource? random = null, ReberGrammar? grammar = null)
        : base(random) => (BatchSize, _grammar) = (OptionRange.AtLeast(1, batchSize, nameof(batchSize)), grammar ?? ReberGrammar.Embedded);

    /// <summary>N, the rows of a batch.</summary>
    public int BatchSize { get; }

    /// <inheritdoc/>
    protected override string Settings => string.Create(CultureInfo.InvariantCulture, $"{_grammar.States} states, {BatchSize} rows");

    /// <inheritdoc/>
    protected override SymbolBatch Make(RandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        var (symbols, targets, right) = (new int[BatchSize][], new int[BatchSize][], new uint[BatchSize][]);
        for (var row = 0; row < BatchSize; row++)
        {
            var text = _grammar.Generate(random);
            (symbols[row], targets[row], right[row]) = (text[..^1], text[1..], new uint[text.Length - 1]);
            var state = ReberGrammar.Start;
            for (var t = 0; t < right[row].Length; t++)
            {
                state = _grammar.Next(state, text[t]);
                right[row][t] = _grammar.Legal(state);
            }
        }

        return SymbolBatch.Pad(symbols, targets, ReberGrammar.Letters.Length, ReberGrammar.Letters.Length, right);
    }
}
