using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Tests.Sequences;

public sealed class ConfusionMatrixTests
{
    // By hand: rows a: 3 right, 1 as b; b: 2 right, 1 as a, 1 as c; c: 0 right, 2 as b.
    private static ConfusionMatrix Example()
    {
        var matrix = new ConfusionMatrix(["a", "b", "c"]);
        matrix.Add([0, 0, 0, 0, 1, 1, 1, 1, 2, 2], [0, 0, 0, 1, 1, 1, 0, 2, 1, 1]);
        return matrix;
    }

    [Fact]
    public void Figures_are_those_worked_by_hand()
    {
        var matrix = Example();
        Assert.Equal(10, matrix.Count);
        Assert.Equal(0.5, matrix.Accuracy, 12);
        Assert.Equal([0.75, 0.4, 0.0], Enumerable.Range(0, 3).Select(matrix.Precision));
        Assert.Equal([0.75, 0.5, 0.0], Enumerable.Range(0, 3).Select(matrix.Recall));
        Assert.Equal(0.75, matrix.F1(0), 12);
        Assert.Equal(4.0 / 9, matrix.F1(1), 12);
        Assert.Equal((0.75 + (4.0 / 9)) / 3, matrix.MacroF1, 12);
        Assert.Equal((0.75 + 0.4) / 3, matrix.MacroPrecision, 12);
        Assert.Equal(1.25 / 3, matrix.MacroRecall, 12);
        Assert.Equal(((4 * 0.75) + (4 * 4.0 / 9)) / 10, matrix.WeightedF1, 12);
        Assert.Equal((1L, 2L), (matrix[0, 1], matrix[2, 1]));
    }

    [Fact]
    public void A_class_that_neither_occurs_nor_is_predicted_does_not_count_for_macro_averages()
    {
        var matrix = new ConfusionMatrix(3);
        matrix.Add([0, 1], [0, 1]);
        Assert.Equal(1, matrix.MacroF1);
        Assert.Equal(0, matrix.F1(2));
    }

    [Fact]
    public void An_empty_matrix_has_zeros() => Assert.Equal((0.0, 0.0, 0.0, 0L), (new ConfusionMatrix(2).Accuracy, new ConfusionMatrix(2).MacroF1, new ConfusionMatrix(2).WeightedF1, new ConfusionMatrix(2).Count));

    [Fact]
    public void Scores_count_by_their_largest_and_ignored_steps_do_not_count()
    {
        var matrix = new ConfusionMatrix(2);
        matrix.Add<float>([1, -1, 0], Tensor<float>.From([0.1f, 0.2f, 3, 1, 5, 4], 3, 2), ignored: -1);
        Assert.Equal((2L, 1.0), (matrix.Count, matrix.Accuracy));
    }

    [Fact]
    public void Parts_add_up()
    {
        var whole = Example();
        whole.Add(Example());
        Assert.Equal((20L, 6L, 0.5), (whole.Count, whole[0, 0], whole.Accuracy));
    }

    [Fact]
    public void The_table_names_classes_and_figures()
    {
        var lines = Example().ToString().Split('\n');
        Assert.Equal("                a       b      c  recall", lines[0]);
        Assert.Equal("b               1       2      1  50.0 %", lines[2]);
        Assert.Equal("precision  75.0 %  40.0 %  0.0 %  50.0 %", lines[4]);
    }

    [Fact]
    public void What_does_not_fit_is_named_and_nothing_is_counted()
    {
        var matrix = new ConfusionMatrix(2);
        Assert.Contains("expected 2 classes", Assert.Throws<ArgumentException>(() => matrix.Add([0, 1], [0])).Message);
        Assert.Contains("0 to 1 but got 2", Assert.Throws<ArgumentOutOfRangeException>(() => matrix.Add([0, 1], [0, 2])).Message);
        Assert.Contains("[..., 2]", Assert.Throws<ArgumentException>(() => matrix.Add([0], Tensor<float>.Zeros(1, 3))).Message);
        Assert.Contains("2 classes but got 3", Assert.Throws<ArgumentException>(() => matrix.Add(new ConfusionMatrix(3))).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new ConfusionMatrix(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ConfusionMatrix(1 << 20));
        Assert.Equal(0, matrix.Count);
    }
}
