using Rnn.Formats;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Tests.Sequences;

public sealed class TranscriptionBatchTests
{
    private static readonly int[] Lengths = [3, 1, 5, 0, 4];
    private static readonly int[][] Targets = [[1, 2], [], [0, 0, 3], [2], [1]];

    private static Tensor<float>[] Features => [.. Lengths.Select((length, i) => Tensor<float>.Full(i + 1, length, 2))];

    [Fact]
    public void Rows_keep_their_targets_in_the_order_given()
    {
        var batch = TranscriptionBatch<float>.Pad(Features, Targets);
        Assert.Equal((5, 7L, true), (batch.Rows, batch.Labels, batch.Tokens is null));
        Assert.Equal([3, 1, 5, 0, 4], batch.Lengths.ToArray());
        Assert.Equal("[5, 5, 2]", batch.Features!.Input.Shape.ToString());
        Assert.Equal(Targets, batch.Targets);

        var tokens = TranscriptionBatch<float>.Pad([[4, 5, 6], []], [[1], []]);
        Assert.Equal([3, 0], tokens.Lengths.ToArray());
        Assert.Equal([4, 5, 6, 0, 0, 0], tokens.Tokens!.Tokens.ToArray());
        Assert.Null(tokens.Features);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Buckets_hold_every_sequence_once_with_its_target(bool load)
    {
        var features = Features;
        var source = load
            ? TranscriptionBatch<float>.Bucket([3, 1, 5, 0, 4], index => features[index], Targets, 2, new RandomSource(1), "five")
            : TranscriptionBatch<float>.Bucket(features, Targets, 2, new RandomSource(1));
        for (var pass = 0; pass < 3; pass++)
        {
            var batches = source.ToArray();
            Assert.Equal(3, batches.Length);
            Assert.Equal([0, 1, 2, 3, 4], batches.SelectMany(batch => batch.Indices.ToArray()).Order());
            foreach (var batch in batches)
            {
                for (var row = 0; row < batch.Rows; row++)
                {
                    var index = batch.Indices[row];
                    Assert.Same(Targets[index], batch.Targets[row]);
                    Assert.Equal(features[index].Shape[0], batch.Lengths[row]);
                    Assert.True(batch.Lengths[row] == 0 || batch.Features!.Input[row, 0, 0] == index + 1);
                }
            }
        }
    }

    [Fact]
    public void A_source_returns_to_its_place_and_can_be_made_ahead()
    {
        var source = TranscriptionBatch<float>.Bucket(Features, Targets, 2, new RandomSource(1));
        source.BeginPass();
        source.BeginPass();
        Assert.True(source.MoveNext());
        var place = new StateTree<float>();
        source.SaveState(place);
        Assert.True(source.MoveNext());
        var next = source.Current.Indices.ToArray();

        var other = TranscriptionBatch<float>.Bucket(Features, Targets, 2, new RandomSource(99));
        other.RestoreState(place);
        Assert.True(other.MoveNext());
        Assert.Equal(next, other.Current.Indices.ToArray());

        using var ahead = TranscriptionBatch<float>.Bucket(Features, Targets, 2, new RandomSource(1)).Prefetch();
        var orders = TranscriptionBatch<float>.Bucket(Features, Targets, 2, new RandomSource(1));
        for (var pass = 0; pass < 3; pass++)
        {
            Assert.Equal(orders.Select(batch => string.Join(' ', batch.Indices.ToArray())).ToArray(), ahead.Select(batch => string.Join(' ', batch.Indices.ToArray())).ToArray());
        }
    }

    [Fact]
    public void Other_targets_are_other_data()
    {
        string Identity(int[][] targets) => TranscriptionBatch<float>.Bucket(Features, targets, 2).Identity;
        Assert.Equal(Identity(Targets), Identity([.. Targets.Select(target => target.ToArray())]));
        Assert.NotEqual(Identity(Targets), Identity([[1], [2], [0, 0, 3], [2], [1]]));
        Assert.StartsWith("5 sequences (", TranscriptionBatch<float>.Bucket([[1], [2], [3, 1], [], [0]], Targets, 2).Identity, StringComparison.Ordinal);
    }

    [Fact]
    public void Wrong_inputs_are_named()
    {
        Refuses("targets: expected 5 targets, one for each sequence, but got 1", () => TranscriptionBatch<float>.Pad(Features, [[]]));
        Refuses("targets: expected 5 targets", () => TranscriptionBatch<float>.Bucket(Features, [[]], 2));
        Refuses("targets: expected 1 targets", () => TranscriptionBatch<float>.Bucket([[1, 2]], [], 2));
        Refuses("batchSize: expected 1 or more but got 0", () => TranscriptionBatch<float>.Bucket(Features, Targets, 0));
        Refuses("expected at least one sequence", () => TranscriptionBatch<float>.Pad(Array.Empty<int[]>(), []));
        Assert.Throws<InvalidOperationException>(() => TranscriptionBatch<float>.Bucket(Features, Targets, 2).Current);

        static void Refuses(string message, Action action) => Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(action).Message, StringComparison.Ordinal);
    }
}
