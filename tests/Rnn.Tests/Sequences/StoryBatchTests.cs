using Rnn.Formats;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Tests.Sequences;

public sealed class StoryBatchTests
{
    private static readonly int[] Shared = [1, 2];

    private static readonly StoryQuestion[] Questions =
    [
        new([Shared, [3], Shared], [4, 5], 6),
        new([], []),
        new([[1, 2], [], [3]], [7], 0),
    ];

    [Fact]
    public void Equal_sentences_are_held_once_and_nothing_is_padded()
    {
        var batch = StoryBatch.Of(Questions);
        Assert.Equal(3, batch.Rows);
        Assert.Equal([1, 2, 3], batch.SentenceTokens);
        Assert.Equal([0, 2, 3, 3], batch.SentenceTokenStarts);
        Assert.Equal([0, 1, 0, 0, 2, 1], batch.StorySentences);
        Assert.Equal([0, 3, 3, 6], batch.StoryStarts);
        Assert.Equal([4, 5, 7], batch.QuestionTokens);
        Assert.Equal([0, 2, 2, 3], batch.QuestionStarts);
        Assert.Equal([6, StoryBatch.Ignored, 0], batch.Answers.ToArray());
        Assert.Equal([0, 1, 2], batch.Indices.ToArray());
        Assert.Equal(1, ((IRowBatch)StoryBatch.Of([new([], [])])).Rows);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(17)]
    [InlineData(64)]
    public void A_pass_has_every_question_once(int batchSize)
    {
        StoryQuestion[] questions = [.. Enumerable.Range(0, 37).Select(i => new StoryQuestion([[i % 5], [i]], [i], i))];
        var source = StoryBatch.Batches(questions, batchSize, new RandomSource(1));
        var orders = new List<int[]>();
        for (var pass = 0; pass < 2; pass++)
        {
            var seen = new List<int>();
            foreach (var batch in source)
            {
                Assert.InRange(batch.Rows, 1, batchSize);
                seen.AddRange(batch.Indices);
                for (var row = 0; row < batch.Rows; row++)
                {
                    Assert.Equal(batch.Indices[row], batch.Answers[row]);
                    Assert.Equal(batch.Indices[row], batch.QuestionTokens[batch.QuestionStarts[row]]);
                    int[] story = [.. batch.StorySentences[batch.StoryStarts[row]..batch.StoryStarts[row + 1]].Select(sentence => batch.SentenceTokens[batch.SentenceTokenStarts[sentence]])];
                    Assert.Equal([batch.Indices[row] % 5, batch.Indices[row]], story);
                }
            }

            Assert.Equal(Enumerable.Range(0, 37), seen.Order());
            orders.Add([.. seen]);
        }

        Assert.NotEqual(orders[0], orders[1]);
        Assert.Equal(Enumerable.Range(0, 37), StoryBatch.Batches(questions, batchSize).SelectMany(batch => batch.Indices.ToArray()));
    }

    [Fact]
    public void A_place_is_saved_and_restored()
    {
        StoryQuestion[] questions = [.. Enumerable.Range(0, 10).Select(i => new StoryQuestion([[i]], [i], i))];
        var (source, other) = (StoryBatch.Batches(questions, 3, new RandomSource(1)), StoryBatch.Batches(questions, 3, new RandomSource(2)));
        Assert.True(source.MoveNext());
        Assert.True(source.MoveNext());
        var state = new StateValues();
        source.SaveState(state);
        other.RestoreState(state);
        while (source.MoveNext())
        {
            Assert.True(other.MoveNext());
            Assert.Equal(source.Current.Indices.ToArray(), other.Current.Indices.ToArray());
        }

        Assert.False(other.MoveNext());
        Assert.Equal(source.Identity, other.Identity);
        Assert.NotEqual(source.Identity, StoryBatch.Batches(questions[..9], 3, new RandomSource(1)).Identity);
        Assert.NotEqual(source.Identity, StoryBatch.Batches([.. questions[..9], new([[9]], [8], 9)], 3, new RandomSource(1)).Identity);
        Assert.NotEqual(source.Identity, StoryBatch.Batches([.. questions[..9], new([[8, 9]], [9], 9)], 3, new RandomSource(1)).Identity);
    }

    [Fact]
    public void Wrong_inputs_are_named()
    {
        Refuses("questions: expected one question or more but got none", () => StoryBatch.Of([]));
        Refuses("questions: expected one question or more but got none", () => StoryBatch.Batches([], 3));
        Refuses("batchSize: expected 1 or more but got 0", () => StoryBatch.Batches(Questions, 0));
        Refuses("answer: expected 0 or more but got -1", () => new StoryQuestion([], [], -1));
        Refuses("story", () => new StoryQuestion([null!], []));
        Assert.Contains("before the first MoveNext", Assert.Throws<InvalidOperationException>(() => StoryBatch.Batches(Questions, 2).Current).Message, StringComparison.Ordinal);

        static void Refuses(string message, Action action) => Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(action).Message, StringComparison.Ordinal);
    }
}
