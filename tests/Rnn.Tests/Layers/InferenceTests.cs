using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Tests.Cells;

namespace Rnn.Tests.Layers;

/// <summary>
/// Without a backward pass the engine keeps less: a few steps of gate columns a part of the rows, and two blocks of states. The numbers must
/// be the same bits, also where the rows are cut into parts of unequal height.
/// </summary>
public sealed class InferenceTests
{
    // Cells that differ in their activation alone run the same way.
    public static TheoryData<string> Cells => [.. TestCells.All.Where(TestCells.IsDistinct)];

    [Theory]
    [MemberData(nameof(Cells))]
    public void Inference_gives_the_bits_of_training(string cell)
    {
        foreach (var (rows, steps, hidden) in new[] { (67, 20, 48), (256, 20, 48), (3, 130, 37), (1, 9, 17) })
        {
            var layer = RecurrentLayer<float>.Create(cell, 7, hidden, new() { Bidirectional = rows == 67, Layers = 2, Seed = 3 });
            var random = new RandomSource(5);
            var input = Tensor<float>.RandomNormal(random, 0, 1, rows, steps, 7);
            var state = layer.ZeroState(rows);
            foreach (var tensor in state.Tensors)
            {
                random.FillNormal(tensor.AsSpan());
            }

            // The part with the short rows holds far more than half of them.
            var ragged = new int[rows];
            for (var row = 0; row < rows; row++)
            {
                ragged[row] = row * 5 % (steps + 1);
            }

            foreach (var lengths in new[] { [], ragged })
            {
                var training = layer.Forward(input, lengths, state);
                using var none = NoGradient.Enter();
                var inference = layer.Forward(input, lengths, state);
                Assert.Equal(training.Output.ToArray(), inference.Output.ToArray());
                for (var i = 0; i < state.Tensors.Count; i++)
                {
                    Assert.Equal(training.FinalState.Tensors[i].ToArray(), inference.FinalState.Tensors[i].ToArray());
                }
            }
        }
    }
}
