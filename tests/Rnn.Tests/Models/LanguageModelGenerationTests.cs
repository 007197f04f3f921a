using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;

namespace Rnn.Tests.Models;

public class LanguageModelGenerationTests
{
    [Fact]
    public void A_stream_gives_the_scores_of_the_whole_sequence()
    {
        var model = LanguageModelTests.SmallModel();
        int[] tokens = [1, 0, 4, 4, 3, 2];
        var expected = model.Forward(tokens, rows: 1).Logits;
        var stream = model.CreateStream();
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < tokens.Length; i++)
            {
                Assert.Equal(expected.Row(0, i).ToArray(), stream.Step(tokens[i]).ToArray());
            }

            stream.Reset();
        }

        stream.SetState(model.Forward(tokens.AsSpan(0, 3), rows: 1).State);
        Assert.Equal(expected.Row(0, 3).ToArray(), stream.Step(tokens[3]).ToArray());
        Assert.Contains("expected a token from 0 to 4 but got 5", Assert.Throws<ArgumentOutOfRangeException>(() => stream.Step(5).Length).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_step_allocates_nothing()
    {
        var stream = LanguageModelTests.SmallModel().CreateStream();
        Run(stream);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Run(stream);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        static void Run(LanguageModelStream<double> stream)
        {
            for (var i = 0; i < 100; i++)
            {
                stream.Step(i % 5);
            }
        }
    }

    [Fact]
    public void Greedy_tokens_have_the_best_score_after_all_before()
    {
        var model = LanguageModelTests.SmallModel();
        List<int> tokens = [2, 1];
        for (var i = 0; i < 12; i++)
        {
            var row = model.Forward(tokens.ToArray(), rows: 1).Logits.Row(0, tokens.Count - 1).ToArray();
            tokens.Add(Array.IndexOf(row, row.Max()));
        }

        Assert.Equal(tokens.Skip(2), model.Generate([2, 1], 12, new() { Temperature = 0 }));
    }

    [Fact]
    public async Task The_seed_decides_and_both_ways_agree()
    {
        var model = LanguageModelTests.SmallModel();
        var options = new SamplingOptions { Temperature = 1.2, TopK = 4, Seed = 5 };
        var tokens = model.Generate([1], 60, options);
        var first = tokens.ToArray();
        Assert.Equal(60, first.Length);
        Assert.Equal(first, tokens);
        Assert.NotEqual(first, model.Generate([1], 60, options with { Seed = 6 }));
        var later = new List<int>();
        await foreach (var token in model.GenerateAsync([1], 60, options))
        {
            later.Add(token);
        }

        Assert.Equal(first, later);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_text_in_pieces_is_the_whole_text(bool words)
    {
        const string Text = "the cat, the dog (and) \"the\" bird.";
        IVocabulary vocabulary = words ? WordVocabulary.FromText(Text) : CharVocabulary.FromText(Text);
        var model = new LanguageModel<float>(vocabulary, new Gru<float>(3, 4), new() { Seed = 3 });
        var options = new SamplingOptions { Seed = 5 };
        var pieces = new List<string>();
        await foreach (var piece in model.GenerateAsync("the ", 40, options))
        {
            pieces.Add(piece);
        }

        Assert.Equal(40, pieces.Count);
        Assert.Equal(model.Generate("the ", 40, options), string.Concat(pieces));
        model.Vocabulary = null;
        Assert.Throws<InvalidOperationException>(() => model.GenerateAsync("the ", 1));
    }

    [Fact]
    public void The_stop_token_ends_the_text_and_is_not_part_of_it()
    {
        var model = LanguageModelTests.SmallModel();
        var tokens = model.Generate([1], 60, new() { Seed = 5 }).ToArray();
        var stop = tokens[20];
        Assert.Equal(tokens.TakeWhile(token => token != stop), model.Generate([1], 60, new() { Seed = 5, StopToken = stop }));
        Assert.Empty(model.Generate([1], 0));
    }

    [Fact]
    public async Task Cancellation_ends_the_writing()
    {
        var model = LanguageModelTests.SmallModel();
        using var source = new CancellationTokenSource();
        var count = 0;
        Assert.Throws<OperationCanceledException>(() =>
        {
            foreach (var _ in model.Generate([1], 1000, cancellationToken: source.Token))
            {
                if (++count == 3)
                {
                    source.Cancel();
                }
            }
        });
        Assert.Equal(3, count);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in model.GenerateAsync([1], 1000).WithCancellation(source.Token))
            {
                count++;
            }
        });
        Assert.Equal(3, count);
    }

    [Fact]
    public void An_empty_prompt_starts_at_the_begin_of_a_sequence()
    {
        var vocabulary = CharVocabulary.FromText("abc", new() { BeginAndEnd = true });
        var model = new LanguageModel<float>(vocabulary, new Gru<float>(3, 4));
        Assert.Equal(model.Generate([vocabulary.BeginOfSequence!.Value], 9, new() { Seed = 1 }), model.Generate([], 9, new() { Seed = 1 }));
        var error = Assert.Throws<ArgumentException>(() => LanguageModelTests.SmallModel().Generate([], 9));
        Assert.Contains("prompt: expected at least one token", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Dropout_is_off_while_writing()
    {
        var model = LanguageModelTests.SmallModel(new() { Dropout = 0.5, EmbeddingDropout = 0.5, Seed = 0 });
        Assert.Equal(LanguageModelTests.SmallModel().Generate([1], 30, new() { Seed = 1 }), model.Generate([1], 30, new() { Seed = 1 }));
        Assert.True(model.IsTraining);
    }

    [Fact]
    public void Impossible_requests_are_refused_at_once()
    {
        var model = LanguageModelTests.SmallModel();
        Assert.Contains("count: expected 0 or more but got -1", Error(() => model.Generate([1], -1)), StringComparison.Ordinal);
        Assert.Contains("prompt: expected tokens from 0 to 4 but got 5", Error(() => model.Generate([1, 5], 1)), StringComparison.Ordinal);
        Assert.Contains("StopToken: expected a token from 0 to 4 or null but got 7", Error(() => model.GenerateAsync([1], 1, new() { StopToken = 7 })), StringComparison.Ordinal);
        static string Error(Func<object> make) => Assert.ThrowsAny<ArgumentException>(make).Message;
    }

    [Fact]
    public async Task Characters_of_several_tokens_come_whole()
    {
        // Every byte is a token; "é" is two of them.
        var vocabulary = new Bytes();
        var model = new LanguageModel<float>(vocabulary, new Gru<float>(4, 5, new() { Seed = 1 }), new() { Seed = 1 });
        var text = model.Generate("aé", 60, new() { Seed = 3 });
        var pieces = new List<string>();
        await foreach (var piece in model.GenerateAsync("aé", 60, new() { Seed = 3 }))
        {
            pieces.Add(piece);
        }

        Assert.Equal(text, string.Concat(pieces));
        Assert.Contains("é", text, StringComparison.Ordinal);
    }

    // Two letters and the two bytes of "é".
    private sealed class Bytes : IVocabulary
    {
        private static readonly byte[] All = [(byte)'a', (byte)'b', 0xC3, 0xA9];

        public int Count => All.Length;

        public int[] Encode(ReadOnlySpan<char> text) => Array.ConvertAll(System.Text.Encoding.UTF8.GetBytes(text.ToArray()), value => Array.IndexOf(All, value));

        public string Decode(params ReadOnlySpan<int> tokens) => System.Text.Encoding.UTF8.GetString(Array.ConvertAll(tokens.ToArray(), token => All[token]));
    }
}
