using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Training;

/// <summary>Training that is started inside other people's scopes.</summary>
public class TrainerScopeTests
{
    private static readonly int[] Tokens = [.. Enumerable.Range(0, 200).Select(i => i * i % 4)];

    [Fact]
    public async Task TrainingInsideATensorScopeGivesTheSameBitsAndOutlivesIt()
    {
        async Task<double> Train(bool inside)
        {
            var trainer = new Trainer<float>(new TinyLanguageModel<float>(4), new Adam<float>()) { BatchSize = 2, SequenceLength = 8 };
            Task<TrainingResult> training;
            using (inside ? TensorScope.Enter() : null)
            {
                training = trainer.FitAsync(Tokens, Tokens, epochs: 2);
            }

            return (await training).ValidationLoss!.Value;
        }

        Assert.Equal(await Train(inside: false), await Train(inside: true));
    }
}
