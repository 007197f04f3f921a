using Rnn.Sequences;

namespace Rnn.Tests.Sequences;

public sealed class BleuScoreTests
{
    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    [Fact]
    public void The_same_text_scores_100()
    {
        var bleu = new BleuScore();
        bleu.Add(Words("the cat sat on the mat"), Words("the cat sat on the mat"));
        Assert.Equal(100, bleu.Score, 10);
    }

    // Papineni et al. 2002, section 2.1: "the" seven times against two references has a clipped unigram precision of 2/7.
    [Fact]
    public void Matches_are_clipped_by_the_reference_that_has_most()
    {
        var bleu = new BleuScore(maximumOrder: 1);
        bleu.Add(Words("the the the the the the the"), Words("the cat is on the mat"), Words("there is a cat on the mat"));
        Assert.Equal(2.0 / 7, bleu.Precision(1), 12);
        Assert.Equal((7L, 7L), (bleu.CandidateLength, bleu.ReferenceLength));
        Assert.Equal(100 * 2.0 / 7, bleu.Score, 10);
    }

    // Worked by hand: unigrams 5/6, bigrams 3/5, trigrams 1/4, 4-grams 0/3.
    [Fact]
    public void Precisions_are_those_worked_by_hand()
    {
        var (candidate, reference) = (Words("the cat sat on the mat"), Words("the cat is on the mat"));
        var bleu = new BleuScore();
        bleu.Add(candidate, reference);
        Assert.Equal([5.0 / 6, 3.0 / 5, 1.0 / 4, 0], Enumerable.Range(1, 4).Select(bleu.Precision));
        Assert.Equal(0, bleu.Score);

        var three = new BleuScore(maximumOrder: 3);
        three.Add(candidate, reference);
        Assert.Equal(100 * Math.Cbrt(5.0 / 6 * 3 / 5 / 4), three.Score, 10);

        var addOne = new BleuScore(smoothing: BleuSmoothing.AddOne);
        addOne.Add(candidate, reference);
        Assert.Equal(100 * Math.Pow(5.0 / 6 * 4 / 6 * 2 / 5 * 1 / 4, 0.25), addOne.Score, 10);

        var exponential = new BleuScore(smoothing: BleuSmoothing.Exponential);
        exponential.Add(candidate, reference);
        Assert.Equal(100 * Math.Pow(5.0 / 6 * 3 / 5 * 1 / 4 * 0.5 / 3, 0.25), exponential.Score, 10);
    }

    [Fact]
    public void Short_texts_are_penalised_and_long_ones_are_not()
    {
        var bleu = new BleuScore(maximumOrder: 1);
        bleu.Add(Words("a b c"), Words("a b c d"));
        Assert.Equal(Math.Exp(1 - (4.0 / 3)), bleu.BrevityPenalty, 12);
        Assert.Equal(100 * Math.Exp(-1.0 / 3), bleu.Score, 10);

        var longer = new BleuScore(maximumOrder: 1);
        longer.Add(Words("a b c d e"), Words("a b c d"));
        Assert.Equal((1.0, 80.0), (longer.BrevityPenalty, Math.Round(longer.Score, 10)));
    }

    [Fact]
    public void Of_several_references_the_closest_in_length_counts_and_the_shorter_of_two()
    {
        var bleu = new BleuScore();
        bleu.Add([1, 2, 3, 4], [1, 2, 3, 4, 5], [1, 2, 3]);
        Assert.Equal(3, bleu.ReferenceLength);
        bleu.Add([1, 2, 3, 4], [1, 2], [1, 2, 3, 4, 5]);
        Assert.Equal(8, bleu.ReferenceLength);
    }

    [Fact]
    public void Counts_are_added_over_the_corpus_before_anything_is_divided()
    {
        var bleu = new BleuScore(maximumOrder: 2);
        bleu.Add([1, 2, 3], [1, 2, 3]);
        bleu.Add([7, 8], [9, 8, 7]);
        Assert.Equal([5.0 / 5, 2.0 / 3], [bleu.Precision(1), bleu.Precision(2)]);
        Assert.Equal(100 * Math.Exp(1 - (6.0 / 5)) * Math.Sqrt(2.0 / 3), bleu.Score, 10);
    }

    [Fact]
    public void Texts_without_tokens_score_zero()
    {
        var bleu = new BleuScore();
        Assert.Equal(0, bleu.Score);
        bleu.Add(Words(""), Words("a"));
        Assert.Equal((0.0, 0.0), (bleu.Score, bleu.BrevityPenalty));
    }

    [Fact]
    public void It_reads_with_a_point_in_every_culture()
    {
        var bleu = new BleuScore(maximumOrder: 2);
        bleu.Add(Words("a b c"), Words("a b d"));
        Assert.Equal("BLEU 57.7 (66.7/50.0, brevity penalty 1.000, length 3/3)", bleu.ToString());
    }

    [Fact]
    public void Wrong_inputs_are_named()
    {
        Assert.Contains("got none", Assert.Throws<ArgumentException>(() => new BleuScore().Add<int>([1])).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new BleuScore(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new BleuScore(4, (BleuSmoothing)7));
        Assert.Throws<ArgumentOutOfRangeException>(() => new BleuScore().Precision(5));
    }
}
