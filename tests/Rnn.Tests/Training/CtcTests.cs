using System.Numerics;
using Rnn.Kernels;
using Rnn.Tensors;
using Rnn.Tests.Oracles;
using Rnn.Training;

namespace Rnn.Tests.Training;

public sealed class CtcTests
{
    // Labels by letters: a is class 0. Equal neighbours, empty ones, too long ones.
    [Theory]
    [InlineData(1, 2, 0)]
    [InlineData(3, 3, 0)]
    [InlineData(4, 4, 2)]
    [InlineData(5, 3, 2)]
    [InlineData(6, 4, 1)]
    [InlineData(3, 1, 0)]
    public void Loss_and_gradient_are_those_of_all_ways_one_by_one(int steps, int classes, int blank)
    {
        var scores = Scores(new RandomSource(3), steps, classes);
        foreach (var labels in Labellings(steps, classes, blank))
        {
            var (loss, gradient) = CtcOracle.Loss(scores, classes, blank, labels);
            var logits = Tensor([scores], steps, classes);
            var result = Loss.Ctc(logits, [labels], options: new() { Blank = blank, Reduction = LossReduction.Sum });
            result.Backward();
            Assert.Equal(loss, result.Item(), 1e-10);
            AssertClose([.. gradient.SelectMany(row => row)], logits.Gradient!.ToArray(), 1e-10);
        }
    }

    [Theory]
    [InlineData(LossReduction.Mean)]
    [InlineData(LossReduction.Sum)]
    [InlineData(LossReduction.SumOverStepsMeanOverRows)]
    [InlineData(LossReduction.SumOverFeaturesMeanOverSteps)]
    public void Ragged_rows_count_by_their_labels_or_alike(LossReduction reduction)
    {
        const int Classes = 4;
        var random = new RandomSource(5);
        int[] lengths = [5, 0, 3, 1, 4, 2];
        int[][] targets = [[1, 1, 3], [], [2], [], [], [3, 1]];
        var scores = lengths.Select(length => Scores(random, length, Classes)).ToArray();
        var divisor = reduction switch
        {
            LossReduction.Sum => 1.0,
            LossReduction.SumOverStepsMeanOverRows => 6,
            _ => 3 + 1 + 1 + 1 + 1 + 2,
        };
        var all = scores.Zip(targets, (row, target) => CtcOracle.Loss(row, Classes, 0, target)).ToArray();
        var logits = Tensor(scores, 5, Classes);
        var loss = Loss.Ctc(logits, targets, lengths, new() { Reduction = reduction });
        loss.Backward();
        Assert.Equal(all.Sum(row => row.Loss) / divisor, loss.Item(), 1e-12);
        for (var row = 0; row < 6; row++)
        {
            double[] right = [.. all[row].Gradient.SelectMany(step => step).Select(value => value / divisor), .. new double[(5 - lengths[row]) * Classes]];
            AssertClose(right, logits.Gradient!.ToArray()[(row * 5 * Classes)..((row + 1) * 5 * Classes)], 1e-12);
        }
    }

    [Fact]
    public void Gradients_are_those_of_finite_differences_and_are_added()
    {
        var logits = Tensor<double>.RandomNormal(new RandomSource(1), 0, 2, 3, 17, 5);
        int[][] targets = [[1, 2, 2, 4], [3, 3, 3, 3, 3, 1], [4]];
        Tensor<double> Function() => (Loss.Ctc(logits, targets, [17, 13, 1], new() { Reduction = LossReduction.Sum }) * 0.7) + logits.Slice(.., ..1).Square().Sum();
        var check = GradientCheck.Run(Function, [("logits", logits)]);
        Assert.True(check.Passed, check.ToString());
    }

