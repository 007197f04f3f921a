using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Tests.Sequences;

public class SequenceBatchTests
{
    [Fact]
    public void Sequences_are_padded_to_the_longest()
    {
        var batch = SequenceBatch.Pad([[1, 2, 3], [], [4]], padding: 9);
        Assert.Equal((3, 3), (batch.Rows, batch.Steps));
        Assert.Equal([1, 2, 3, 9, 9, 9, 4, 9, 9], batch.Tokens.ToArray());
        Assert.Equal([3, 0, 1], batch.Lengths.ToArray());
        Assert.Equal([0, 1, 2], batch.Indices.ToArray());
        Assert.Equal([3, 3], batch.Shape);
        Assert.Equal(["a", "b", "c"], batch.Select(["a", "b", "c"]));
        Assert.Throws<ArgumentException>(() => batch.Select(["a"]));
        Assert.Throws<ArgumentException>(() => SequenceBatch.Pad([]));
        Assert.Equal(0, SequenceBatch.Pad([[], []]).Steps);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(37, 1)]
    [InlineData(37, 8)]
    [InlineData(129, 129)]
    [InlineData(3, 17)]
    public void Buckets_hold_every_sequence_once_and_lengths_do_not_overlap(int count, int batchSize)
    {
        var lengths = Enumerable.Range(0, count).Select(i => i * 7 % 11).ToArray();
        foreach (var random in new[] { null, new RandomSource(5) })
        {
            var buckets = LengthBuckets.Plan(lengths, batchSize, random);
            Assert.Equal(Enumerable.Range(0, count), buckets.SelectMany(bucket => bucket).Order());
            Assert.Equal((count + batchSize - 1) / batchSize, buckets.Count);
            Assert.All(buckets, bucket => Assert.InRange(bucket.Length, 1, batchSize));
            var ordered = buckets.OrderBy(bucket => bucket.Min(i => lengths[i])).ThenBy(bucket => bucket.Max(i => lengths[i])).ToArray();
            for (var i = 1; i < ordered.Length; i++)
            {
                Assert.True(ordered[i - 1].Max(j => lengths[j]) <= ordered[i].Min(j => lengths[j]));
            }
        }
    }

    [Fact]
    public void Buckets_without_random_source_go_from_short_to_long_as_given()
    {
        Assert.Equal([[1, 3], [0, 4], [2]], LengthBuckets.Plan([2, 1, 5, 1, 2], 2));
        Assert.Empty(LengthBuckets.Plan([], 2));
        Assert.Contains("batchSize: expected 1 or more but got 0", Assert.Throws<ArgumentOutOfRangeException>(() => LengthBuckets.Plan([1], 0)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Random_buckets_depend_on_the_seed_alone()
    {
        var lengths = Enumerable.Range(0, 100).Select(i => i % 5).ToArray();
        var first = LengthBuckets.Plan(lengths, 10, new RandomSource(1));
        Assert.Equal(first, LengthBuckets.Plan(lengths, 10, new RandomSource(1)));
        Assert.NotEqual(first, LengthBuckets.Plan(lengths, 10, new RandomSource(2)));
    }

    [Fact]
    public void Bucketed_batches_carry_their_sequences()
    {
        int[][] sequences = [[1, 2], [3], [4, 5, 6], [7], [8, 9]];
        string[] labels = ["12", "3", "456", "7", "89"];
        foreach (var batch in SequenceBatch.Bucket(sequences, 2, random: new RandomSource(3)))
        {
            var selected = batch.Select(labels);
            for (var row = 0; row < batch.Rows; row++)
            {
                Assert.Equal(labels[batch.Indices[row]], selected[row]);
                Assert.Equal(selected[row], string.Concat(batch.Tokens.Slice(row * batch.Steps, batch.Lengths[row]).ToArray()));
            }
        }
    }

    [Fact]
    public void Feature_sequences_are_padded_with_zeros()
    {
        Tensor<double>[] sequences = [Tensor<double>.From(new double[,] { { 1, 2 } }), Tensor<double>.From(new double[,] { { 3, 4 }, { 5, 6 } }), Tensor<double>.Zeros(0, 2)];
        var batch = FeatureBatch<double>.Pad(sequences);
        Assert.Equal([3, 2, 2], batch.Input.Shape);
        Assert.Equal([1, 2, 0, 0, 3, 4, 5, 6, 0, 0, 0, 0], batch.Input.ToArray());
        Assert.Equal([1, 2, 0], batch.Lengths.ToArray());
        var buckets = FeatureBatch<double>.Bucket(sequences, 2).ToArray();
        Assert.Equal([2, 0], buckets[0].Indices.ToArray());
        Assert.Equal([0, 0, 1, 2], buckets[0].Input.ToArray());
        Assert.Equal([5], buckets[1].Select([3, 5, 7]));
        Assert.Contains(
            "expected [steps, 2] but sequence 1 is [1, 3]",
            Assert.Throws<ArgumentException>(() => FeatureBatch<double>.Pad([sequences[0], Tensor<double>.Zeros(1, 3)])).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => FeatureBatch<double>.Pad([]));
    }

    [Fact]
    public void A_batch_beyond_an_array_is_refused_with_its_sizes()
    {
        var row = new int[1];
        int[][] sequences = [.. Enumerable.Repeat(row, 69_999), new int[40_000]];
        var error = Assert.Throws<ArgumentException>(() => SequenceBatch.Pad(sequences));
        Assert.Equal("sequences", error.ParamName);
        Assert.Matches("^sequences: 70000 rows padded to .*40000 steps are 2800000000 numbers, more than", error.Message);
        Assert.Throws<ArgumentException>(() => SequenceBatch.Bucket(sequences, 70_000).ToList());

        // By length they fit.
        Assert.Equal([1, 40_000], SequenceBatch.Bucket(sequences, 69_999).Select(batch => batch.Steps));

        // A product that wraps around to a size that an array could have.
        int[][] wrapping = [.. Enumerable.Repeat(row, 65_536), new int[65_536]];
        Assert.Contains("are 4295032832 numbers", Assert.Throws<ArgumentException>(() => SequenceBatch.Pad(wrapping)).Message, StringComparison.Ordinal);
        Tensor<float>[] features = [.. Enumerable.Repeat(Tensor<float>.Zeros(1, 3), 49_999), Tensor<float>.Zeros(20_000, 3)];
        Assert.Matches(
            "^sequences: 50000 rows padded to .*20000 steps of 3 features are 3000000000 numbers, more than", Assert.Throws<ArgumentException>(() => FeatureBatch<float>.Pad(features)).Message);
    }
}
