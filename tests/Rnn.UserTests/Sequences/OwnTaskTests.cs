using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.UserTests.Sequences;

/// <summary>A generated task of the user's.</summary>
public sealed class OwnTaskTests
{
    private sealed class Echo(int delay, RandomSource random) : GeneratedSource<SymbolBatch>(random)
    {
        protected override string Settings => $"delay {delay}";

        protected override SymbolBatch Make(RandomSource random)
        {
            int[] symbols = [.. Enumerable.Range(0, 10).Select(_ => random.Next(3))];
            return SymbolBatch.Pad([symbols], [[.. Enumerable.Repeat(TokenWindow.NoTarget, delay), .. symbols[..^delay]]], symbolCount: 3, classCount: 3);
        }
    }

    [Fact]
    public void It_has_batches_without_end_that_follow_from_its_seed()
    {
        var source = new Echo(2, new RandomSource(1));
        var tokens = source.Take(37).Select(batch => string.Join(' ', batch.Tokens.ToArray())).ToList();
        Assert.Equal(37, tokens.Distinct().Count());
        Assert.Equal(tokens, new Echo(2, new RandomSource(1)).Take(37).Select(batch => string.Join(' ', batch.Tokens.ToArray())));
        Assert.Equal("Echo delay 2", source.Identity);
        var batch = source.First();
        Assert.Equal((10, 8), (batch.Steps, batch.TargetCount));
        Assert.Equal(batch.Tokens[..8], batch.Targets[2..]);
    }
}
