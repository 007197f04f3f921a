using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Sequences;

/// <summary>Batches that are cut by rows hold what would have been made of these rows alone.</summary>
public class TakeRowsTests
{
    private static readonly int[][] Ragged = [[1, 2, 3], [4], [5, 6, 7, 8], [9, 10], []];
    private static readonly int[][] Others = [[2], [3, 3, 3], [], [7, 8], [1, 1]];

    [Fact]
    public void Sequences_are_cut_to_the_longest_of_their_rows()
    {
        var part = SequenceBatch.Pad(Ragged, padding: 99).TakeRows(3, 2);
        Assert.Equal((2, 2), (part.Rows, part.Steps));
        Assert.Equal([9, 10, 99, 99], part.Tokens.ToArray());
        Assert.Equal([2, 0], part.Lengths.ToArray());
        Assert.Equal([3, 4], part.Indices.ToArray());

        // Something is left to compute where all rows are empty.
        Assert.Equal((1, 1), (SequenceBatch.Pad(Ragged).TakeRows(4, 1).Rows, SequenceBatch.Pad(Ragged).TakeRows(4, 1).Steps));
    }

    [Fact]
    public void Features_are_cut_to_the_longest_of_their_rows()
    {
        var sequences = Ragged.Select(row => Tensor<double>.From([.. row.SelectMany(i => new[] { i, 0.5 * i })], row.Length, 2)).ToArray();
        var part = FeatureBatch<double>.Pad(sequences).TakeRows(0, 2);
        var whole = FeatureBatch<double>.Pad(sequences[..2]);
        Assert.Equal(whole.Input.Shape, part.Input.Shape);
        Assert.Equal(whole.Input.ToArray(), part.Input.ToArray());
        Assert.Equal([3, 1], part.Lengths.ToArray());
        var transcription = TranscriptionBatch<double>.Pad(sequences, Others).TakeRows(1, 3);
        Assert.Equal(Others[1..4], transcription.Targets);
        Assert.Equal([1, 4, 2], transcription.Lengths.ToArray());
        Assert.Equal(5, transcription.Labels);
        Assert.Equal([5, 6, 7, 8], TranscriptionBatch<double>.Pad(Ragged, Others).TakeRows(2, 1).Tokens!.Tokens.ToArray());
    }

    [Fact]
    public void Pairs_and_captions_are_cut_on_both_sides()
    {
        var part = SequencePairBatch.Pad(Ragged, Others, 0, 20).TakeRows(2, 3);
        var whole = SequencePairBatch.Pad(Ragged[2..], Others[2..], 0, 20);
        Assert.Equal(whole.Source.Tokens.ToArray(), part.Source.Tokens.ToArray());
        Assert.Equal(whole.Inputs.ToArray(), part.Inputs.ToArray());
        Assert.Equal(whole.Targets.ToArray(), part.Targets.ToArray());
        Assert.Equal((whole.TargetSteps, whole.TargetTokens), (part.TargetSteps, part.TargetTokens));
        var conditions = Tensor<double>.From([.. Enumerable.Range(0, 10).Select(i => (double)i)], 5, 2);
        var caption = ConditionedBatch<double>.Pad(conditions, Others, 0, 20).TakeRows(3, 1);
        Assert.Equal([6, 7], caption.Conditions.ToArray());
        Assert.Equal([7, 8, 20], caption.Targets.ToArray());
        Assert.Equal([3], caption.Indices.ToArray());
    }

    [Fact]
    public void Symbols_forecasts_and_sums_are_cut_with_their_targets()
    {
        int[][] targets = [[-100, 1, 2], [0], [3, 3, 3, 3], [2, 1], []];
        var symbols = Ragged.Select(row => row.Select(i => i % 4).ToArray()).ToArray();
        var part = SymbolBatch.Pad(symbols, targets, 4, 4).TakeRows(0, 2);
        var whole = SymbolBatch.Pad(symbols[..2], targets[..2], 4, 4);
        Assert.Equal(whole.Targets.ToArray(), part.Targets.ToArray());
        Assert.Equal(whole.RightAnswers.ToArray(), part.RightAnswers.ToArray());
        Assert.Equal(3, part.TargetCount);
        var forecast = new ForecastBatch<double>(Values(3, 2, 1), Values(3, 1, 1), [7, 8, 9]).TakeRows(1, 2);
        Assert.Equal([2, 3, 4, 5], forecast.Past.ToArray());
        Assert.Equal([1, 2], forecast.Future.ToArray());
        Assert.Equal([8, 9], forecast.Starts.ToArray());
        var source = new AddingProblem<double>(10, 4, random: new RandomSource(1));
        Assert.True(source.MoveNext());
        var sums = source.Current.TakeRows(2, 2);
        Assert.Equal(source.Current.Targets.ToArray()[2..], sums.Targets.ToArray());
        Assert.Equal(2, sums.Input.Shape[0]);
    }

