using System.Diagnostics;
using System.Numerics;
using Rnn.Kernels;
using Rnn.Training;

namespace Rnn.Tests.Training;

/// <summary>Optimisers at the ends of their element type's range.</summary>
public unsafe class OptimizerRangeTests
{
    public static TheoryData<string> All => [.. Names];

    public static TheoryData<string> Adaptive => [.. Names.Where(name => name is not ("sgd" or "momentum" or "nesterov" or "averaged"))];

    private static string[] Names => ["sgd", "momentum", "nesterov", "averaged", "adam", "adamw", "nadam", "rmsprop", "centered", "rmsmomentum", "adagrad", "adadelta"];

    // One gradient that cannot be squared, then a thousand of one: told, and then as if it had not been.
    [Theory]
    [MemberData(nameof(Adaptive))]
    public void A_gradient_too_large_to_square_is_told_and_changes_nothing(string name)
    {
        Check<float>(1e25);
        Check<float>(double.PositiveInfinity);
        Check<float>(double.NaN);
        Check<double>(1e200);

        void Check<T>(double large)
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            var (module, twin) = (new TestModule<T>([1, 1, 1]), new TestModule<T>([1, 1, 1]));
            var (optimizer, other) = (Make<T>(name), Make<T>(name));
            optimizer.Attach(module);
            other.Attach(twin);
            module.SetGradients([1, large, 1]);
            var error = Assert.Throws<NonFiniteGradientException>(optimizer.Step);
            Assert.Equal(("p0", 1), (error.ParameterName, error.Index));
            Assert.Equal([1, 1, 1], module.Values);
            for (var step = 0; step < 999; step++)
            {
                module.SetGradients([1, 1, 1]);
                twin.SetGradients([1, 1, 1]);
                optimizer.Step();
                other.Step();
            }

            Assert.Equal(twin.Values, module.Values);
            Assert.True(module.Values[1] < 1, $"{name} moved to {module.Values[1]}");
        }
    }

    // The largest gradient that is taken leaves every number finite, and one below what has a square moves no further than others.
    [Theory]
    [MemberData(nameof(Adaptive))]
    public void The_ends_of_the_range_stay_finite(string name)
    {
        Check<float>(9e16, 1e-17);
        Check<double>(9e144, 1e-145);

        void Check<T>(double large, double smallest)
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            foreach (var gradient in new[] { large, smallest / 2, smallest, smallest * 10 })
            {
                var module = new TestModule<T>(new double[19]);
                var optimizer = Make<T>(name, smallest);
                optimizer.Attach(module);
                for (var step = 0; step < 100; step++)
                {
                    module.SetGradients([.. Enumerable.Repeat(gradient, 19)]);
                    optimizer.Step();
                }

                // Equal gradients have no deviation, so the centred form divides by ε alone.
                Assert.All(module.Values, value => Assert.InRange(value, name == "centered" ? -double.MaxValue : -1e4 * optimizer.LearningRate, 0));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Adaptive))]
    public void An_epsilon_that_is_nothing_is_refused(string name)
    {
        foreach (var epsilon in new[] { 0, -1, double.NaN, double.PositiveInfinity, 1e-46, 1e-40, 1e-18, 1e300 })
        {
            Assert.Contains("Epsilon: expected a finite number", Assert.Throws<ArgumentOutOfRangeException>(() => Make<float>(name, epsilon)).Message);
        }

        Assert.Contains("Epsilon", Assert.Throws<ArgumentOutOfRangeException>(() => Make<double>(name, 0)).Message);
        Assert.Contains("Epsilon", Assert.Throws<ArgumentOutOfRangeException>(() => Make<double>(name, 1e-300)).Message);
        Check(Make<float>(name, 1e-16));
        Check(Make<double>(name, 1e-100));

        static void Check<T>(Optimizer<T> optimizer)
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            var module = new TestModule<T>([1, 0]);
            optimizer.Attach(module);
            module.SetGradients([0, 0]);
            optimizer.WeightDecay = 0;
            optimizer.Step();
            Assert.Equal([1, 0], module.Values);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Numbers_are_checked_in_the_element_type(string name)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Make<float>(name).LearningRate = 1e300);
        Assert.Throws<ArgumentOutOfRangeException>(() => Make<float>(name).WeightDecay = double.NaN);
        Make<double>(name).LearningRate = 1e300;
    }

    [Fact]
    public void Every_option_has_its_range()
    {
        Refuses("Beta1", () => new Adam<float> { Beta1 = 1 - 1e-12 }, () => new AdamW<float> { Beta1 = -0.1 }, () => new NAdam<float> { Beta1 = double.NaN });
        Refuses("Beta2", () => new Adam<float> { Beta2 = 1 - 1e-12 }, () => new AdamW<double> { Beta2 = 1 }, () => new NAdam<float> { Beta2 = 2 });
        Refuses("MomentumDecay", () => new NAdam<float> { MomentumDecay = -1 });
        Refuses("Alpha", () => new RmsProp<float> { Alpha = 1 }, () => new AveragedSgd<float> { Alpha = -1 });
        Refuses("Momentum", () => new RmsProp<float> { Momentum = 1 }, () => new Sgd<float> { Momentum = 1 });
        Refuses("Dampening", () => new Sgd<float> { Dampening = -0.1 }, () => new Sgd<float> { Dampening = double.NaN }, () => new Sgd<float> { Dampening = 1.1 });
        Refuses("Rho", () => new Adadelta<float> { Rho = 1 });
        Refuses("Lambda", () => new AveragedSgd<float> { Lambda = -1 });
        Refuses("AverageAfter: expected 0 or more steps but got -1", () => new AveragedSgd<float> { AverageAfter = -1 });
        Refuses("LearningRateDecay", () => new Adagrad<float> { LearningRateDecay = -1 });
        Refuses("InitialAccumulator", () => new Adagrad<float> { InitialAccumulator = 1e300 });

        static void Refuses(string message, params Func<object>[] makes) =>
            Assert.All(makes, make => Assert.Contains(message, Assert.Throws<ArgumentOutOfRangeException>(make).Message));
    }

    // Gradients have stopped: what is left of them decays to nothing, not to numbers that the processor computes with a hundred times slower.
    [Theory]
    [MemberData(nameof(All))]
    public void What_has_decayed_is_zero_in_every_lane(string name)
    {
        Check<float>(1e-30, 1.17549435e-38, 3000);
        Check<double>(1e-290, 2.2250738585072014e-308, 12_000);

        void Check<T>(double smallestMoment, double smallestNormal, int steps)
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            var module = new TestModule<T>(new double[37]);
            var optimizer = Make<T>(name);
            (optimizer.WeightDecay, optimizer.LearningRate) = (0, 1e-3);
            optimizer.Attach(module);
            for (var step = 0; step < steps; step++)
            {
                module.SetGradients([.. Enumerable.Range(0, 37).Select(i => step < 3 ? 0.5 + i : 0)]);
                optimizer.Step();
                if (step % 50 == 0 || step > steps - 3)
                {
                    foreach (var (key, tensor) in optimizer.SavedState().Tensors)
                    {
                        var limit = key.StartsWith("first", StringComparison.Ordinal) || key.StartsWith("momentum", StringComparison.Ordinal) ? smallestMoment : smallestNormal;
                        Assert.All(tensor.ToArray().Select(double.CreateTruncating), value => Assert.True(value == 0 || Math.Abs(value) >= limit, $"{key} has {value}"));
                    }
                }
            }

            foreach (var (key, tensor) in optimizer.SavedState().Tensors.Where(pair => pair.Key.StartsWith("first", StringComparison.Ordinal) || pair.Key.StartsWith("momentum", StringComparison.Ordinal)))
            {
                Assert.All(tensor.ToArray(), value => Assert.Equal(0, double.CreateTruncating(value)));
            }
        }
    }

    [Fact]
    public void Every_width_and_tail_clears_alike()
    {
        foreach (var bits in Simd.SupportedVectorBits)
        {
            Check<float>(bits, 1e-39f);
            Check<double>(bits, 1e-310);
        }

        static void Check<T>(int bits, T denormal)
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            foreach (var length in new[] { 1, 3, 16, 37 })
            {
                var (p, g, s) = (Enumerable.Repeat(denormal, length).ToArray(), new T[length], Enumerable.Repeat(denormal, length).ToArray());
                fixed (T* parameters = p, gradients = g, state = s)
                {
                    Elementwise<T, UpdateSweep<T, Decay<T>>>.For(bits).Loop(new(default, T.One, clear: false, parameters, gradients, state, null, null, length), length);
                }

                Assert.All(p, value => Assert.Equal(T.Zero, value));
                Assert.All(s, value => Assert.Equal(T.Zero, value));
            }
        }
    }

    // Moments of gradients that have stopped cost no more than moments that have not.
    [Fact]
    public void A_step_does_not_become_slow()
    {
        var module = new TestModule<float>([.. Enumerable.Repeat(0.5, 100_000)]);
        var optimizer = new Adam<float>(module);
        var gradients = Enumerable.Repeat(0.1, 100_000).ToArray();
        module.SetGradients(gradients);
        var usual = Fastest(20);
        optimizer.ZeroGradients();
        for (var step = 0; step < 2500; step++)
        {
            optimizer.Step();
        }

        var late = Fastest(20);
        Assert.True(late < 4 * usual, $"{usual} ticks before, {late} after");

        long Fastest(int steps)
        {
            var best = long.MaxValue;
            for (var i = 0; i < steps; i++)
            {
                var start = Stopwatch.GetTimestamp();
                optimizer.Step();
                best = Math.Min(best, Stopwatch.GetTimestamp() - start);
            }

            return best;
        }
    }

    private static Optimizer<T> Make<T>(string name, double? epsilon = null)
        where T : unmanaged, IFloatingPointIeee754<T> => name switch
        {
            "sgd" => new Sgd<T>(),
            "momentum" => new Sgd<T> { Momentum = 0.9 },
            "nesterov" => new Sgd<T> { Momentum = 0.9, Nesterov = true },
            "averaged" => new AveragedSgd<T>(),
            "adam" => new Adam<T> { Epsilon = epsilon ?? 1e-8 },
            "adamw" => new AdamW<T> { Epsilon = epsilon ?? 1e-8, WeightDecay = 0 },
            "nadam" => new NAdam<T> { Epsilon = epsilon ?? 1e-8 },
            "rmsprop" => new RmsProp<T> { Epsilon = epsilon ?? 1e-8 },
            "centered" => new RmsProp<T> { Epsilon = epsilon ?? 1e-8, Alpha = 0.9, Centered = true },
            "rmsmomentum" => new RmsProp<T> { Epsilon = epsilon ?? 1e-8, Momentum = 0.9 },
            "adagrad" => new Adagrad<T> { Epsilon = epsilon ?? 1e-10 },
            "adadelta" => new Adadelta<T> { Epsilon = epsilon ?? 1e-6 },
            _ => throw new ArgumentOutOfRangeException(nameof(name), name, null),
        };

    private readonly struct Decay<T> : IUpdateRule<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public V Apply<V>(V parameter, V gradient, ref V state0, ref V state1, ref V state2)
            where V : struct, IVector<V, T>
        {
            state0 = UpdateMath<T>.Moment(state0);
            return parameter;
        }
    }
}
