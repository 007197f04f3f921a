using Rnn.Tensors;
using Rnn.Tests.Autograd;
using Rnn.Training;

namespace Rnn.Tests.Training;

[Collection(nameof(CountsBuffers))]
public class TrainerMemoryTests
{
    [Theory]
    [InlineData(16, 32, null)]
    [InlineData(16, 32, 8)]
    [InlineData(64, 80, null)]
    public async Task A_step_in_steady_state_allocates_little_and_keeps_no_buffer(int rows, int window, int? stride)
    {
        var tokens = Enumerable.Range(0, 60_000).Select(i => (int)((long)i * i % 31)).ToArray();
        var model = new TinyLanguageModel<float>(31, 16, 64, layers: 2);
        var allocated = new List<long>();
        var trainer = new Trainer<float>(model, new Adam<float>()) { BatchSize = rows, SequenceLength = window, SequenceStride = stride, MaxGradientNorm = 1, MaxUpdates = 30 };
        var lent = CountsBuffers.Settled<float>();
        await trainer.FitAsync(tokens, progress: new Reports { OnReport = _ => allocated.Add(GC.GetAllocatedBytesForCurrentThread()) });
        Assert.Equal(lent, TensorPool<float>.Lent);
        var steps = allocated.Zip(allocated.Skip(1)).Select(pair => pair.Second - pair.First).Skip(10).Order().ToArray();
        Assert.True(steps[steps.Length / 2] <= 16 * 1024, $"bytes allocated by a step: {string.Join(", ", steps)}");
    }
}
