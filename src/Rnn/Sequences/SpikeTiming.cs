using System.Globalization;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>
/// Spike timing: spikes follow each other at equal distances, in one half of the sequences one step shorter than in the other. At each spike after the first the network is to say which half it is, which nothing but the time
/// that has passed can tell.
/// </summary>
/// <remarks>
/// After the distinction between sequences of spikes 50 or 49 steps apart that LSTMs with peepholes learn, without shorter distances to begin with (Gers, Schraudolph and Schmidhuber, "Learning Precise Timing with LSTM Recurrent
/// Networks", Journal of Machine Learning Research 3, 2002). A random number of steps before the first spike, fewer than the interval, keeps the place in the sequence from telling. Rows of the two classes take turns.
/// </remarks>
public sealed class SpikeTiming : GeneratedSource<SymbolBatch>
{
    /// <summary>The symbols: 0 for nothing, 1 for a spike.</summary>
    public const int Symbols = 2;

    /// <summary>The classes: 0 where spikes are one step less than the interval apart, 1 where they are the interval apart.</summary>
    public const int Classes = 2;

    /// <summary>Sequences of spikes.</summary>
    /// <param name="interval">The longer distance of the two, in steps, 2 or more.</param>
    /// <param name="batchSize">N, the rows of a batch.</param>
    /// <param name="random">Where the sequences come from; null for the next seed of the process.</param>
    /// <param name="spikes">The spikes of a sequence, 2 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is too small.</exception>
    public SpikeTiming(int interval, int batchSize, RandomSource? random = null, int spikes = 3)
        : base(random)
    {
        (Interval, BatchSize) = (OptionRange.AtLeast(2, interval, nameof(interval)), OptionRange.AtLeast(1, batchSize, nameof(batchSize)));
        Spikes = OptionRange.AtLeast(2, spikes, nameof(spikes));
    }

    /// <summary>The longer distance of the two.</summary>
    public int Interval { get; }

    /// <summary>N, the rows of a batch.</summary>
    public int BatchSize { get; }

    /// <summary>The spikes of a sequence.</summary>
    public int Spikes { get; }

    /// <inheritdoc/>
    protected override string Settings => string.Create(CultureInfo.InvariantCulture, $"{Spikes} spikes {Interval} apart, {BatchSize} rows");

    /// <inheritdoc/>
    protected override SymbolBatch Make(RandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        var (symbols, targets) = (new int[BatchSize][], new int[BatchSize][]);
        var offset = random.Next(2);
        for (var row = 0; row < BatchSize; row++)
        {
            // As many of one class as of the other: what tells them apart is small, and an uneven batch would drown it.
            var (first, isLong) = (random.Next(Interval), (row + offset) % 2);
            var distance = Interval - 1 + isLong;
            var length = first + ((Spikes - 1) * distance) + 1;
            (symbols[row], targets[row]) = (new int[length], new int[length]);
            targets[row].AsSpan().Fill(TokenWindow.NoTarget);
            for (var spike = 0; spike < Spikes; spike++)
            {
                var t = first + (spike * distance);
                symbols[row][t] = 1;
                targets[row][t] = spike == 0 ? TokenWindow.NoTarget : isLong;
            }
        }

        return SymbolBatch.Pad(symbols, targets, Symbols, Classes);
    }
}
