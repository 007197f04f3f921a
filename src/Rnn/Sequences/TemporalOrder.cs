using System.Globalization;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>
/// The temporal order problem: among random letters stand two or three marks far apart, each an X or a Y. At the end the network is to say which they were, in their order: one of four or eight classes.
/// </summary>
/// <remarks>
/// Hochreiter and Schmidhuber, "Long Short-Term Memory" (1997), experiments 6a and 6b. A sequence has T to 11/10 T steps and begins with E and ends with B, where the class is to be said. The first mark stands T/10 to T/5
/// steps after the beginning; of two, the second T/2 to 3/5 T; of three, the others T/3 and 2/3 T to a tenth of T more.
/// </remarks>
public sealed class TemporalOrder : GeneratedSource<SymbolBatch>
{
    /// <summary>The symbols, by their numbers: four letters that mean nothing, the marks, and the signs of the beginning and the end.</summary>
    public const string Letters = "abcdXYEB";

    private const int Noise = 4;
    private const int FirstMark = 4;
    private const int Beginning = 6;
    private const int End = 7;

    /// <summary>Sequences with marks in them.</summary>
    /// <param name="steps">T, 10 or more.</param>
    /// <param name="batchSize">N, the rows of a batch.</param>
    /// <param name="random">Where the sequences come from; null for the next seed of the process.</param>
    /// <param name="marks">2 or 3.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of range.</exception>
    public TemporalOrder(int steps, int batchSize, RandomSource? random = null, int marks = 2)
        : base(random)
    {
        (Steps, BatchSize) = (OptionRange.AtLeast(10, steps, nameof(steps)), OptionRange.AtLeast(1, batchSize, nameof(batchSize)));
        Marks = marks is 2 or 3 ? marks : throw new ArgumentOutOfRangeException(nameof(marks), marks, $"marks: expected 2 or 3 but got {marks}.");
    }

    /// <summary>T; sequences have up to a tenth more.</summary>
    public int Steps { get; }

    /// <summary>N, the rows of a batch.</summary>
    public int BatchSize { get; }

    /// <summary>The marks in a sequence.</summary>
    public int Marks { get; }

    /// <summary>The classes: 2 to the power of the marks. A class is the marks read as a binary number, X as 0 and Y as 1, the first mark in front.</summary>
    public int Classes => 1 << Marks;

    /// <inheritdoc/>
    protected override string Settings => string.Create(CultureInfo.InvariantCulture, $"{Marks} marks, {Steps} steps, {BatchSize} rows");

    /// <inheritdoc/>
    protected override SymbolBatch Make(RandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        var (symbols, targets) = (new int[BatchSize][], new int[BatchSize][]);
        for (var row = 0; row < BatchSize; row++)
        {
            var length = random.Next(Steps, Steps + (Steps / 10) + 1);
            (symbols[row], targets[row]) = (new int[length], new int[length]);
            targets[row].AsSpan().Fill(TokenWindow.NoTarget);
            for (var t = 0; t < length; t++)
            {
                symbols[row][t] = t == 0 ? Beginning : t == length - 1 ? End : random.Next(Noise);
            }

            var order = 0;
            for (var i = 0; i < Marks; i++)
            {
                var from = i == 0 ? Steps / 10 : Marks == 2 ? Steps / 2 : i * Steps / 3;
                var mark = random.Next(2);
                symbols[row][from + random.Next((Steps / 10) + 1)] = FirstMark + mark;
                order = (2 * order) + mark;
            }

            targets[row][^1] = order;
        }

        return SymbolBatch.Pad(symbols, targets, Letters.Length, Classes);
    }
}
