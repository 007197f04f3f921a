using Rnn.Sequences;

namespace Rnn.Tests.Sequences;

public sealed class SamplingTests
{
    [Fact]
    public void Rows_end_apart_and_are_not_computed_further()
    {
        // Each row counts down from its start to the stop token 0.
        var stepper = new CountDown(3);
        var drawn = Sampling.Run(stepper, [3, 1, 4], count: 10, new() { Temperature = 0, StopToken = 0 });
        Assert.Equal([[2, 1], [], [3, 2, 1]], drawn);
        Assert.Equal([3, 2, 2, 1], stepper.Calls);
    }

    [Fact]
    public void The_count_limits_every_row()
    {
        Assert.Equal([[3, 2], [1]], Sampling.Run(new CountDown(2), [4, 2], count: 2, new() { Temperature = 0, StopToken = 0 }));
        Assert.Equal([[], []], Sampling.Run(new CountDown(2), [4, 2], count: 0));
    }

    [Fact]
    public void Wrong_inputs_are_named()
    {
        Assert.Contains("expected 2 tokens", Assert.Throws<ArgumentException>(() => Sampling.Run(new CountDown(2), [1], 3)).Message);
        Assert.Contains("0 to 5", Assert.Throws<ArgumentOutOfRangeException>(() => Sampling.Run(new CountDown(1), [6], 3)).Message);
        Assert.Contains("StopToken", Assert.Throws<ArgumentException>(() => Sampling.Run(new CountDown(1), [1], 3, new() { StopToken = 6 })).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => Sampling.Run(new CountDown(1), [1], -1));
        Assert.Throws<OperationCanceledException>(() => Sampling.Run(new CountDown(1), [1], 3, cancellationToken: new(canceled: true)));
    }

    /// <summary>After a token the one below it is certain.</summary>
    private sealed class CountDown(int rows) : ITokenStepper<float>
    {
        public int Rows { get; private set; } = rows;

        public int VocabularySize => 6;

        internal List<int> Calls { get; } = [];

        public void Step(ReadOnlySpan<int> tokens, Span<float> logits)
        {
            Assert.Equal((Rows, Rows * VocabularySize), (tokens.Length, logits.Length));
            Calls.Add(Rows);
            logits.Fill(-100);
            for (var row = 0; row < tokens.Length; row++)
            {
                logits[(row * VocabularySize) + tokens[row] - 1] = 100;
            }
        }

        public void SelectRows(ReadOnlySpan<int> rows) => Rows = rows.Length;
    }
}
