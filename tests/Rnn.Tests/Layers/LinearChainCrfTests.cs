using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Layers;

public sealed class LinearChainCrfTests
{
    private const int Tags = 3;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void The_likelihood_is_that_of_all_tag_sequences_counted(int steps)
    {
        var (crf, scores) = Make<double>(rows: 2, steps);
        var right = RandomTags(2 * steps);
        var loss = crf.NegativeLogLikelihood(scores, right);
        for (var row = 0; row < 2; row++)
        {
            var all = Sequences(steps).Select(tags => Score(crf, scores, row, tags)).ToArray();
            var total = Math.Log(all.Sum(Math.Exp));
            Assert.Equal(total - Score(crf, scores, row, right.AsSpan(row * steps, steps).ToArray()), loss[row], 12);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void The_best_sequence_is_that_of_all(int steps)
    {
        var (crf, scores) = Make<double>(rows: 3, steps);
        var found = crf.Decode(scores);
        for (var row = 0; row < 3; row++)
        {
            Assert.Equal(Sequences(steps).MaxBy(tags => Score(crf, scores, row, tags))!, found[row]);
        }
    }

    [Fact]
    public void Marginals_are_the_shares_of_the_sequences_with_a_tag()
    {
        var (crf, scores) = Make<double>(rows: 1, steps: 4);
        var marginals = crf.Marginals(scores);
        var all = Sequences(4).Select(tags => (Tags: tags, Weight: Math.Exp(Score(crf, scores, 0, tags)))).ToArray();
        for (var t = 0; t < 4; t++)
        {
            for (var tag = 0; tag < Tags; tag++)
            {
                Assert.Equal(all.Where(pair => pair.Tags[t] == tag).Sum(pair => pair.Weight) / all.Sum(pair => pair.Weight), marginals[0, t, tag], 12);
            }
        }
    }

    [Fact]
    public void Gradients_are_those_of_finite_differences()
    {
        var (crf, scores) = Make<double>(rows: 4, steps: 5);
        var (tags, lengths) = (RandomTags(20), new[] { 5, 0, 3, 1 });
        scores.RequiresGradient = true;
        var weights = Tensor<double>.From([0.3, 2, -1, 0.7], 4);
        var check = GradientCheck.Run(() => (crf.NegativeLogLikelihood(scores, tags, lengths) * weights).Sum(), [("scores", scores), .. crf.NamedParameters.Select(pair => (pair.Key, pair.Value.Value))]);
        Assert.True(check.Passed, check.ToString());
    }

    [Fact]
    public void Rows_with_lengths_are_as_rows_alone_and_what_lies_past_them_is_not_read()
    {
        var (crf, scores) = Make<double>(rows: 2, steps: 5);
        var tags = RandomTags(10);
        scores[0, 3, 1] = double.NaN;
        (tags[3], tags[4]) = (-7, 99);
        var loss = crf.NegativeLogLikelihood(scores, tags, [3, 5]);
        var alone = crf.NegativeLogLikelihood(scores.Slice(..1, ..3), tags.AsSpan(0, 3));
        Assert.Equal(alone[0], loss[0]);
        Assert.Equal(crf.Decode(scores.Slice(..1, ..3))[0], crf.Decode(scores, [3, 5])[0]);
        Assert.Equal(crf.Marginals(scores.Slice(..1, ..3)).ToArray(), crf.Marginals(scores, [3, 5]).ToArray()[..9]);
        Assert.All(crf.Marginals(scores, [3, 5]).ToArray()[9..15], value => Assert.Equal(0, value));
    }

    [Fact]
    public void A_row_without_steps_costs_nothing_and_has_no_tags()
    {
        var (crf, scores) = Make<float>(rows: 1, steps: 2);
        Assert.Equal(0, crf.NegativeLogLikelihood(scores, [0, 0], [0])[0]);
        Assert.Empty(crf.Decode(scores, [0])[0]);
    }

    [Fact]
    public void Large_scores_lose_nothing_and_impossible_transitions_are_never_taken()
    {
        var crf = new LinearChainCrf<double>(2);
        using (var edit = crf.Transitions.Value.Edit())
        {
            (edit.Span[0], edit.Span[1]) = (double.NegativeInfinity, 900);
        }

        var scores = Tensor<double>.From([1000, -1000, 1000, -1000.0], 1, 2, 2);

        // 0 → 1: 1000 + 900 − 1000 = 900; 1 → 0: 0; 1 → 1: −2000; 0 → 0 cannot be.
        Assert.Equal(0, crf.NegativeLogLikelihood(scores, [0, 1])[0], 9);
        Assert.Equal(900, crf.NegativeLogLikelihood(scores, [1, 0])[0], 9);
        Assert.Equal([0, 1], crf.Decode(scores)[0]);
        Assert.All(crf.Marginals(scores).ToArray(), value => Assert.True(double.IsFinite(value)));
    }

    [Fact]
    public void It_is_saved_and_opened()
    {
        var (crf, scores) = Make<float>(rows: 2, steps: 4);
        using var stream = new MemoryStream();
        crf.Save(stream);
        stream.Position = 0;
        var opened = Assert.IsType<LinearChainCrf<float>>(Module<float>.Open(stream));
        Assert.Equal(crf.NegativeLogLikelihood(scores, new int[8]).ToArray(), opened.NegativeLogLikelihood(scores, new int[8]).ToArray());
    }

    [Fact]
    public void It_learns_which_tag_follows_which()
    {
        // The scores say nothing; tags go 0, 1, 2, 0, …
        var crf = new LinearChainCrf<float>(3);
        var optimizer = new Adam<float>(crf.Parameters) { LearningRate = 0.1 };
        var scores = Tensor<float>.Zeros(1, 9, 3);
        int[] tags = [0, 1, 2, 0, 1, 2, 0, 1, 2];
        for (var step = 0; step < 200; step++)
        {
            crf.NegativeLogLikelihood(scores, tags).Sum().Backward();
            optimizer.Step();
            optimizer.ZeroGradients();
        }

        Assert.Equal(tags, crf.Decode(scores)[0]);
        Assert.InRange(crf.NegativeLogLikelihood(scores, tags)[0], 0, 0.1f);
    }

    [Fact]
    public void Wrong_inputs_are_named()
    {
        var (crf, scores) = Make<float>(rows: 2, steps: 3);
        Assert.Contains("scores: expected [batch, steps, 3]", Assert.Throws<ArgumentException>(() => crf.Decode(Tensor<float>.Zeros(2, 3, 4))).Message);
        Assert.Contains("expected 6 tags", Assert.Throws<ArgumentException>(() => crf.NegativeLogLikelihood(scores, [0])).Message);
        Assert.Contains("row 1 has 3 at step 0", Assert.Throws<ArgumentException>(() => crf.NegativeLogLikelihood(scores, [0, 0, 0, 3, 0, 0])).Message);
        Assert.Contains("0 to 3 steps", Assert.Throws<ArgumentOutOfRangeException>(() => crf.Decode(scores, [1, 4])).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new LinearChainCrf<float>(0));
    }

    private static (LinearChainCrf<T> Crf, Tensor<T> Scores) Make<T>(int rows, int steps)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (crf, random) = (new LinearChainCrf<T>(Tags), new RandomSource(5));
        foreach (var parameter in crf.Parameters)
        {
            Tensor<T>.RandomNormal(random, 0, 1, [.. parameter.Shape.Dimensions]).CopyTo(parameter.Value);
        }

        return (crf, Tensor<T>.RandomNormal(random, 0, 1, rows, steps, Tags));
    }

    private static int[] RandomTags(int count)
    {
        var random = new RandomSource(6);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(Tags))];
    }

    private static IEnumerable<int[]> Sequences(int steps) => steps == 0
        ? [[]]
        : Sequences(steps - 1).SelectMany(tags => Enumerable.Range(0, Tags).Select(tag => tags.Append(tag).ToArray()));

    private static double Score(LinearChainCrf<double> crf, Tensor<double> scores, int row, int[] tags)
    {
        var sum = crf.Start.Value[tags[0]] + crf.End.Value[tags[^1]];
        for (var t = 0; t < tags.Length; t++)
        {
            sum += scores[row, t, tags[t]] + (t > 0 ? crf.Transitions.Value[tags[t - 1], tags[t]] : 0);
        }

        return sum;
    }
}
