using Rnn.Layers;
using Rnn.Models;
using Rnn.Sequences;

namespace Rnn.Tests.Models;

public sealed class LanguageModelStepperTests
{
    private static readonly LanguageModel<float> Model = new(7, new Gru<float>(5, 9, new() { Layers = 2, Seed = 1 }), new() { Seed = 2 });

    [Fact]
    public void Rows_score_what_a_stream_of_each_scores()
    {
        int[][] texts = [[1, 2, 3], [4, 5, 6], [0, 0, 1]];
        var (stepper, logits) = (Model.CreateTokenStepper(3), new float[21]);
        var streams = texts.Select(_ => Model.CreateStream()).ToArray();
        for (var t = 0; t < 3; t++)
        {
            stepper.Step([.. texts.Select(text => text[t])], logits);
            for (var row = 0; row < 3; row++)
            {
                Assert.Equal(streams[row].Step(texts[row][t]).ToArray(), logits[(row * 7)..((row + 1) * 7)]);
            }
        }

        // Rows chosen, repeated and reordered go on as their texts would.
        stepper.SelectRows([2, 0, 0, 1]);
        var chosen = new float[28];
        stepper.Step([5, 5, 6, 5], chosen);
        Assert.Equal(streams[2].Step(5).ToArray(), chosen[..7]);
        Assert.Equal(streams[0].Step(5).ToArray(), chosen[7..14]);
        Assert.Equal(streams[1].Step(5).ToArray(), chosen[21..]);
    }

    [Fact]
    public void A_beam_finds_a_likelier_text_than_the_greedy_one_or_the_same()
    {
        var greedy = BeamSearch.Run(Model.CreateTokenStepper(), [1], new() { Width = 1, MaximumLength = 6 })[0][0];
        var wide = BeamSearch.Run(Model.CreateTokenStepper(), [1], new() { Width = 20_000, MaximumLength = 5 })[0];
        Assert.Equal(Model.Generate([1], 6, new() { Temperature = 0 }), greedy.Tokens);
        Assert.Equal(16_807, wide.Length);
        Assert.Equal(1, wide.Sum(one => Math.Exp(one.LogProbability)), 5);
    }

    [Fact]
    public void A_step_allocates_nothing()
    {
        var (stepper, logits, tokens) = (Model.CreateTokenStepper(2), new float[14], new[] { 1, 2 });
        stepper.Step(tokens, logits);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var t = 0; t < 100; t++)
        {
            stepper.Step(tokens, logits);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Wrong_inputs_are_named()
    {
        var stepper = Model.CreateTokenStepper(2);
        Assert.Contains("expected 2 tokens", Assert.Throws<ArgumentException>(() => stepper.Step([1], new float[14])).Message);
        Assert.Contains("row 1 has 7", Assert.Throws<ArgumentOutOfRangeException>(() => stepper.Step([1, 7], new float[14])).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => Model.CreateTokenStepper(0));
    }
}
