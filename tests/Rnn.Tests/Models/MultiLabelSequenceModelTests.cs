using System.Numerics;
using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Models;

public sealed class MultiLabelSequenceModelTests
{
    private const int Labels = 3;

    // Steps of 0 to 3 labels: bit i of a number is label i.
    private static readonly int[][] Pieces = [[1, 3, 7, 0, 5], [2], [], [4, 4, 6]];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Gradients_are_those_of_finite_differences(bool stacked)
    {
        var model = Make<double>(stacked);
        var batch = Batch<double>();
        var check = GradientCheck.Run(model, () => model.Loss(batch));
        Assert.True(check.Passed, check.ToString());
    }

    [Fact]
    public void The_loss_is_that_of_independent_labels_each_step_after_those_before()
    {
        var model = Make<double>(stacked: true);
        model.Evaluate();
        var (stream, sum, steps, score) = (model.CreateStream(), 0.0, 0, (Right: 0, Extra: 0, Missed: 0));
        foreach (var piece in Pieces)
        {
            stream.Reset();
            var before = new double[Labels];
            foreach (var step in piece)
            {
                var probabilities = stream.Step(before);
                var labels = Roll<double>([step]).ToArray();
                for (var i = 0; i < Labels; i++)
                {
                    sum -= Math.Log(labels[i] == 1 ? probabilities[i] : 1 - probabilities[i]);
                    var (found, right) = (probabilities[i] > 0.5, labels[i] == 1);
                    score = (score.Right + (found && right ? 1 : 0), score.Extra + (found && !right ? 1 : 0), score.Missed + (!found && right ? 1 : 0));
                }

                before = labels;
                steps++;
            }
        }

        Assert.Equal(sum / steps, model.Loss(Batch<double>()).Item(), 12);
        var scored = model.Score([Batch<double>()]);
        Assert.Equal(sum / steps, scored.NegativeLogLikelihood, 12);
        Assert.Equal((score.Right, score.Extra, score.Missed, steps), ((int)scored.TruePositives, (int)scored.FalsePositives, (int)scored.FalseNegatives, (int)scored.Steps));
        Assert.Equal(scored.NegativeLogLikelihood, model.Score(FeatureBatch<double>.Bucket([.. Pieces.Select(piece => Roll<double>(piece))], 1)).NegativeLogLikelihood, 12);
    }

    [Fact]
    public void Labels_may_belong_to_inputs_of_another_size_and_see_both_sides()
    {
        var model = new MultiLabelSequenceModel<double>(new Gru<double>(2, 4, new() { Bidirectional = true, Seed = 1 }), Labels, new() { Seed = 2 });
        var input = Tensor<double>.RandomNormal(new RandomSource(1), 0, 1, 4, 5, 2);
        int[] lengths = [5, 1, 0, 3];
        var batch = Batch<double>();
        var check = GradientCheck.Run(model, () => model.Loss(input, batch.Input, lengths));
        Assert.True(check.Passed, check.ToString());
        var (probabilities, sum) = (model.Predict(input, lengths), 0.0);
        for (var row = 0; row < 4; row++)
        {
            for (var i = 0; i < lengths[row] * Labels; i++)
            {
                var (p, y) = (probabilities[row, i / Labels, i % Labels], batch.Input[row, i / Labels, i % Labels]);
                sum -= Math.Log(y == 1 ? p : 1 - p);
            }
        }

        Assert.Equal(sum / 9, model.Loss(input, batch.Input, lengths).Item(), 12);
        Assert.Contains("InputSize is the number of labels (3)", Assert.Throws<InvalidOperationException>(() => model.Loss(batch)).Message);
    }

    [Fact]
    public async Task A_few_pieces_are_learned_by_heart_and_written_again()
    {
        var model = new MultiLabelSequenceModel<float>(new Lstm<float>(Labels, 24, new() { Seed = 1 }), Labels, new() { Seed = 2 });
        int[][] pieces = [[1, 3, 7, 0, 5, 2, 2, 6]];
        var batch = FeatureBatch<float>.Pad([.. pieces.Select(Roll<float>)]);
        await new Trainer<float>(model, new Adam<float> { LearningRate = 0.02 }).FitAsync([batch], model.Loss, epochs: 300);
        Assert.InRange(model.Score([batch]).NegativeLogLikelihood, 0, 0.02);
        Assert.Equal(1, model.Score([batch]).F1);
        Assert.Equal(batch.Input.ToArray(), model.Generate(8, temperature: 0).ToArray());
        Assert.Equal(batch.Input.ToArray()[(3 * Labels)..], model.Generate(5, Roll<float>(pieces[0][..3]), temperature: 0).ToArray());
    }

