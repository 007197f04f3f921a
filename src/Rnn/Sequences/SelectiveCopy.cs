using System.Globalization;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>
/// Copying with gaps: some symbols stand at random places among many steps of nothing, then they are to be said again in their order. What to remember depends on the input, not on the time, so a layer that forgets
/// at a fixed rate cannot do it. At all other steps the network is to say 0.
/// </summary>
/// <remarks>
/// The selective copying task of Gu and Dao (2023, arXiv:2312.00752), after the denoise task of Jing et al. (2019, arXiv:1706.02761); on it Feng et al. (2024, arXiv:2410.01201) measure minGRU and minLSTM. A sequence has
/// T + M steps: T with M symbols from 1 to 8 among zeros, then M nines, at which the symbols are to be said.
/// </remarks>
public sealed class SelectiveCopy : GeneratedSource<SymbolBatch>
{
    /// <summary>The symbols: 0 for nothing, 1 to 8 to be remembered, 9 for the sign to say the next one.</summary>
    public const int Symbols = 10;

    /// <summary>The classes to be said: 0 to 8.</summary>
    public const int Classes = 9;

    private const int Letters = 8;

    /// <summary>Sequences to copy.</summary>
    /// <param name="steps">T, the steps among which the symbols stand.</param>
    /// <param name="count">M, the symbols of a sequence, 1 to T.</param>
    /// <param name="batchSize">N, the rows of a batch.</param>
    /// <param name="random">Where the sequences come from; null for the next seed of the process.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive, or there are more symbols than steps.</exception>
    public SelectiveCopy(int steps, int count, int batchSize, RandomSource? random = null)
        : base(random)
    {
        (Steps, Count, BatchSize) = (OptionRange.AtLeast(1, steps, nameof(steps)), OptionRange.AtLeast(1, count, nameof(count)), OptionRange.AtLeast(1, batchSize, nameof(batchSize)));
        if (count > steps)
        {
            throw new ArgumentOutOfRangeException(nameof(count), count, $"count: expected at most one symbol a step, {steps}, but got {count}.");
        }
    }

    /// <summary>T.</summary>
    public int Steps { get; }

    /// <summary>M, the symbols of a sequence.</summary>
    public int Count { get; }

    /// <summary>N, the rows of a batch.</summary>
    public int BatchSize { get; }

    /// <summary>The mean cross-entropy, in nats a step, of who knows the time and remembers nothing: M ln 8 / (T + M).</summary>
    public double Baseline => Count * Math.Log(Letters) / (Steps + Count);

    /// <inheritdoc/>
    protected override string Settings => string.Create(CultureInfo.InvariantCulture, $"{Count} symbols among {Steps} steps, {BatchSize} rows");

    /// <inheritdoc/>
    protected override SymbolBatch Make(RandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        var (symbols, targets) = (new int[BatchSize][], new int[BatchSize][]);
        for (var row = 0; row < BatchSize; row++)
        {
            (symbols[row], targets[row]) = (new int[Steps + Count], new int[Steps + Count]);

            // Each step takes a symbol with the probability that leaves all choices of places equally likely.
            var placed = 0;
            for (var step = 0; placed < Count; step++)
            {
                if (random.Next(0, Steps - step) < Count - placed)
                {
                    symbols[row][step] = targets[row][Steps + placed] = random.Next(1, Letters + 1);
                    placed++;
                }
            }

            symbols[row].AsSpan(Steps).Fill(Symbols - 1);
        }

        return SymbolBatch.Pad(symbols, targets, Symbols, Classes);
    }
}
