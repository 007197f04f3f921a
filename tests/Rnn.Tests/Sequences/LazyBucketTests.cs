using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Tests.Sequences;

public sealed class LazyBucketTests
{
    private static readonly int[][] Sequences = [.. Enumerable.Range(0, 37).Select(i => Enumerable.Range(i * 100, (i * 7) % 13).ToArray())];
    private static readonly int[] Lengths = [.. Sequences.Select(sequence => sequence.Length)];

    [Fact]
    public void Loaded_sequences_make_the_batches_of_those_in_memory()
    {
        var (expected, loaded) = (SequenceBatch.Bucket(Sequences, 4, 9, new RandomSource(1)), new List<int>());
        var actual = SequenceBatch.Bucket(Lengths, Load, 4, 9, new RandomSource(1));
        for (var pass = 0; pass < 2; pass++)
        {
            foreach (var (one, other) in expected.Zip(actual))
            {
                Assert.Equal(one.Tokens.ToArray(), other.Tokens.ToArray());
                Assert.Equal(one.Lengths.ToArray(), other.Lengths.ToArray());
                Assert.Equal(one.Indices.ToArray(), other.Indices.ToArray());
                Assert.Equal(other.Indices.ToArray(), loaded);
                loaded.Clear();
            }
        }

        int[] Load(int index)
        {
            loaded.Add(index);
            return Sequences[index];
        }
    }

    [Fact]
    public void Loaded_features_make_the_batches_of_those_in_memory()
    {
        Tensor<float>[] features = [.. Sequences.Select(sequence => Tensor<float>.From([.. sequence.SelectMany(i => new[] { i, i + 0.5f })], sequence.Length, 2))];
        var expected = FeatureBatch<float>.Bucket(features, 4, new RandomSource(1));
        var actual = FeatureBatch<float>.Bucket(Lengths, index => features[index], 4, new RandomSource(1));
        foreach (var (one, other) in expected.Zip(actual))
        {
            Assert.Equal(one.Input.Shape, other.Input.Shape);
            Assert.Equal(one.Input.ToArray(), other.Input.ToArray());
            Assert.Equal(one.Lengths.ToArray(), other.Lengths.ToArray());
            Assert.Equal(one.Indices.ToArray(), other.Indices.ToArray());
        }
    }

    [Fact]
    public void What_they_are_is_told_by_their_lengths_and_a_name()
    {
        Assert.Equal(Identity(Lengths, "a"), Identity(Lengths, "a"));
        Assert.NotEqual(Identity(Lengths, "a"), Identity(Lengths, "b"));
        Assert.NotEqual(Identity(Lengths, "a"), Identity([1, .. Lengths[1..]], "a"));
        static string Identity(int[] lengths, string name) => SequenceBatch.Bucket(lengths, _ => [], 4, identity: name).Identity;
    }

    [Fact]
    public void Wrong_input_is_named()
    {
        Assert.Contains("expected 2 steps of sequence 1, as the lengths say, but 3 were loaded", Error([1, 2], _ => new int[3], 1), StringComparison.Ordinal);
        Assert.Contains("sequence 0 was loaded as null", Error([1, 2], _ => null!, 0), StringComparison.Ordinal);
        Assert.Contains("sequence 1 has -1", Assert.Throws<ArgumentException>(() => SequenceBatch.Bucket([1, -1], _ => [], 1)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => SequenceBatch.Bucket([1], _ => [0], 0));
        var features = FeatureBatch<float>.Bucket([1, 1], index => Tensor<float>.Zeros(1, 1 + index), 2);
        Assert.Contains("expected [steps, 1] but sequence 1 is [1, 2]", Assert.Throws<ArgumentException>(() => features.MoveNext()).Message, StringComparison.Ordinal);
        Assert.Empty(SequenceBatch.Bucket([], _ => [], 1));

        static string Error(int[] lengths, Func<int, int[]> load, int before)
        {
            var source = SequenceBatch.Bucket(lengths, index => index < before ? new int[lengths[index]] : load(index), 1);
            return Assert.Throws<InvalidDataException>(() => source.Count()).Message;
        }
    }
}
