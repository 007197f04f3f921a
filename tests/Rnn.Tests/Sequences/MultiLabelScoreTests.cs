using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Tests.Sequences;

public sealed class MultiLabelScoreTests
{
    [Fact]
    public void Counts_and_likelihood_are_those_of_plain_loops_over_valid_steps()
    {
        var random = new RandomSource(1);
        var (logits, targets) = (Tensor<double>.RandomNormal(random, 0, 3, 5, 4, 6), Tensor<double>.Zeros(5, 4, 6));
        int[] lengths = [4, 0, 1, 3, 4];
        var score = new MultiLabelScore();
        var (loss, right, extra, missed) = (0.0, 0, 0, 0);
        for (var row = 0; row < 5; row++)
        {
            for (var step = 0; step < 4; step++)
            {
                for (var label = 0; label < 6; label++)
                {
                    targets[row, step, label] = random.Next(2);
                    if (step >= lengths[row])
                    {
                        logits[row, step, label] = double.NaN;
                        continue;
                    }

                    var p = 1 / (1 + Math.Exp(-logits[row, step, label]));
                    var y = targets[row, step, label] == 1;
                    loss -= Math.Log(y ? p : 1 - p);
                    right += y && p > 0.5 ? 1 : 0;
                    extra += !y && p > 0.5 ? 1 : 0;
                    missed += y && p <= 0.5 ? 1 : 0;
                }
            }
        }

        score.Add(logits, targets, lengths);
        Assert.Equal(12, score.Steps);
        Assert.Equal((right, extra, missed), (score.TruePositives, score.FalsePositives, score.FalseNegatives));
        Assert.Equal(loss / 12, score.NegativeLogLikelihood, 12);
        var (precision, recall) = (right / (double)(right + extra), right / (double)(right + missed));
        Assert.Equal(precision, score.Precision, 12);
        Assert.Equal(recall, score.Recall, 12);
        Assert.Equal(2 * precision * recall / (precision + recall), score.F1, 12);
        Assert.Equal(right / (double)(right + extra + missed), score.Accuracy, 12);

        // Another batch, of single steps, is added.
        score.Add(Tensor<double>.From([0, 50], 1, 2), Tensor<double>.From([0, 1], 1, 2));
        Assert.Equal(13, score.Steps);
        Assert.Equal((loss + Math.Log(2)) / 13, score.NegativeLogLikelihood, 12);
        Assert.Contains("of 13 steps", score.ToString());
    }

    [Fact]
    public void Nothing_counted_is_zero_and_extremes_are_finite()
    {
        var score = new MultiLabelScore();
        Assert.Equal((0, 0, 0, 0, 0), (score.NegativeLogLikelihood, score.Precision, score.Recall, score.F1, score.Accuracy));
        score.Add(Tensor<float>.From([1e30f, -1e30f, 800], 1, 3), Tensor<float>.From([1, 0, 0], 1, 3));
        Assert.Equal(800, score.NegativeLogLikelihood);
    }

    [Fact]
    public void Wrong_inputs_are_named()
    {
        var score = new MultiLabelScore();
        Assert.Contains("the shape of the logits", Assert.Throws<ArgumentException>(() => score.Add(Tensor<float>.Zeros(2, 3), Tensor<float>.Zeros(3, 2))).Message);
        Assert.Contains("one for each row", Assert.Throws<ArgumentException>(() => score.Add(Tensor<float>.Zeros(2, 3, 1), Tensor<float>.Zeros(2, 3, 1), [3])).Message);
        Assert.Contains("from 0 to 3", Assert.Throws<ArgumentOutOfRangeException>(() => score.Add(Tensor<float>.Zeros(2, 3, 1), Tensor<float>.Zeros(2, 3, 1), [3, 4])).Message);
    }
}
