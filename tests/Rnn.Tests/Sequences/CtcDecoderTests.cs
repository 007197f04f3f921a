using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Tests.Oracles;
using Rnn.Training;

namespace Rnn.Tests.Sequences;

public sealed class CtcDecoderTests
{
    [Theory]
    [InlineData(1, 2, 0)]
    [InlineData(3, 3, 1)]
    [InlineData(4, 4, 0)]
    [InlineData(5, 3, 2)]
    [InlineData(6, 3, 0)]
    public void A_beam_of_all_prefixes_finds_every_labelling_with_its_probability(int steps, int classes, int blank)
    {
        for (var seed = 0; seed < 10; seed++)
        {
            var logits = Tensor<double>.RandomNormal(new RandomSource((ulong)seed), 0, 1.5, 1, steps, classes);
            var right = CtcOracle.Labellings([.. logits.ToArray().Chunk(classes)], classes, blank);
            var found = CtcDecoder.BeamSearch(logits, width: 100_000, blank: blank)[0];
            Assert.Equal(right.Count, found.Length);
            Assert.Equal(right.OrderByDescending(pair => pair.Value).Select(pair => pair.Key), found.Select(hypothesis => CtcOracle.Text(hypothesis.Labels)));
            Assert.All(found, hypothesis => Assert.Equal(Math.Log(right[CtcOracle.Text(hypothesis.Labels)]), hypothesis.LogProbability, 1e-10));
        }
    }

    // What a narrow beam leaves behind is missing: no probability is larger than the true one.
    [Fact]
    public void A_narrow_beam_gives_a_lower_bound_and_no_labels_twice()
    {
        var logits = Tensor<float>.RandomNormal(new RandomSource(7), 0, 1.5f, 3, 37, 5);
        foreach (var width in new[] { 1, 2, 3, 17, 64 })
        {
            var found = CtcDecoder.BeamSearch(logits, [37, 0, 17], width);
            for (var row = 0; row < 3; row++)
            {
                Assert.InRange(found[row].Length, 1, width);
                Assert.Equal(found[row].Length, found[row].Select(hypothesis => CtcOracle.Text(hypothesis.Labels)).Distinct().Count());
                Assert.Equal(found[row].OrderByDescending(hypothesis => hypothesis.LogProbability), found[row]);
                Assert.All(found[row], hypothesis => Assert.InRange(hypothesis.LogProbability, double.NegativeInfinity, LogProbability(row, hypothesis.Labels) + 1e-4));
            }

            Assert.Empty(Assert.Single(found[1]).Labels);
            Assert.Equal(0, found[1][0].LogProbability);
        }

        double LogProbability(int row, int[] labels) =>
            -Loss.Ctc(logits.Slice(row..(row + 1)), [labels], [new[] { 37, 0, 17 }[row]], new() { Reduction = LossReduction.Sum }).Item();
    }

    // The best path is one way; many ways to the same labels may be likelier together.
    [Fact]
    public void A_beam_finds_what_the_best_path_misses()
    {
        // The best path is two blanks, 0.36; "b" has 0.4·0.4 + 0.4·0.6 + 0.6·0.4 = 0.64 (Graves 2012, chapter 7).
        var logits = Tensor<double>.From([Math.Log(0.6), Math.Log(0.4), Math.Log(0.6), Math.Log(0.4)], 1, 2, 2);
        var path = CtcDecoder.BestPath(logits)[0];
        Assert.Empty(path.Labels);
        Assert.Equal(Math.Log(0.36), path.LogProbability, 1e-12);
        var found = CtcDecoder.BeamSearch(logits, width: 2)[0];
        Assert.Equal([1], found[0].Labels);
        Assert.Equal(Math.Log(0.64), found[0].LogProbability, 1e-12);
        Assert.Equal(Math.Log(0.36), found[1].LogProbability, 1e-12);
    }

    [Fact]
    public void The_best_path_takes_the_likeliest_class_of_each_step_and_the_lower_of_equals()
    {
        var random = new RandomSource(2);
        var logits = Tensor<float>.RandomNormal(random, 0, 1, 2, 17, 4);
        var found = CtcDecoder.BestPath(logits, [17, 3], blank: 3);
        for (var row = 0; row < 2; row++)
        {
            var steps = logits.ToArray().Chunk(4).Skip(row * 17).Take(row == 0 ? 17 : 3).ToArray();
            int[] path = [.. steps.Select(step => Array.IndexOf(step, step.Max()))];
            Assert.Equal(CtcOracle.Labels(path, 3), CtcOracle.Text(found[row].Labels));
            var probability = steps.Sum(step => step.Max() - Math.Log(step.Sum(score => Math.Exp(score))));
            Assert.Equal(probability, found[row].LogProbability, 1e-5);
        }

        Assert.Equal([1], CtcDecoder.BestPath(Tensor<float>.From([0f, 1, 1], 1, 1, 3))[0].Labels);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("aaa", "")]
    [InlineData("b", "b")]
    [InlineData("bbaab", "bb")]
    [InlineData("abccabbcb", "bcbcb")]
    public void Equal_neighbours_become_one_and_then_blanks_go(string path, string labels)
    {
        int[] Numbers(string text) => [.. text.Select(letter => letter - 'a')];
        Assert.Equal(Numbers(labels), CtcDecoder.Collapse(Numbers(path)));
    }

    [Fact]
    public void Classes_that_cannot_be_are_never_written()
    {
        var logits = Tensor<double>.From([0, double.NegativeInfinity, 1, double.NegativeInfinity, double.NegativeInfinity, 2], 1, 2, 3);
        var found = CtcDecoder.BeamSearch(logits)[0];
        Assert.Equal([2], Assert.Single(found).Labels);
        Assert.Equal(0, found[0].LogProbability, 1e-12);
        Assert.Equal([2], CtcDecoder.BestPath(logits)[0].Labels);
    }

    [Fact]
    public void Wrong_inputs_are_named()
    {
        var logits = Tensor<float>.Zeros(2, 3, 4);
        Refuses("logits: expected [batch, steps, classes]", () => CtcDecoder.BestPath(Tensor<float>.Zeros(3, 4)));
        Refuses("width: expected 1 or more but got 0", () => CtcDecoder.BeamSearch(logits, width: 0));
        Refuses("blank: expected one of the 4 classes of logits [2, 3, 4] but got 4", () => CtcDecoder.BeamSearch(logits, blank: 4));
        Refuses("blank: expected one of the 4 classes of logits [2, 3, 4] but got -1", () => CtcDecoder.BestPath(logits, blank: -1));
        Refuses("lengths: expected 2 lengths", () => CtcDecoder.BestPath(logits, [3]));
        Refuses("lengths: expected 0 to 3 steps but row 1 has 4", () => CtcDecoder.BestPath(logits, [3, 4]));
        logits[1, 2, 0] = float.NaN;
        Refuses("logits: the scores of row 1 at step 2 are no numbers", () => CtcDecoder.BeamSearch(logits));
        Refuses("logits: the scores of row 1 at step 2 are no numbers", () => CtcDecoder.BestPath(logits));
        Assert.Empty(CtcDecoder.BestPath(logits, [0, 2])[0].Labels);

        static void Refuses(string message, Action action) => Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(action).Message, StringComparison.Ordinal);
    }
}
