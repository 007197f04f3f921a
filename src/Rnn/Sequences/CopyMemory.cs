using System.Globalization;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>
/// The copy memory problem: ten symbols are shown, then nothing for many steps, then a sign to say them again in their order. At all other steps the network is to say 0.
/// </summary>
/// <remarks>
/// Hochreiter and Schmidhuber 1997; in this form Arjovsky, Shah and Bengio (2016, arXiv:1511.06464) and Bai, Kolter and Koltun (2018, arXiv:1803.01271). A sequence has T + 20 steps: ten symbols from 1 to 8, T − 1 zeros, eleven
/// nines; the symbols are to be said at the last ten.
/// </remarks>
public sealed class CopyMemory : GeneratedSource<SymbolBatch>
{
    /// <summary>The symbols: 0 for nothing, 1 to 8 to be remembered, 9 for the sign to say them.</summary>
    public const int Symbols = 10;

    /// <summary>The classes to be said: 0 to 8.</summary>
    public const int Classes = 9;

    private const int Shown = 10;
    private const int Letters = 8;

    /// <summary>Sequences to copy.</summary>
    /// <param name="delay">T, the steps from the last symbol shown to the sign, 1 or more.</param>
    /// <param name="batchSize">N, the rows of a batch.</param>
    /// <param name="random">Where the sequences come from; null for the next seed of the process.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive.</exception>
    public CopyMemory(int delay, int batchSize, RandomSource? random = null)
        : base(random) => (Delay, BatchSize) = (OptionRange.AtLeast(1, delay, nameof(delay)), OptionRange.AtLeast(1, batchSize, nameof(batchSize)));

    /// <summary>T.</summary>
    public int Delay { get; }

    /// <summary>N, the rows of a batch.</summary>
    public int BatchSize { get; }

    /// <summary>The mean cross-entropy, in nats a step, of who knows the time and remembers nothing: 10 ln 8 / (T + 20).</summary>
    public double Baseline => Shown * Math.Log(Letters) / (Delay + (2 * Shown));

    /// <inheritdoc/>
    protected override string Settings => string.Create(CultureInfo.InvariantCulture, $"delay {Delay}, {BatchSize} rows");

    /// <inheritdoc/>
    protected override SymbolBatch Make(RandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        var (symbols, targets) = (new int[BatchSize][], new int[BatchSize][]);
        for (var row = 0; row < BatchSize; row++)
        {
            (symbols[row], targets[row]) = (new int[Delay + (2 * Shown)], new int[Delay + (2 * Shown)]);
            for (var i = 0; i < Shown; i++)
            {
                symbols[row][i] = targets[row][Delay + Shown + i] = random.Next(1, Letters + 1);
            }

            symbols[row].AsSpan()[^(Shown + 1)..].Fill(Symbols - 1);
        }

        return SymbolBatch.Pad(symbols, targets, Symbols, Classes);
    }
}