    [Fact]
    public void Draws_follow_the_probabilities_and_the_seed()
    {
        var model = Make<double>(stacked: false);
        Assert.Equal(model.Generate(50, random: new RandomSource(1)).ToArray(), model.Generate(50, random: new RandomSource(1)).ToArray());
        Assert.NotEqual(model.Generate(50, random: new RandomSource(1)).ToArray(), model.Generate(50, random: new RandomSource(2)).ToArray());
        var probabilities = model.CreateStream().Step(new double[Labels]).ToArray();
        var (random, sums) = (new RandomSource(3), new double[Labels]);
        for (var draw = 0; draw < 4000; draw++)
        {
            var step = model.Generate(1, random: random).ToArray();
            for (var i = 0; i < Labels; i++)
            {
                sums[i] += step[i] / 4000;
            }
        }

        Assert.All(Enumerable.Range(0, Labels), i => Assert.Equal(probabilities[i], sums[i], 0.03));
        Assert.Equal("[0, 3]", model.Generate(0).Shape.ToString());
    }

    [Fact]
    public void It_is_saved_and_opened_by_one_call()
    {
        var model = new MultiLabelSequenceModel<float>(new Gru<float>(Labels, 4), Labels, new() { Dropout = 0.25, InputDropout = 0.125 });
        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;
        var opened = MultiLabelSequenceModel<float>.Open(stream);
        Assert.Equal((0.25, 0.125, false, Labels), (opened.Options.Dropout, opened.Options.InputDropout, opened.IsTraining, opened.Labels));
        model.Evaluate();
        Assert.Equal(model.ForwardNext(Batch<float>()).ToArray(), opened.ForwardNext(Batch<float>()).ToArray());
    }

    [Fact]
    public void A_step_of_a_stream_allocates_nothing()
    {
        var (stream, input) = (Make<float>(stacked: true).CreateStream(), new float[Labels]);
        stream.Step(input);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var t = 0; t < 100; t++)
        {
            stream.Step(input);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void What_is_scored_is_in_evaluation_without_dropout()
    {
        var model = new MultiLabelSequenceModel<double>(new Gru<double>(Labels, 4, new() { Seed = 1 }), Labels, new() { Dropout = 0.5, InputDropout = 0.5, Seed = 2 });
        var batch = Batch<double>();
        Assert.NotEqual(model.Loss(batch).Item(), model.Loss(batch).Item());
        Assert.Equal(model.Score([batch]).NegativeLogLikelihood, model.Score([batch]).NegativeLogLikelihood);
        model.Evaluate();
        Assert.Equal(model.Loss(batch).Item(), model.Score([batch]).NegativeLogLikelihood, 12);
    }

    [Fact]
    public void Sequences_without_steps_cost_nothing()
    {
        var batch = FeatureBatch<double>.Pad([Roll<double>([]), Roll<double>([])]);
        var model = Make<double>(stacked: false);
        Assert.Equal(0, model.Score([batch]).Steps);
        Assert.Equal(0, model.Score([batch]).NegativeLogLikelihood);
        Assert.Equal("[2, 0, 3]", model.ForwardNext(batch).Shape.ToString());
    }

    [Fact]
    public void Wrong_inputs_are_named()
    {
        var model = Make<float>(stacked: false);
        Assert.Contains("labels: expected 1", Assert.Throws<ArgumentOutOfRangeException>(() => new MultiLabelSequenceModel<float>(new Gru<float>(2, 3), 0)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new MultiLabelSequenceModelOptions { Dropout = 1 });
        Assert.Contains("expected 3 numbers", Assert.Throws<ArgumentException>(() => model.Loss(FeatureBatch<float>.Pad([Tensor<float>.Zeros(2, 4)]))).Message);
        var reversed = new MultiLabelSequenceModel<float>(new Gru<float>(Labels, 3, new() { Reverse = true }), Labels);
        Assert.Contains("would see the step", Assert.Throws<InvalidOperationException>(() => reversed.Score([Batch<float>()])).Message);
        Assert.Throws<InvalidOperationException>(() => reversed.CreateStream());
        Assert.Contains("[steps, 3] but got [3]", Assert.Throws<ArgumentException>(() => model.Generate(2, Tensor<float>.Zeros(3))).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => model.Generate(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => model.Generate(1, temperature: double.NaN));
        Assert.Throws<ArgumentException>(() => model.CreateStream().Step(new float[2]));
    }

    private static MultiLabelSequenceModel<T> Make<T>(bool stacked)
        where T : unmanaged, IFloatingPointIeee754<T> => new(
            stacked ? new Lstm<T>(Labels, 4, new() { Layers = 2, LearnedInitialState = true, Seed = 1 }) : new Gru<T>(Labels, 5, new() { Seed = 1 }), Labels, new() { Seed = 2 });

    private static FeatureBatch<T> Batch<T>()
        where T : unmanaged, IFloatingPointIeee754<T> => FeatureBatch<T>.Pad([.. Pieces.Select(Roll<T>)]);

    private static Tensor<T> Roll<T>(int[] piece)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Tensor<T>.From([.. piece.SelectMany(step => Enumerable.Range(0, Labels).Select(i => (step & (1 << i)) != 0 ? T.One : T.Zero))], piece.Length, Labels);
}
