using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Tests.Sequences;

public class AddingProblemTests
{
    [Theory]
    [InlineData(AddingForm.Anywhere, 2)]
    [InlineData(AddingForm.Anywhere, 3)]
    [InlineData(AddingForm.Anywhere, 37)]
    [InlineData(AddingForm.TwoHalves, 2)]
    [InlineData(AddingForm.TwoHalves, 3)]
    [InlineData(AddingForm.TwoHalves, 37)]
    public void Two_numbers_are_marked_and_the_target_is_their_sum(AddingForm form, int steps)
    {
        const int rows = 700;
        var batch = new AddingProblem<float>(steps, rows, new RandomSource(3)) { Form = form }.First();
        Assert.Equal(new Shape(rows, steps, 2), batch.Input.Shape);
        Assert.Equal(new Shape(rows, 1), batch.Targets.Shape);
        Assert.All(batch.Lengths.ToArray(), length => Assert.Equal(steps, length));
        var pairs = new HashSet<(int, int)>();
        for (var row = 0; row < rows; row++)
        {
            int[] marked = [.. Enumerable.Range(0, steps).Where(t => batch.Input[row, t, 1] == 1)];
            Assert.Equal(2, marked.Length);
            Assert.Equal(steps - 2, Enumerable.Range(0, steps).Count(t => batch.Input[row, t, 1] == 0));
            Assert.All(Enumerable.Range(0, steps), t => Assert.InRange(batch.Input[row, t, 0], 0f, 1f));
            Assert.Equal(batch.Input[row, marked[0], 0] + batch.Input[row, marked[1], 0], batch.Targets[row, 0]);
            Assert.True(form == AddingForm.Anywhere || (marked[0] < steps / 2 && marked[1] >= steps / 2));
            pairs.Add((marked[0], marked[1]));
        }

        // Every pair that may be marked is: of 2 and 3 steps all, of 37 most of 666 and of 342.
        var possible = form == AddingForm.Anywhere ? steps * (steps - 1) / 2 : steps / 2 * (steps - (steps / 2));
        Assert.InRange(pairs.Count, steps < 37 ? possible : possible / 2, possible);
    }

    [Fact]
    public void The_original_form_is_as_in_the_paper()
    {
        const int steps = 40, rows = 3000;
        var batch = new AddingProblem<double>(steps, rows, new RandomSource(4)) { Form = AddingForm.Original }.First();
        var (lengths, first, second) = (new HashSet<int>(), new HashSet<int>(), new HashSet<int>());
        for (var row = 0; row < rows; row++)
        {
            var length = batch.Lengths[row];
            lengths.Add(length);
            Assert.Equal(-1, batch.Input[row, 0, 1]);
            Assert.Equal(-1, batch.Input[row, length - 1, 1]);
            Assert.All(Enumerable.Range(0, length), t => Assert.InRange(batch.Input[row, t, 0], -1, 1));
            Assert.All(Enumerable.Range(length, batch.Input.Shape[1] - length), t => Assert.Equal((0, 0), (batch.Input[row, t, 0], batch.Input[row, t, 1])));
            int[] marked = [.. Enumerable.Range(1, length - 2).Where(t => batch.Input[row, t, 1] == 1)];
            Assert.Equal(length - 2 - marked.Length, Enumerable.Range(1, length - 2).Count(t => batch.Input[row, t, 1] == 0));

            // A mark at the first step is not seen: then there is one alone.
            Assert.InRange(marked.Length, 1, 2);
            Assert.InRange(marked[0], 1, 18);
            first.Add(marked.Length == 2 ? marked[0] : 0);
            second.Add(marked[^1]);
            Assert.Equal(0.5 + (marked.Sum(t => batch.Input[row, t, 0]) / 4), batch.Targets[row, 0], 1e-12);
        }

        Assert.Equal(Enumerable.Range(40, 5), lengths.Order());
        Assert.Equal(18, second.Max());
        Assert.Contains(0, first);
        Assert.InRange(first.Max(), 9, 17);
    }

    [Theory]
    [InlineData(AddingForm.Anywhere, null)]
    [InlineData(AddingForm.TwoHalves, null)]
    [InlineData(AddingForm.Original, null)]
    [InlineData(AddingForm.Anywhere, new[] { 1.0, 2, 5 })]
    [InlineData(AddingForm.Original, new[] { 1.0, 2, 5 })]
    public void The_baseline_is_the_variance_of_the_targets(AddingForm form, double[]? numbers)
    {
        var problem = new AddingProblem<double>(24, 60_000, new RandomSource(5)) { Form = form, Numbers = numbers };
        var targets = problem.First().Targets.ToArray();
        var mean = targets.Average();
        var variance = targets.Average(target => (target - mean) * (target - mean));
        Assert.Equal(problem.Baseline, variance, 0.03 * problem.Baseline);
        if (form != AddingForm.Original && numbers is null)
        {
            Assert.Equal(1.0 / 6, problem.Baseline, 1e-15);
            Assert.Equal(1, mean, 0.01);
        }
    }

    [Fact]
    public void Numbers_may_be_given()
    {
        var batch = new AddingProblem<float>(17, 37, new RandomSource(1)) { Numbers = [0.25, 3] }.First();
        Assert.Equal([0.25f, 3f], Enumerable.Range(0, 37 * 17).Select(i => batch.Input[i / 17, i % 17, 0]).Distinct().Order());
        Assert.Equal([0.5f, 3.25f, 6f], batch.Targets.ToArray().Distinct().Order());
    }

    [Fact]
    public void Wrong_settings_are_refused()
    {
        Assert.Contains("steps: expected 2 or more but got 1", Assert.Throws<ArgumentOutOfRangeException>(() => new AddingProblem<float>(1, 3)).Message, StringComparison.Ordinal);
        Assert.Contains("batchSize: expected 1 or more but got 0", Assert.Throws<ArgumentOutOfRangeException>(() => new AddingProblem<float>(5, 0)).Message, StringComparison.Ordinal);
        Assert.Contains("needs 24 steps or more but there are 23", Assert.Throws<ArgumentOutOfRangeException>(() => new AddingProblem<float>(23, 1) { Form = AddingForm.Original }).Message, StringComparison.Ordinal);
        Assert.Contains("expected an AddingForm but got 7", Assert.Throws<ArgumentOutOfRangeException>(() => new AddingProblem<float>(23, 1) { Form = (AddingForm)7 }).Message, StringComparison.Ordinal);
        Assert.Contains("one finite number or more but got 0", Assert.Throws<ArgumentException>(() => new AddingProblem<float>(23, 1) { Numbers = [] }).Message, StringComparison.Ordinal);
        Assert.Contains("of which 1 are not finite", Assert.Throws<ArgumentException>(() => new AddingProblem<float>(23, 1) { Numbers = [1, double.NaN] }).Message, StringComparison.Ordinal);
    }
}
