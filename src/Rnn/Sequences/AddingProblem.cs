using System.Globalization;
using System.Numerics;
using Rnn.Formats;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>
/// The adding problem: at each step come a number and a mark, and two steps are marked. After the last step the network is to say the sum of the two marked numbers, so it has to keep a number over many steps and to pass by
/// all the others.
/// </summary>
/// <remarks>
/// Hochreiter and Schmidhuber, "Long Short-Term Memory" (1997), experiment 4, which is <see cref="AddingForm.Original"/>; with numbers from 0 to 1 in Le, Jaitly and Hinton (2015, arXiv:1504.00941), Arjovsky, Shah and
/// Bengio (2016, arXiv:1511.06464) and Bai, Kolter and Koltun (2018, arXiv:1803.01271).
/// </remarks>
/// <example>
/// <code>
/// var task = new AddingProblem&lt;float&gt;(steps: 100, batchSize: 32, new RandomSource(1));
/// await trainer.FitAsync(task, batch => Loss.MeanSquaredError(model.Forward(batch.Input, batch.Lengths).Last, batch.Targets));
/// </code>
/// </example>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public sealed class AddingProblem<T> : GeneratedSource<AddingBatch<T>>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Of the original form: the first mark stands in one of so many steps.
    private const int FirstMarks = 10;
    private const int LeastOriginal = 2 * (FirstMarks + 2);

    private readonly double[]? _numbers;

    /// <summary>Sequences of the adding problem.</summary>
    /// <param name="steps">T, 2 or more.</param>
    /// <param name="batchSize">N, the rows of a batch.</param>
    /// <param name="random">Where the sequences come from; null for the next seed of the process.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is too small.</exception>
    public AddingProblem(int steps, int batchSize, RandomSource? random = null)
        : base(random) => (Steps, BatchSize) = (OptionRange.AtLeast(2, steps, nameof(steps)), OptionRange.AtLeast(1, batchSize, nameof(batchSize)));

    /// <summary>T; sequences of <see cref="AddingForm.Original"/> are up to a tenth longer.</summary>
    public int Steps { get; }

    /// <summary>N, the rows of a batch.</summary>
    public int BatchSize { get; }

    /// <summary>Where the marks stand and what numbers there are; <see cref="AddingForm.Anywhere"/> by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is none of the enumeration, or the original form has fewer than 24 steps.</exception>
    public AddingForm Form
    {
        get;
        init => field = !Enum.IsDefined(value) ? throw new ArgumentOutOfRangeException(nameof(Form), value, $"Form: expected an {nameof(AddingForm)} but got {value}.")
            : value == AddingForm.Original && Steps < LeastOriginal ? throw new ArgumentOutOfRangeException(nameof(Form), value, $"Form: the original form needs {LeastOriginal} steps or more but there are {Steps}.")
            : value;
    }

    /// <summary>The numbers to draw from, each equally likely, in place of all numbers of the range of the form; null for those.</summary>
    /// <exception cref="ArgumentException">There are none, or one is not finite.</exception>
    public IReadOnlyList<double>? Numbers
    {
        get => _numbers;
        init => _numbers = value is null || (value.Count > 0 && value.All(double.IsFinite))
            ? value?.ToArray()
            : throw new ArgumentException($"Numbers: expected one finite number or more but got {value.Count}, of which {value.Count(number => !double.IsFinite(number))} are not finite.", nameof(value));
    }

    /// <summary>
    /// The mean squared error of who always says the mean: the variance of the targets. 1/6 for numbers evenly from 0 to 1, whose sum has the mean 1.
    /// </summary>
    public double Baseline
    {
        get
        {
            var (mean, square) = _numbers is null
                ? Form == AddingForm.Original ? (0, 1.0 / 3) : (0.5, 1.0 / 3)
                : (_numbers.Average(), _numbers.Average(number => number * number));
            if (Form != AddingForm.Original)
            {
                return 2 * (square - (mean * mean));
            }

            // One of the two numbers is taken as 0 with the probability p that its mark stands at the first step.
            var p = 1.0 / FirstMarks;
            p += (1 - p) / ((Steps / 2) - 2);
            return (((2 - p) * square) + (2 * (1 - p) * mean * mean) - Math.Pow((2 - p) * mean, 2)) / 16;
        }
    }

    /// <inheritdoc/>
    protected override string Settings
    {
        get
        {
            var hash = new Fingerprint();
            hash.Add<double>(_numbers);
            return string.Create(CultureInfo.InvariantCulture, $"{Form}, {Steps} steps, {BatchSize} rows{(_numbers is null ? string.Empty : $", {_numbers.Length} numbers ({hash})")}");
        }
    }

    /// <inheritdoc/>
    protected override AddingBatch<T> Make(RandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        var lengths = new int[BatchSize];
        var longest = Form == AddingForm.Original ? Steps + (Steps / 10) : Steps;
        foreach (ref var length in lengths.AsSpan())
        {
            length = random.Next(Steps, longest + 1);
        }

        var (input, targets) = (Tensor<T>.Zeros(BatchSize, lengths.Max(), 2), Tensor<T>.Zeros(BatchSize, 1));
        var width = input.Shape[1] * 2;
        for (var row = 0; row < BatchSize; row++)
        {
            targets.AsSpan()[row] = MakeRow(random, input.AsSpan().Slice(row * width, lengths[row] * 2));
        }

        return new(input, lengths, targets);
    }

    private T MakeRow(RandomSource random, Span<T> row)
    {
        var original = Form == AddingForm.Original;
        for (var i = 0; i < row.Length; i += 2)
        {
            row[i] = T.CreateTruncating(_numbers is not null ? _numbers[random.Next(_numbers.Length)] : original ? (2 * random.NextDouble()) - 1 : random.NextDouble());
        }

        var (first, second) = ChooseMarks(random);
        row[(first * 2) + 1] = row[(second * 2) + 1] = T.One;
        if (!original)
        {
            return row[first * 2] + row[second * 2];
        }

        // The ends are marked by −1, so a number at the first step cannot be seen as a marked one.
        row[1] = row[^1] = T.NegativeOne;
        var sum = (first == 0 ? T.Zero : row[first * 2]) + (second == 0 ? T.Zero : row[second * 2]);
        return T.CreateTruncating(0.5) + (sum / T.CreateTruncating(4));
    }

    private (int First, int Second) ChooseMarks(RandomSource random)
    {
        if (Form == AddingForm.TwoHalves)
        {
            return (random.Next(Steps / 2), random.Next(Steps / 2, Steps));
        }

        var first = random.Next(Form == AddingForm.Original ? FirstMarks : Steps);
        var second = random.Next(Form == AddingForm.Original ? (Steps / 2) - 2 : Steps - 1);
        return (first, second + (second >= first ? 1 : 0));
    }
}