    [Theory]
    [InlineData(InfeasibleTargets.Infinity)]
    [InlineData(InfeasibleTargets.LeftOut)]
    public void Targets_that_cannot_be_cost_infinity_or_nothing_and_move_nothing(InfeasibleTargets infeasible)
    {
        Check<float>();
        Check<double>();

        void Check<T>()
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            // Two labels in one step; two equal ones without a blank between them; one in no step; the third row can be.
            var logits = Tensor<T>.RandomNormal(new RandomSource(2), 0, 1, 4, 2, 3);
            logits.RequiresGradient = true;
            var loss = Loss.Ctc(logits, [[1, 2], [1, 1], [1, 2], [2]], [1, 2, 2, 0], new() { InfeasibleTargets = infeasible });
            loss.Backward();
            var alone = logits.Detach().Slice(2..3).Clone();
            alone.RequiresGradient = true;
            var right = Loss.Ctc(alone, [[1, 2]]);
            right.Backward();
            Assert.Equal(infeasible == InfeasibleTargets.Infinity ? T.PositiveInfinity : right.Item(), loss.Item());
            var (gradient, of) = (logits.Gradient!.ToArray(), alone.Gradient!.ToArray());
            Assert.All([.. gradient[..12], .. gradient[18..]], value => Assert.Equal(T.Zero, value));

            // With the others the labels are seven, alone two.
            var share = infeasible == InfeasibleTargets.Infinity ? 2 / 7.0 : 1;
            Assert.Equal(of.Select(value => double.CreateTruncating(value) * share), gradient[12..18].Select(double.CreateTruncating), (x, y) => Math.Abs(x - y) < 1e-6);
        }
    }

    [Fact]
    public void A_batch_in_which_nothing_counts_costs_nothing()
    {
        var logits = Tensor<float>.Zeros(2, 1, 3);
        logits.RequiresGradient = true;
        var loss = Loss.Ctc(logits, [[1, 2], [1, 1]], options: new() { InfeasibleTargets = InfeasibleTargets.LeftOut });
        loss.Backward();
        Assert.Equal(0, loss.Item());
        Assert.All(logits.Gradient!.ToArray(), value => Assert.Equal(0, value));
        Assert.Equal(0, Loss.Ctc(Tensor<float>.Zeros(0, 3, 2), []).Item());
        Assert.Equal(0, Loss.Ctc(Tensor<float>.Zeros(2, 0, 2), [[], []]).Item());
    }

    // A logit of −∞ is a class that cannot be: ways through it count nothing, and labels that need it cannot be.
    [Fact]
    public void Impossible_classes_are_never_NaN()
    {
        var logits = Tensor<double>.From([0.5, double.NegativeInfinity, 1, 0, 0.3, 2, 1, 0.1, double.NegativeInfinity], 1, 3, 3);
        logits.RequiresGradient = true;
        var scores = Rows(logits, 3, 3);
        var (expected, gradient) = CtcOracle.Loss(scores, 3, 0, [1]);
        var loss = Loss.Ctc(logits, [[1]]);
        loss.Backward();
        Assert.Equal(expected, loss.Item(), 1e-12);
        AssertClose([.. gradient.SelectMany(row => row)], logits.Gradient!.ToArray(), 1e-12);

        logits.ZeroGradient();
        var impossible = Loss.Ctc(logits, [[1, 2, 1]]);
        impossible.Backward();
        Assert.Equal(double.PositiveInfinity, impossible.Item());
        Assert.All(logits.Gradient!.ToArray(), value => Assert.Equal(0, value));
        Assert.Equal(0, Loss.Ctc(logits, [[1, 2, 1]], options: new() { InfeasibleTargets = InfeasibleTargets.LeftOut }).Item());
    }

    [Fact]
    public void What_lies_past_the_end_of_a_row_is_not_read_and_what_counts_shows_its_NaN()
    {
        var logits = Tensor<float>.Zeros(1, 3, 2);
        logits[0, 2, 1] = float.NaN;
        logits.RequiresGradient = true;
        var loss = Loss.Ctc(logits, [[1]], [2]);
        loss.Backward();
        Assert.Equal(-Math.Log(0.75), loss.Item(), 1e-6);
        Assert.All(logits.Gradient!.ToArray(), value => Assert.True(float.IsFinite(value)));
        Assert.True(float.IsNaN(Loss.Ctc(logits, [[1]]).Item()));
    }

    // With equal scores p is the number of ways over C^L; a target of as many labels as there are steps, all different, has one way.
    [Fact]
    public void Long_rows_do_not_underflow()
    {
        const int Steps = 2000;
        const int Classes = 37;
        var logits = Tensor<double>.Zeros(1, Steps, Classes);
        logits.RequiresGradient = true;
        int[] all = [.. Enumerable.Range(0, Steps).Select(t => 1 + (t % 36))];
        Assert.Equal(Steps * Math.Log(Classes), Loss.Ctc(logits, [all], options: new() { Reduction = LossReduction.Sum }).Item(), 1e-7);

        // One label: it stands somewhere for a stretch, L(L + 1)/2 ways.
        Assert.Equal((Steps * Math.Log(Classes)) - Math.Log(Steps * (Steps + 1) / 2.0), Loss.Ctc(logits, [[5]]).Item(), 1e-7);

        // Extreme scores in single precision, and many labels: gradients of each step add to zero.
        var loud = Tensor<float>.RandomNormal(new RandomSource(4), 0, 1e4, 1, Steps, Classes);
        loud.RequiresGradient = true;
        var loss = Loss.Ctc(loud, [all[..700]], options: new() { Reduction = LossReduction.Sum });
        loss.Backward();
        Assert.True(float.IsFinite(loss.Item()) && loss.Item() > 1e6, $"{loss.Item()}");
        foreach (var step in loud.Gradient!.ToArray().Chunk(Classes))
        {
            Assert.All(step, value => Assert.InRange(value, -1.0001, 1.0001));
            Assert.Equal(0, step.Sum(value => (double)value), 1e-5);
        }
    }

    [Fact]
    public void Single_precision_gives_nearly_the_same()
    {
        var (logits, targets) = Large<double>(9, 150, 29);
        var single = Tensor<float>.From(Array.ConvertAll(logits.ToArray(), value => (float)value), 9, 150, 29);
        single.RequiresGradient = true;
        var (loss, rounded) = (Loss.Ctc(logits, targets), Loss.Ctc(single, targets));
        loss.Backward();
        rounded.Backward();
        Assert.Equal(1, rounded.Item() / loss.Item(), 1e-6);
        AssertClose(logits.Gradient!.ToArray(), Array.ConvertAll(single.Gradient!.ToArray(), value => (double)value), 1e-7);
    }

    [Fact]
    public void The_number_of_threads_changes_no_bit()
    {
        var before = Workers.MaxThreads;
        try
        {
            var results = new List<(float Loss, float[] Gradient)>();
            foreach (var threads in new[] { 1, 2, 3, 8 })
            {
                Workers.MaxThreads = threads;
                var (logits, targets) = Large<float>(17, 60, 11);
                var loss = Loss.Ctc(logits, targets);
                loss.Backward();
                results.Add((loss.Item(), logits.Gradient!.ToArray()));
            }

            Assert.All(results, result => Assert.Equal(results[0].Loss, result.Loss));
            Assert.All(results, result => Assert.Equal(results[0].Gradient, result.Gradient));
        }
        finally
        {
            Workers.MaxThreads = before;
        }
    }

    // What targets held when the loss was recorded counts, not what they are made into before the backward pass.
    [Fact]
    public void Targets_and_lengths_are_copied()
    {
        var (logits, targets) = Large<double>(3, 20, 5);
        int[] lengths = [20, 18, 20];
        Loss.Ctc(logits, targets, lengths).Backward();
        var right = logits.Gradient!.ToArray();
        logits.ZeroGradient();
        var loss = Loss.Ctc(logits, targets, lengths);
        (targets[0][0], lengths[1]) = (targets[0][0] == 1 ? 2 : 1, 1);
        loss.Backward();
        Assert.Equal(right, logits.Gradient!.ToArray());
    }

    [Fact]
    public void Wrong_inputs_are_named()
    {
        var logits = Tensor<float>.Zeros(2, 3, 4);
        Refuses("logits: expected [batch, steps, classes] with one class or more but got [2, 3]", () => Loss.Ctc(Tensor<float>.Zeros(2, 3), [[], []]));
        Refuses("logits: expected [batch, steps, classes] with one class or more but got [2, 3, 0]", () => Loss.Ctc(Tensor<float>.Zeros(2, 3, 0), [[], []]));
        Refuses("targets: expected 2 targets, one for each row of logits [2, 3, 4], but got 1", () => Loss.Ctc(logits, [[]]));
        Refuses("targets: expected labels from 0 to 3 without the blank (0) but row 1 has 0 at index 1", () => Loss.Ctc(logits, [[], [1, 0]]));
        Refuses("row 0 has 4 at index 0", () => Loss.Ctc(logits, [[4], []]));
        Refuses("row 0 has -1 at index 0", () => Loss.Ctc(logits, [[-1], []]));
        Refuses("Blank: expected one of the 4 classes of logits [2, 3, 4] but got 4", () => Loss.Ctc(logits, [[], []], options: new() { Blank = 4 }));
        Refuses("lengths: expected 2 lengths", () => Loss.Ctc(logits, [[], []], [1]));
        Refuses("lengths: expected 0 to 3 steps but row 1 has 4", () => Loss.Ctc(logits, [[], []], [1, 4]));
        Refuses("Blank: expected 0 or more but got -1", () => new CtcOptions { Blank = -1 });
        Refuses("InfeasibleTargets: expected Infinity or LeftOut but got 7", () => new CtcOptions { InfeasibleTargets = (InfeasibleTargets)7 });
        Refuses("Reduction: expected one of the reductions", () => new CtcOptions { Reduction = (LossReduction)7 });
        Assert.Throws<ArgumentNullException>(() => Loss.Ctc(logits, null!));
        Assert.Throws<ArgumentNullException>(() => Loss.Ctc(logits, [[], null!]));
        Assert.Throws<ArgumentNullException>(() => Loss.Ctc<float>(null!, []));

        static void Refuses(string message, Action action) => Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(action).Message, StringComparison.Ordinal);
    }

    private static IEnumerable<int[]> Labellings(int steps, int classes, int blank)
    {
        int[] labels = [.. Enumerable.Range(0, classes).Where(label => label != blank)];
        for (var length = 0; length <= Math.Min(3, steps + 1); length++)
        {
            foreach (var choice in CtcOracle.Paths(length, Math.Max(1, labels.Length)))
            {
                if (length == 0 || labels.Length > 0)
                {
                    yield return Array.ConvertAll(choice, index => labels[index]);
                }
            }
        }
    }

    private static double[][] Scores(RandomSource random, int steps, int classes) =>
        [.. Enumerable.Range(0, steps).Select(_ => Enumerable.Range(0, classes).Select(_ => 1.5 * random.NextNormal()).ToArray())];

    private static Tensor<double> Tensor(double[][][] rows, int steps, int classes)
    {
        // What is past the end of a row is NaN.
        double[] values = [.. rows.SelectMany(row => row.SelectMany(step => step).Concat(Enumerable.Repeat(double.NaN, (steps - row.Length) * classes)))];
        var tensor = Tensor<double>.From(values, rows.Length, steps, classes);
        tensor.RequiresGradient = true;
        return tensor;
    }

    private static double[][] Rows(Tensor<double> logits, int steps, int classes) => [.. logits.ToArray().Chunk(classes).Take(steps)];

    private static (Tensor<T> Logits, int[][] Targets) Large<T>(int rows, int steps, int classes)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var random = new RandomSource(6);
        int[][] targets = [.. Enumerable.Range(0, rows).Select(row => Enumerable.Range(0, (row * 7) % (steps / 2)).Select(_ => 1 + random.Next(classes - 1)).ToArray())];
        targets[0] = [1, 2, 3];
        var logits = Tensor<T>.RandomNormal(random, 0, 2, rows, steps, classes);
        logits.RequiresGradient = true;
        return (logits, targets);
    }

    private static void AssertClose(double[] expected, double[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], actual[i], tolerance);
        }
    }
}
