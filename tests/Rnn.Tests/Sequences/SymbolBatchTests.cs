using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Tests.Sequences;

public class SymbolBatchTests
{
    private const int None = TokenWindow.NoTarget;

    [Fact]
    public void Rows_of_different_lengths_stand_side_by_side()
    {
        var batch = SymbolBatch.Pad([[2, 0, 1], [], [1]], [[None, 1, 0], [], [1]], symbolCount: 3, classCount: 2, [[0, 0b11, 0b01], [], [0b10]]);
        Assert.Equal((3, 3, 3, 2, 3), (batch.Rows, batch.Steps, batch.SymbolCount, batch.ClassCount, batch.TargetCount));
        Assert.Equal([3, 0, 1], batch.Lengths);
        Assert.Equal([2, 0, 1, 0, 0, 0, 1, 0, 0], batch.Tokens);
        Assert.Equal([None, 1, 0, None, None, None, 1, None, None], batch.Targets);
        Assert.Equal([0u, 3u, 1u, 0u, 0u, 0u, 2u, 0u, 0u], batch.RightAnswers);
        var features = batch.OneHot<double>();
        Assert.Equal(new Shape(3, 3, 3), features.Shape);
        Assert.Equal([0, 0, 1, 1, 0, 0, 0, 1, 0, .. new double[9], 0, 1, 0, .. new double[6]], features.ToArray());
        Assert.Equal([2u, 1u], SymbolBatch.Pad([[0, 0]], [[1, 0]], 1, 2).RightAnswers);
    }

    [Fact]
    public void A_batch_without_steps_scores_nothing()
    {
        var batch = SymbolBatch.Pad([[], []], [[], []], 2, 2);
        Assert.Equal(new SymbolScore(0, 0, 2, 2), batch.Score(Tensor<float>.Zeros(2, 0, 2)));
        Assert.Equal(0, batch.OneHot<float>().Length);
    }

    [Fact]
    public void Right_is_what_is_among_the_right_answers()
    {
        var batch = SymbolBatch.Pad([[0, 0], [0], [0, 0]], [[1, 2], [0], [None, 1]], 1, 3, [[0b011, 0b100], [0b001], [0, 0b010]]);
        Assert.Equal(new SymbolScore(4, 4, 3, 3), Score(5, 0, 0, 0, 0, 1, /**/ 1, 0, 0, 9, 9, 9, /**/ 9, 9, 9, 0, 1, 0));

        // The second of two right ones; one wrong; then two alike and one that is not a number.
        Assert.Equal(new SymbolScore(4, 3, 3, 2), Score(0, 5, 0, 0, 1, 0, /**/ 1, 0, 0, 9, 9, 9, /**/ 9, 9, 9, 0, 1, 0));
        Assert.Equal(new SymbolScore(4, 1, 3, 0), Score(5, 5, 0, 0, 0, 1, /**/ 1, 0, float.NaN, 9, 9, 9, /**/ 9, 9, 9, 0, 0, 1));
        Assert.Equal(new SymbolScore(4, 0, 3, 0), batch.Score(Tensor<float>.Full(float.NegativeInfinity, 3, 2, 3)));
        var sum = new SymbolScore(4, 3, 3, 2) + new SymbolScore(4, 1, 3, 0);
        Assert.Equal((0.5, 1.0 / 3), (sum.Accuracy, sum.RowAccuracy));
        SymbolScore Score(params float[] scores) => batch.Score(Tensor<float>.From(scores, 3, 2, 3));
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        Refuses("targets: expected 2 rows", () => SymbolBatch.Pad([[0], [0]], [[0]], 1, 1));
        Refuses("but got 1 and 2 of right answers", () => SymbolBatch.Pad([[0]], [[0]], 1, 1, [[1], [1]]));
        Refuses("targets: expected 2 targets in row 0, one for each symbol, but got 1.", () => SymbolBatch.Pad([[0, 0]], [[0]], 1, 1));
        Refuses("and 2 sets of right answers", () => SymbolBatch.Pad([[0]], [[0]], 1, 1, [[1, 1]]));
        Refuses("symbols from 0 to 1 but got 2 at step 1 of row 0", () => SymbolBatch.Pad([[0, 2]], [[0, 0]], 2, 1));
        Refuses("classes from 0 to 0, one of the right answers, or TokenWindow.NoTarget, but got 1 at step 0 of row 0", () => SymbolBatch.Pad([[0]], [[1]], 1, 1));
        Refuses("but got 1 at step 0 of row 0", () => SymbolBatch.Pad([[0]], [[1]], 1, 2, [[0b01]]));
        Refuses("symbolCount: expected a number from 1 to 32 but got 33", () => SymbolBatch.Pad([[0]], [[0]], 33, 1));
        Refuses("classCount: expected a number from 1 to 32 but got 0", () => SymbolBatch.Pad([[0]], [[0]], 1, 0));
        Refuses("scores: expected [1, 1, 2], a score of each class at each step, but got [1, 2, 2].", () => SymbolBatch.Pad([[0]], [[0]], 1, 2).Score(Tensor<float>.Zeros(1, 2, 2)));
        static void Refuses(string message, Action action) => Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(action).Message, StringComparison.Ordinal);
    }
}
