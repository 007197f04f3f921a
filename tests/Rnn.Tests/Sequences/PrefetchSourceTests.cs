using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Sequences;

public sealed class PrefetchSourceTests
{
    [Fact]
    public void As_many_batches_as_there_may_be_are_made_ahead_and_no_more()
    {
        var made = 0;
        using var source = Numbers(100, _ => Interlocked.Increment(ref made)).Prefetch(3);
        Assert.True(source.MoveNext());
        WaitUntil(() => Volatile.Read(ref made) == 4);
        Thread.Sleep(20);
        Assert.Equal(4, Volatile.Read(ref made));
        Assert.Equal(0, source.Current.Indices[0]);
        Assert.True(source.MoveNext());
        Assert.Equal(1, source.Current.Indices[0]);
        WaitUntil(() => Volatile.Read(ref made) == 5);
    }

    [Fact]
    public void Batches_are_made_on_another_thread_and_live_on_when_the_readers_scope_ends()
    {
        var here = Environment.CurrentManagedThreadId;
        var sequences = Enumerable.Range(0, 6).Select(i => Tensor<float>.Full(i, 2, 1)).ToArray();
        using var source = FeatureBatch<float>.Bucket(
            [2, 2, 2, 2, 2, 2],
            i =>
            {
                Assert.NotEqual(here, Environment.CurrentManagedThreadId);
                return sequences[i];
            },
            batchSize: 1).Prefetch(5);
        var kept = new List<Tensor<float>>();
        while (true)
        {
            using var scope = TensorScope.Enter();
            if (!source.MoveNext())
            {
                break;
            }

            kept.Add(source.Current.Input);
        }

        Assert.Equal([0, 1, 2, 3, 4, 5], kept.Select(tensor => tensor[0, 1, 0]));
    }

    [Fact]
    public void An_error_comes_where_its_batch_would_and_a_new_pass_begins_without_it()
    {
        var fails = true;
        using var source = Numbers(6, i => _ = i == 3 && Volatile.Read(ref fails) ? throw new IOException("the disk is gone") : i).Prefetch(4);
        for (var i = 0; i < 3; i++)
        {
            Assert.True(source.MoveNext());
            Assert.Equal(i, source.Current.Indices[0]);
        }

        Assert.Equal("the disk is gone", Assert.Throws<IOException>(() => source.MoveNext()).Message);
        Assert.Throws<IOException>(() => source.MoveNext());
        Assert.Equal(3, source.Position);
        Volatile.Write(ref fails, false);
        Assert.Equal(6, source.Count());
    }

    [Fact]
    public void To_dispose_it_ends_the_making_of_batches()
    {
        var made = 0;
        var source = Numbers(100, _ => Interlocked.Increment(ref made)).Prefetch(50);
        Assert.True(source.MoveNext());
        source.Dispose();
        var before = Volatile.Read(ref made);
        Thread.Sleep(20);
        Assert.Equal(before, Volatile.Read(ref made));
        Assert.Throws<ObjectDisposedException>(() => source.MoveNext());
        Assert.Throws<ObjectDisposedException>(source.BeginPass);
        source.Dispose();
    }

    [Fact]
    public void A_pass_that_is_left_in_the_middle_leaves_nothing_behind()
    {
        using var source = Numbers(40, _ => 0, new RandomSource(4)).Prefetch(3);
        var twin = Numbers(40, _ => 0, new RandomSource(4));
        for (var pass = 0; pass < 20; pass++)
        {
            Assert.Equal(twin.Take(pass).Select(batch => batch.Indices[0]), source.Take(pass).Select(batch => batch.Indices[0]));
            Assert.Equal(twin.Pass, source.Pass);
        }

        Assert.Equal(twin.Identity, source.Identity);
        Assert.Throws<ArgumentOutOfRangeException>(() => twin.Prefetch(0));
        Assert.Throws<InvalidOperationException>(() => twin.Prefetch().Current);
    }

    [Fact]
    public async Task A_training_has_the_same_bits_and_knows_whose_place_it_is()
    {
        int[] tokens = [.. Enumerable.Range(0, 400).Select(i => i * i % 7)];
        var (with, without) = (await Train(2), await Train(0));
        Assert.Equal(without, with);

        var source = new TokenStreamSource(tokens, 2, 9);
        var model = new LanguageModel<float>(7, new Gru<float>(4, 5), new());
        using var ahead = source.Prefetch();
        var error = await Assert.ThrowsAsync<ArgumentException>(() => new Trainer<float>(model, new Sgd<float>()).FitAsync(ahead, _ => Tensor<float>.Scalar(0), source, epochs: 1));
        Assert.Contains("this source is the one to train on", error.Message, StringComparison.Ordinal);

        async Task<float[]> Train(int count)
        {
            var model = new LanguageModel<float>(7, new Gru<float>(4, 5, new() { Seed = 1 }), new() { Seed = 2, Dropout = 0.2 });
            BatchSource<TokenWindow> windows = new TokenSequenceSource([.. tokens.Chunk(31)], 4, 6, new RandomSource(3));
            await new Trainer<float>(model, new Adam<float>()).FitAsync(count > 0 ? windows.Prefetch(count) : windows, epochs: 3);
            return [.. model.Parameters.SelectMany(parameter => parameter.Value.ToArray())];
        }
    }

    private static BatchSource<SequenceBatch> Numbers(int count, Func<int, int> load, RandomSource? random = null) => SequenceBatch.Bucket(
        [.. Enumerable.Repeat(1, count)],
        i =>
        {
            _ = load(i);
            return [i];
        },
        batchSize: 1,
        random: random);

    private static void WaitUntil(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, TimeSpan.FromSeconds(60)));
}