    [Fact]
    public void Sentences_and_stories_keep_what_their_rows_need()
    {
        int[][] words = [[1, 2], [3], [1, 3, 4]];
        int[][][] characters = [[[5], [6, 6]], [[7]], [[5], [7], [8, 8, 8]]];
        int[][] tags = [[0, 1], [1], [0, 0, 1]];
        var part = SentenceBatch.Pad(words, characters, tags).TakeRows(1, 2);
        var whole = SentenceBatch.Pad(words[1..], characters[1..], tags[1..]);
        Assert.Equal(whole.Tags.ToArray(), part.Tags.ToArray());
        Assert.Equal(whole.Words.Tokens.ToArray(), part.Words.Tokens.ToArray());
        for (var i = 0; i < 6; i++)
        {
            if (i % 3 < whole.Words.Lengths[i / 3])
            {
                Assert.Equal(Spelling(whole, i), Spelling(part, i));
            }
        }

        StoryQuestion[] questions = [new([[1, 2], [3]], [4], 5), new([[3], [6, 7]], [8, 8], 9), new([[1, 2]], [4], null)];
        var stories = StoryBatch.Of(questions).TakeRows(1, 2);
        var alone = StoryBatch.Of(questions[1..]);
        Assert.Equal(alone.SentenceTokens, stories.SentenceTokens);
        Assert.Equal(alone.SentenceTokenStarts, stories.SentenceTokenStarts);
        Assert.Equal(alone.StorySentences, stories.StorySentences);
        Assert.Equal(alone.StoryStarts, stories.StoryStarts);
        Assert.Equal(alone.QuestionTokens, stories.QuestionTokens);
        Assert.Equal(alone.QuestionStarts, stories.QuestionStarts);
        Assert.Equal(alone.Answers.ToArray(), stories.Answers.ToArray());

        static int[] Spelling(SentenceBatch batch, int word)
        {
            var (row, spellings) = (batch.SpellingOf[word], batch.Spellings!);
            return spellings.Tokens.Slice(row * spellings.Steps, spellings.Lengths[row]).ToArray();
        }
    }

    [Fact]
    public void Windows_are_cut_and_stay_when_their_source_moves_on()
    {
        var stream = new TokenStreamSource(Enumerable.Range(0, 41).ToArray(), 4, 5, 3);
        Assert.True(stream.MoveNext() && stream.MoveNext());
        var part = stream.Current.TakeRows(1, 2);
        var (inputs, targets) = (stream.Current.Inputs[5..15].ToArray(), stream.Current.Targets[5..15].ToArray());
        stream.MoveNext();
        Assert.Equal(inputs, part.Inputs.ToArray());
        Assert.Equal(targets, part.Targets.ToArray());
        Assert.Equal((2, 5, 3, 6), (part.Rows, part.Steps, part.CarrySteps, part.TargetCount));
        var series = new SeriesSource<double>(Values(40, 1), Values(40, 1), 4, 5);
        series.MoveNext();
        var window = series.Current.TakeRows(1, 3).TakeRows(1, 2);
        var expected = series.Current.Inputs(1, 3).ToArray()[4..];
        series.MoveNext();
        Assert.Equal(expected, window.Inputs(1, 3).ToArray());
        Assert.Equal(2, window.Rows);
    }

    [Fact]
    public void Tensors_and_tuples_are_cut_and_other_things_refused()
    {
        Assert.Equal([2, 3], RowParts.Take<double, Tensor<double>>(Values(3, 2), 1, 1).ToArray());
        var (a, b, c) = RowParts.Take<double, (Tensor<double> A, int[] B, SequenceBatch C)>((Values(5, 2), [.. Enumerable.Range(0, 10)], SequenceBatch.Pad(Ragged)), 3, 2);
        Assert.Equal([6, 7, 8, 9], a.ToArray());
        Assert.Equal([6, 7, 8, 9], b);
        Assert.Equal([2, 0], c.Lengths.ToArray());
        var (d, e) = RowParts.Take<double, (SequenceBatch D, string[]? E)>((SequenceBatch.Pad(Ragged), null), 0, 1);
        Assert.Equal((1, null), (d.Rows, e));
        Assert.Contains("implement IRowBatch<ValueTuple>", Refused((Values(5, 2), 3L)).Message, StringComparison.Ordinal);
        Assert.Contains("cannot be cut by rows", Refused((Values(5, 2), new int[7])).Message, StringComparison.Ordinal);
        Assert.Contains("cannot be cut by rows", Refused((Values(5, 2), Values(4, 2))).Message, StringComparison.Ordinal);
        Assert.Contains("implement IRowBatch<Object>", Refused(new object()).Message, StringComparison.Ordinal);
        Assert.Contains("a batch of System.Int32 cannot", Refused(3).Message, StringComparison.Ordinal);

        static InvalidOperationException Refused<TBatch>(TBatch batch) => Assert.Throws<InvalidOperationException>(() => RowParts.Take<double, TBatch>(batch, 0, 1));
    }

    [Theory]
    [InlineData(7, 3, new[] { 3, 2, 2 })]
    [InlineData(2, 4, new[] { 1, 1, 0, 0 })]
    [InlineData(6, 1, new[] { 6 })]
    public void Parts_differ_by_one_row_at_most(int rows, int parts, int[] expected)
    {
        var ranges = Enumerable.Range(0, parts).Select(part => RowParts.Of(rows, part, parts)).ToArray();
        Assert.Equal(expected, ranges.Select(range => range.Count));
        Assert.All(ranges.Zip(ranges.Skip(1)), pair => Assert.Equal(pair.First.Start + pair.First.Count, pair.Second.Start));
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(0, 0)]
    [InlineData(4, 2)]
    [InlineData(5, 1)]
    public void Rows_that_are_not_there_are_refused(int start, int count) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => SequenceBatch.Pad(Ragged).TakeRows(start, count));

    private static Tensor<double> Values(params int[] shape)
    {
        var length = shape.Aggregate(1, (product, size) => product * size);
        return Tensor<double>.From([.. Enumerable.Range(0, length).Select(i => (double)i)], shape);
    }
}
