using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>
/// Sequences of symbols of different lengths side by side, with what is to be said at each step: a class, such as the next symbol, or nothing. Where several answers are right, as the next symbols that a grammar allows, it
/// knows them all. A batch of the artificial tasks on which memory is measured.
/// </summary>
/// <example>
/// <code>
/// var task = new CopyMemory(delay: 100, batchSize: 32, new RandomSource(1));
/// await trainer.FitAsync(task, batch => Loss.CrossEntropy(model.Forward(batch.OneHot&lt;float&gt;(), batch.Lengths).Output, batch.Targets, batch.Lengths));
/// </code>
/// </example>
public sealed class SymbolBatch : IRowBatch<SymbolBatch>
{
    /// <summary>The most symbols or classes that a batch can have.</summary>
    public const int MaxSymbols = 32;

    private readonly SequenceBatch _symbols;
    private readonly int[] _targets;
    private readonly uint[] _right;

    private SymbolBatch(SequenceBatch symbols, int[] targets, uint[] right, int symbolCount, int classCount)
    {
        (_symbols, _targets, _right, SymbolCount, ClassCount) = (symbols, targets, right, symbolCount, classCount);
        TargetCount = targets.Count(target => target != TokenWindow.NoTarget);
    }

    /// <summary>The number of rows N.</summary>
    public int Rows => _symbols.Rows;

    /// <summary>The number of steps T: the length of the longest row.</summary>
    public int Steps => _symbols.Steps;

    /// <summary>[N, T].</summary>
    public Shape Shape => _symbols.Shape;

    /// <summary>V, the symbols there are.</summary>
    public int SymbolCount { get; }

    /// <summary>K, the classes that targets are of; V where the next symbol is to be predicted.</summary>
    public int ClassCount { get; }

    /// <summary>The symbols [N, T], row-major, each from 0 to V − 1; 0 past the end of each row.</summary>
    public ReadOnlySpan<int> Tokens => _symbols.Tokens;

    /// <summary>The length of each row, from 0 to T.</summary>
    public ReadOnlySpan<int> Lengths => _symbols.Lengths;

    /// <summary>What is to be said after each step [N, T], row-major, from 0 to K − 1; <see cref="TokenWindow.NoTarget"/> where nothing is, and past the end of each row. What <c>Loss.CrossEntropy</c> takes.</summary>
    public ReadOnlySpan<int> Targets => _targets;

    /// <summary>All answers that are right after each step [N, T], as bits: 1 &lt;&lt; c is set where class c is. 0 where nothing is to be said.</summary>
    public ReadOnlySpan<uint> RightAnswers => _right;

    /// <summary>The steps at which something is to be said.</summary>
    public int TargetCount { get; }

    /// <inheritdoc/>
    public SymbolBatch TakeRows(int start, int count)
    {
        var (rows, symbols) = (new RowRange(start, count, Rows), _symbols.TakeRows(start, count));
        return new(symbols, rows.Of(_targets, symbols.Steps), rows.Of(_right, symbols.Steps), SymbolCount, ClassCount);
    }

    /// <summary>Puts sequences side by side in the order given.</summary>
    /// <param name="symbols">The symbols of each row; rows without any are allowed.</param>
    /// <param name="targets">What is to be said at each step of each row, or <see cref="TokenWindow.NoTarget"/>.</param>
    /// <param name="symbolCount">V, 1 to 32.</param>
    /// <param name="classCount">K, 1 to 32.</param>
    /// <param name="rightAnswers">All right answers of each step as bits, the target among them; null where the target is the only one.</param>
    /// <exception cref="ArgumentException">There are no rows, numbers of rows or lengths differ, or a symbol or target is out of range.</exception>
    public static SymbolBatch Pad(IReadOnlyList<int[]> symbols, IReadOnlyList<int[]> targets, int symbolCount, int classCount, IReadOnlyList<uint[]>? rightAnswers = null)
    {
        ArgumentNullException.ThrowIfNull(symbols);
        ArgumentNullException.ThrowIfNull(targets);
        CheckCount(symbolCount, nameof(symbolCount));
        CheckCount(classCount, nameof(classCount));
        if (targets.Count != symbols.Count || (rightAnswers is not null && rightAnswers.Count != symbols.Count))
        {
            throw new ArgumentException($"targets: expected {symbols.Count} rows, as many as there are rows of symbols, but got {targets.Count}{(rightAnswers is null ? string.Empty : $" and {rightAnswers.Count} of right answers")}.", nameof(targets));
        }

        var batch = SequenceBatch.Pad(symbols);
        var said = new int[batch.Rows * batch.Steps];
        var right = new uint[said.Length];
        said.AsSpan().Fill(TokenWindow.NoTarget);
        for (var row = 0; row < batch.Rows; row++)
        {
            CheckRow(row, symbols[row], targets[row], rightAnswers?[row], symbolCount, classCount);
            targets[row].CopyTo(said, row * batch.Steps);
            for (var t = 0; t < targets[row].Length; t++)
            {
                var target = targets[row][t];
                right[(row * batch.Steps) + t] = target == TokenWindow.NoTarget ? 0 : rightAnswers?[row][t] ?? (1U << target);
            }
        }

        return new(batch, said, right, symbolCount, classCount);
    }

