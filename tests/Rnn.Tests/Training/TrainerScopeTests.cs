using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Training;

/// <summary>Training that is started inside other people's scopes.</summary>
public class TrainerScopeTests
{
    private static readonly int[] Tokens = [.. Enumerable.Range(0, 200).Select(i => i * i % 4)];

    [Fact]
    public async Task Training_inside_a_tensor_scope_gives_the_same_bits_and_outlives_it()
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
