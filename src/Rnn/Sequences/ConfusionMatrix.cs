using System.Globalization;
using System.Numerics;
using System.Text;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>
/// Counts how often each class was predicted as which: accuracy, precision, recall and F1 follow from it. Rows are the right classes, columns the predicted ones, as in scikit-learn.
/// </summary>
/// <remarks>
/// Where a figure has nothing to divide by (precision of a class that was never predicted, recall of one that never occurs) it is 0, as in scikit-learn; the macro averages are over the classes
/// that occur or were predicted.
/// </remarks>
/// <example>
/// <code>
/// var matrix = new ConfusionMatrix(["cat", "dog"]);
/// matrix.Add(expected: 0, predicted: 1);
/// Console.WriteLine($"{matrix.Accuracy:P1}, macro F1 {matrix.MacroF1:F3}\n{matrix}");
/// </code>
/// </example>
public sealed class ConfusionMatrix
{
    private readonly long[] _counts;
    private readonly string[]? _names;

    /// <summary>An empty matrix.</summary>
    /// <param name="classes">The number of classes C.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is not positive, or C² counts are more than an array can hold.</exception>
    public ConfusionMatrix(int classes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(classes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)classes * classes, Array.MaxLength, nameof(classes));
        (Classes, _counts) = (classes, new long[classes * classes]);
    }

    /// <summary>An empty matrix of classes with names, which <see cref="ToString"/> prints.</summary>
    /// <param name="names">The name of each class.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are no names.</exception>
    public ConfusionMatrix(IReadOnlyCollection<string> names)
        : this((names ?? throw new ArgumentNullException(nameof(names))).Count) => _names = [.. names];

    /// <summary>The number of classes C.</summary>
    public int Classes { get; }

    /// <summary>The number of predictions counted.</summary>
    public long Count { get; private set; }

    /// <summary>The part of all predictions that are right; 0 where nothing was counted. Micro-averaged precision, recall and F1 are the same number.</summary>
    public double Accuracy => Ratio(Diagonal(), Count);

    /// <summary>The mean of the classes' F1, each class with the same weight.</summary>
    public double MacroF1 => Macro(F1);

    /// <summary>The mean of the classes' precision, each class with the same weight.</summary>
    public double MacroPrecision => Macro(Precision);

    /// <summary>The mean of the classes' recall, each class with the same weight: balanced accuracy, where every class occurs.</summary>
    public double MacroRecall => Macro(Recall);

    /// <summary>The mean of the classes' F1, weighted by how often each occurs.</summary>
    public double WeightedF1
    {
        get
        {
            var sum = 0.0;
            for (var i = 0; i < Classes; i++)
            {
                sum += F1(i) * Occurrences(i);
            }

            return Ratio(sum, Count);
        }
    }

    /// <summary>How often a class was predicted as another, or as itself.</summary>
    /// <param name="expected">The right class.</param>
    /// <param name="predicted">The predicted class.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class.</exception>
    public long this[int expected, int predicted] => _counts[Index(expected, predicted)];

    /// <summary>Counts one prediction.</summary>
    /// <param name="expected">The right class.</param>
    /// <param name="predicted">The predicted class.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class.</exception>
    public void Add(int expected, int predicted)
    {
        _counts[Index(expected, predicted)]++;
        Count++;
    }

    /// <summary>Counts many predictions.</summary>
    /// <param name="expected">The right classes.</param>
    /// <param name="predicted">The predicted classes, as many.</param>
    /// <param name="ignored">A right class that is not counted, such as that of padding; null for none.</param>
    /// <exception cref="ArgumentException">Their numbers differ.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class; nothing was counted.</exception>
    public void Add(ReadOnlySpan<int> expected, ReadOnlySpan<int> predicted, int? ignored = null)
    {
        if (expected.Length != predicted.Length)
        {
            throw new ArgumentException($"predicted: expected {expected.Length} classes, one for each right one, but got {predicted.Length}.", nameof(predicted));
        }

        for (var i = 0; i < expected.Length; i++)
        {
            if (expected[i] != ignored)
            {
                _ = Index(expected[i], predicted[i]);
            }
        }

        for (var i = 0; i < expected.Length; i++)
        {
            if (expected[i] != ignored)
            {
                Add(expected[i], predicted[i]);
            }
        }
    }

    /// <summary>Counts the classes with the highest scores.</summary>
    /// <param name="expected">The right classes, one for each row of scores.</param>
    /// <param name="scores">[…, C]: logits or probabilities.</param>
    /// <param name="ignored">A right class that is not counted, such as that of padding; null for none.</param>
    /// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
    /// <exception cref="ArgumentException">The sizes do not fit.</exception>
    public void Add<T>(ReadOnlySpan<int> expected, Tensor<T> scores, int? ignored = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(scores);
        if (scores.Rank == 0 || scores.Shape[^1] != Classes)
        {
            throw new ArgumentException($"scores: expected [..., {Classes}] but got {scores.Shape}; the last dimension must be Classes ({Classes}).", nameof(scores));
        }

        Add(expected, scores.ArgMax(-1), ignored);
    }

    /// <summary>Adds the counts of another matrix, such as that of another part of the data.</summary>
    /// <param name="other">A matrix of as many classes.</param>
    /// <exception cref="ArgumentException">It has another number of classes.</exception>
    public void Add(ConfusionMatrix other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other.Classes != Classes)
        {
            throw new ArgumentException($"other: expected a matrix of {Classes} classes but got {other.Classes}.", nameof(other));
        }

        for (var i = 0; i < _counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }

        Count += other.Count;
    }

    /// <summary>Of the predictions of a class the part that is right.</summary>
    /// <param name="index">The class.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class.</exception>
    public double Precision(int index) => Ratio(this[index, index], Predictions(index));

    /// <summary>Of the occurrences of a class the part that was predicted as it.</summary>
    /// <param name="index">The class.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class.</exception>
    public double Recall(int index) => Ratio(this[index, index], Occurrences(index));

    /// <summary>The harmonic mean of precision and recall of a class.</summary>
    /// <param name="index">The class.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class.</exception>
    public double F1(int index) => Ratio(2.0 * this[index, index], Predictions(index) + Occurrences(index));

    /// <summary>How often a class occurs: the sum of its row.</summary>
    /// <param name="index">The class.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class.</exception>
    public long Occurrences(int index) => Sum(Index(index, 0), 1);

    /// <summary>How often a class was predicted: the sum of its column.</summary>
    /// <param name="index">The class.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class.</exception>
    public long Predictions(int index) => Sum(Index(0, index), Classes);

    /// <summary>A table: a line for each right class with its counts and its recall, and a last line with the precision of each predicted class.</summary>
    public override string ToString()
    {
        var cells = new string[Classes + 2, Classes + 2];
        for (var i = 0; i < Classes; i++)
        {
            cells[0, i + 1] = cells[i + 1, 0] = _names?[i] ?? i.ToString(CultureInfo.InvariantCulture);
            cells[i + 1, Classes + 1] = Percent(Recall(i));
            cells[Classes + 1, i + 1] = Percent(Precision(i));
            for (var j = 0; j < Classes; j++)
            {
                cells[i + 1, j + 1] = this[i, j].ToString(CultureInfo.InvariantCulture);
            }
        }

        (cells[0, 0], cells[0, Classes + 1], cells[Classes + 1, 0], cells[Classes + 1, Classes + 1]) = (string.Empty, "recall", "precision", Percent(Accuracy));
        var widths = Enumerable.Range(0, Classes + 2).Select(column => Enumerable.Range(0, Classes + 2).Max(row => cells[row, column].Length)).ToArray();
        var text = new StringBuilder();
        for (var i = 0; i < Classes + 2; i++)
        {
            for (var j = 0; j < Classes + 2; j++)
            {
                text.Append(j == 0 ? cells[i, j].PadRight(widths[j]) : "  " + cells[i, j].PadLeft(widths[j]));
            }

            text.Append(i == Classes + 1 ? string.Empty : "\n");
        }

        return text.ToString();
    }

    private static string Percent(double value) => string.Create(CultureInfo.InvariantCulture, $"{100 * value:F1} %");

    private static double Ratio(double part, double whole) => whole == 0 ? 0 : part / whole;

    private long Diagonal() => Sum(0, Classes + 1);

    private long Sum(int first, int step)
    {
        var sum = 0L;
        for (var i = 0; i < Classes; i++)
        {
            sum += _counts[first + (i * step)];
        }

        return sum;
    }

    private double Macro(Func<int, double> figure)
    {
        var (sum, classes) = (0.0, 0);
        for (var i = 0; i < Classes; i++)
        {
            if (Occurrences(i) + Predictions(i) > 0)
            {
                sum += figure(i);
                classes++;
            }
        }

        return Ratio(sum, classes);
    }

    private int Index(int expected, int predicted)
    {
        Check(expected, nameof(expected));
        Check(predicted, nameof(predicted));
        return (expected * Classes) + predicted;
    }

    private void Check(int index, string name)
    {
        if ((uint)index >= (uint)Classes)
        {
            throw new ArgumentOutOfRangeException(name, index, $"{name}: expected a class from 0 to {Classes - 1} but got {index}.");
        }
    }
}