    /// <summary>The symbols as features: [N, T, V], one at the place of the symbol and zero elsewhere and past the end of each row.</summary>
    /// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
    public Tensor<T> OneHot<T>()
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var features = Tensor<T>.Zeros(Rows, Steps, SymbolCount);
        var span = features.AsSpan();
        for (var row = 0; row < Rows; row++)
        {
            for (var i = row * Steps; i < (row * Steps) + Lengths[row]; i++)
            {
                span[(i * SymbolCount) + Tokens[i]] = T.One;
            }
        }

        return features;
    }

    /// <summary>Counts what a network says right: at a step with a target the class of the highest score is one of <see cref="RightAnswers"/>.</summary>
    /// <param name="scores">[N, T, K]: scores or probabilities of each class. A step whose highest score is not a number, or is that of two classes, is wrong.</param>
    /// <exception cref="ArgumentException">The scores have another shape.</exception>
    /// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
    public SymbolScore Score<T>(Tensor<T> scores)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(scores);
        if (scores.Rank != 3 || scores.Shape[0] != Rows || scores.Shape[1] != Steps || scores.Shape[2] != ClassCount)
        {
            throw new ArgumentException($"scores: expected [{Rows}, {Steps}, {ClassCount}], a score of each class at each step, but got {scores.Shape}.", nameof(scores));
        }

        var span = scores.AsReadOnlySpan();
        var (steps, rows) = (0, 0);
        for (var row = 0; row < Rows; row++)
        {
            var isRight = true;
            for (var i = row * Steps; i < (row + 1) * Steps; i++)
            {
                if (_targets[i] != TokenWindow.NoTarget)
                {
                    var answers = Highest(span.Slice(i * ClassCount, ClassCount));
                    var step = BitOperations.IsPow2(answers) && (answers & _right[i]) != 0;
                    steps += step ? 1 : 0;
                    isRight &= step;
                }
            }

            rows += isRight ? 1 : 0;
        }

        return new(TargetCount, steps, Rows, rows);
    }

    /// <summary>The classes of the highest score, as bits; none where one is not a number.</summary>
    private static uint Highest<T>(ReadOnlySpan<T> scores)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (best, classes) = (T.NegativeInfinity, 0U);
        for (var i = 0; i < scores.Length; i++)
        {
            if (T.IsNaN(scores[i]))
            {
                return 0;
            }

            classes = scores[i] > best ? 1U << i : scores[i] == best ? classes | (1U << i) : classes;
            best = T.Max(best, scores[i]);
        }

        return classes;
    }

    private static void CheckCount(int count, string name)
    {
        if (count is < 1 or > MaxSymbols)
        {
            throw new ArgumentOutOfRangeException(name, count, $"{name}: expected a number from 1 to {MaxSymbols} but got {count}.");
        }
    }

    private static void CheckRow(int row, int[] symbols, int[] targets, uint[]? right, int symbolCount, int classCount)
    {
        if (targets.Length != symbols.Length || (right is not null && right.Length != symbols.Length))
        {
            throw new ArgumentException(
                $"targets: expected {symbols.Length} targets in row {row}, one for each symbol, but got {targets.Length}{(right is null ? string.Empty : $" and {right.Length} sets of right answers")}.", nameof(targets));
        }

        for (var t = 0; t < symbols.Length; t++)
        {
            if ((uint)symbols[t] >= (uint)symbolCount)
            {
                throw new ArgumentException($"symbols: expected symbols from 0 to {symbolCount - 1} but got {symbols[t]} at step {t} of row {row}.", nameof(symbols));
            }

            if (targets[t] != TokenWindow.NoTarget && ((uint)targets[t] >= (uint)classCount || (right is not null && ((right[t] >> targets[t]) & 1) == 0)))
            {
                throw new ArgumentException(
                    $"targets: expected classes from 0 to {classCount - 1}, one of the right answers, or TokenWindow.NoTarget, but got {targets[t]} at step {t} of row {row}.", nameof(targets));
            }
        }
    }
}
