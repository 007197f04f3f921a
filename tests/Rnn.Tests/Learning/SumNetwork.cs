using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Learning;

/// <summary>Reads a sequence of the adding problem and answers after its last step: a recurrent layer and a linear layer.</summary>
internal sealed class SumNetwork : Module<float>
{
    private readonly RecurrentLayer<float> _recurrent;
    private readonly Linear<float> _head;

    public SumNetwork(RecurrentLayer<float> recurrent)
    {
        _recurrent = AddModule("recurrent", recurrent);
        _head = AddModule("head", new Linear<float>(recurrent.OutputSize, 1, new() { Seed = recurrent.Options.Seed }));
    }

    /// <summary>The mean squared error over a batch.</summary>
    public Tensor<float> LossOf(float[] inputs, float[] sums)
    {
        var x = Tensor<float>.From(inputs, sums.Length, inputs.Length / sums.Length / 2, 2);
        return Loss.MeanSquaredError(_head.Forward(_recurrent.Forward(x, default).Last), Tensor<float>.From(sums, sums.Length, 1));
    }

    /// <summary>
    /// Trains with Adam on fresh sequences until the error on <paramref name="test"/>, looked at every 100 updates, is below
    /// <paramref name="target"/> twice in a row, or <paramref name="updates"/> are over.
    /// </summary>
    /// <returns>The error and the number of updates.</returns>
    public (double Error, int Updates) Learn((float[] Inputs, float[] Sums) test, int steps, double rate, int updates, double target)
    {
        var optimizer = new Adam<float>(this) { LearningRate = rate };
        var random = new Random(1);
        var (error, before) = (double.PositiveInfinity, double.PositiveInfinity);
        for (var update = 1; update <= updates; update++)
        {
            using (TensorScope.Enter())
            {
                var (inputs, sums) = AddingProblem.Generate(random, 32, steps);
                var loss = LossOf(inputs, sums);
                optimizer.ZeroGradients();
                loss.Backward();
                GradientClipping.ByGlobalNorm(optimizer, 1);
                optimizer.Step();
            }

            if (update % 100 == 0)
            {
                using var none = NoGradient.Enter();
                (before, error) = (error, LossOf(test.Inputs, test.Sums).Item());
                if (error < target && before < target)
                {
                    return (error, update);
                }
            }
        }

        return (error, updates);
    }
}
