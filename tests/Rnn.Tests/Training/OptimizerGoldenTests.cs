using System.Numerics;
using Rnn.Tests.Golden;
using Rnn.Training;

namespace Rnn.Tests.Training;

// PyTorch's optimisers; Golden/write_optimizers.py has the options of each name.
public class OptimizerGoldenTests
{
    private static readonly GoldenFile Golden = GoldenFile.Open("optimizers.safetensors");
    private static readonly int[] Kept = [1, 2, 3, 7, 12];

    [Theory]
    [InlineData("sgd")]
    [InlineData("sgd_decay")]
    [InlineData("sgd_momentum")]
    [InlineData("sgd_dampening")]
    [InlineData("sgd_nesterov")]
    [InlineData("adam")]
    [InlineData("adam_options")]
    [InlineData("adamw")]
    [InlineData("adamw_options")]
    [InlineData("rmsprop")]
    [InlineData("rmsprop_options")]
    [InlineData("rmsprop_centered")]
    [InlineData("rmsprop_momentum")]
    [InlineData("rmsprop_all")]
    [InlineData("adagrad")]
    [InlineData("adagrad_options")]
    [InlineData("adadelta")]
    [InlineData("adadelta_options")]
    [InlineData("nadam")]
    [InlineData("nadam_options")]
    [InlineData("averaged")]
    [InlineData("averaged_options")]
    public void Steps_are_those_of_PyTorch(string name)
    {
        Follow(name, Make<double>(name), 1e-13);
        Follow(name, Make<float>(name), 2e-6);
    }

    [Fact]
    public void Groups_and_schedule_are_those_of_PyTorch()
    {
        var module = TestModule<double>.Split(Golden.Values("groups/initial"), 37, 20);
        var parameters = module.Parameters.ToArray();
        var optimizer = new AdamW<double> { LearningRate = 0.01 };
        optimizer.Attach(new ParameterGroup<double>([parameters[0]]) { LearningRate = 0.05 }, new ParameterGroup<double>([parameters[1]]) { WeightDecay = 0.4 });
        var (gradients, schedule) = (Golden.Values("groups/gradients"), new StepSchedule(6, 0.5));
        for (var step = 0; step < 12; step++)
        {
            module.SetGradients(gradients.AsSpan(step * 57, 57));
            optimizer.LearningRateFactor = schedule.Factor(step);
            optimizer.Step();
        }

        TestModule<double>.AssertClose(Golden.Values("groups/final"), module.Values, 1e-13);
    }

    private static void Follow<T>(string name, Optimizer<T> optimizer, double tolerance)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var module = TestModule<T>.Split(Golden.Values("initial"), 37, 20);
        optimizer.Attach(module);
        var gradients = Golden.Values("gradients");
        for (var step = 1; step <= 12; step++)
        {
            module.SetGradients(gradients.AsSpan((step - 1) * 57, 57));
            optimizer.Step();
            if (!Kept.Contains(step))
            {
                continue;
            }

            TestModule<T>.AssertClose(Golden.Values($"{name}/{step}"), module.Values, tolerance);
            if (optimizer is AveragedSgd<T> averaged)
            {
                var trained = module.Values;
                using (averaged.UseAverages())
                {
                    TestModule<T>.AssertClose(Golden.Values($"{name}/average/{step}"), module.Values, tolerance);
                }

                Assert.Equal(trained, module.Values);
            }
        }
    }

    private static Optimizer<T> Make<T>(string name)
        where T : unmanaged, IFloatingPointIeee754<T> => name switch
        {
            "sgd" => new Sgd<T> { LearningRate = 0.1 },
            "sgd_decay" => new Sgd<T> { LearningRate = 0.1, WeightDecay = 0.05 },
            "sgd_momentum" => new Sgd<T> { LearningRate = 0.05, Momentum = 0.9, WeightDecay = 0.01 },
            "sgd_dampening" => new Sgd<T> { LearningRate = 0.05, Momentum = 0.8, Dampening = 0.3 },
            "sgd_nesterov" => new Sgd<T> { LearningRate = 0.05, Momentum = 0.9, Nesterov = true, WeightDecay = 0.01 },
            "adam" => new Adam<T>(),
            "adam_options" => new Adam<T> { LearningRate = 0.02, Beta1 = 0.8, Beta2 = 0.95, Epsilon = 1e-3, WeightDecay = 0.1 },
            "adamw" => new AdamW<T>(),
            "adamw_options" => new AdamW<T> { LearningRate = 0.02, Beta1 = 0.7, Beta2 = 0.9, Epsilon = 1e-4, WeightDecay = 0.3 },
            "rmsprop" => new RmsProp<T>(),
            "rmsprop_options" => new RmsProp<T> { LearningRate = 2e-3, Alpha = 0.95, Epsilon = 1e-5, WeightDecay = 0.02 },
            "rmsprop_centered" => new RmsProp<T> { LearningRate = 3e-3, Alpha = 0.9, Epsilon = 1e-4, Centered = true },
            "rmsprop_momentum" => new RmsProp<T> { LearningRate = 3e-3, Momentum = 0.7 },
            "rmsprop_all" => new RmsProp<T> { LearningRate = 3e-3, Alpha = 0.9, Epsilon = 1e-4, Momentum = 0.7, Centered = true, WeightDecay = 0.02 },
            "adagrad" => new Adagrad<T>(),
            "adagrad_options" => new Adagrad<T> { LearningRate = 0.1, LearningRateDecay = 0.05, WeightDecay = 0.02, InitialAccumulator = 0.3, Epsilon = 1e-6 },
            "adadelta" => new Adadelta<T>(),
            "adadelta_options" => new Adadelta<T> { LearningRate = 0.5, Rho = 0.8, Epsilon = 1e-4, WeightDecay = 0.02 },
            "nadam" => new NAdam<T>(),
            "nadam_options" => new NAdam<T> { LearningRate = 0.02, Beta1 = 0.8, Beta2 = 0.95, Epsilon = 1e-4, WeightDecay = 0.05, MomentumDecay = 0.1 },
            "averaged" => new AveragedSgd<T>(),
            "averaged_options" => new AveragedSgd<T> { LearningRate = 0.1, Lambda = 0.02, Alpha = 0.6, AverageAfter = 4, WeightDecay = 0.03 },
            _ => throw new ArgumentOutOfRangeException(nameof(name), name, null),
        };
}
