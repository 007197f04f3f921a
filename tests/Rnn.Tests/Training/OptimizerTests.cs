using System.Numerics;
using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Training;

public class OptimizerTests
{
    [Fact]
    public void Attaching_moves_parameters_into_one_block_and_keeps_values_and_gradients()
    {
        var module = new TestModule<float>([1, 2, 3], [], [4], Enumerable.Range(0, 129).Select(i => (double)i).ToArray());
        module.SetGradients(Enumerable.Range(0, 133).Select(i => i * 0.5).ToArray());
        var (values, gradients, tensors) = (module.Values, module.Gradients, module.Parameters.Select(parameter => parameter.Value).ToArray());
        var version = tensors[0].Version;
        var optimizer = new Sgd<float>(module);
        Assert.Equal(values, module.Values);
        Assert.Equal(gradients, module.Gradients);
        Assert.Equal(tensors, module.Parameters.Select(parameter => parameter.Value));
        Assert.Equal(version, tensors[0].Version);
        Assert.All(optimizer.Block.Slots, slot => Assert.Equal(0, slot.Offset % 16));
        unsafe
        {
            Assert.Equal(0, (nint)optimizer.Block.Values % 64);
            Assert.Equal(0, (nint)optimizer.Block.Gradients % 64);
            var block = new Span<float>(optimizer.Block.Values, optimizer.Block.Length);
            Assert.Equal([1, 2, 3, 0, 0], block[..5]);
            tensors[2].AsSpan()[0] = 99;
            Assert.Equal(99, block[16]);
        }

        optimizer.ZeroGradients();
        Assert.All(module.Gradients, gradient => Assert.Equal(0, gradient));
    }

    [Fact]
    public void Aliases_follow_a_parameter_into_the_block()
    {
        var module = new TestModule<double>([1, 2, 3, 4], [5]);
        var parameter = module.Parameters.First();
        var (detached, reshaped) = (parameter.Value.Detach(), parameter.Value.Detach().Reshape(2, 2));
        var recorded = parameter.Value.Reshape(2, 2);
        var before = parameter.Value.Square().Sum();
        var optimizer = new Sgd<double>(module) { LearningRate = 1 };
        before.Backward();
        Assert.Equal([2, 4, 6, 8, 0], module.Gradients);
        optimizer.ZeroGradients();
        parameter.Value[0] = 9;
        Assert.Equal([9.0, 2, 3, 4], detached.ToArray());
        reshaped[1, 1] = 7;
        Assert.Equal([9, 2, 3, 7, 5], module.Values);
        (recorded * recorded).Sum().Backward();
        optimizer.Step();
        Assert.Equal([-9.0, -2, -3, -7], detached.ToArray());

        // A second optimiser takes the aliases along, too.
        var thief = new Sgd<double>(module) { LearningRate = 1 };
        detached[3] = 1;
        Assert.Equal([-9, -2, -3, 1, 5], module.Values);
        Assert.Equal([-9.0, -2, -3, 1], reshaped.ToArray());
        Assert.Throws<InvalidOperationException>(optimizer.Step);
        thief.ZeroGradients();
        thief.Step();
    }

    [Fact]
    public void Parameters_have_versions_of_their_own_and_a_step_marks_what_it_updates()
    {
        var module = new TestModule<double>([1], [2], [3]);
        var parameters = module.Parameters.ToArray();
        parameters[2].Frozen = true;
        var optimizer = new Sgd<double>(module);
        var versions = Versions();
        parameters[1].Value[0] = 5;
        Assert.Equal([false, true, false], Changed());
        optimizer.Step();
        Assert.Equal([true, true, false], Changed());
        optimizer.ZeroGradients();
        Assert.Equal([false, false, false], Changed());

        int[] Versions() => [.. parameters.Select(parameter => parameter.Value.Version)];

        bool[] Changed()
        {
            var before = versions;
            versions = Versions();
            return [.. versions.Zip(before, (now, then) => now != then)];
        }
    }

    [Fact]
    public void A_parameter_made_inside_a_scope_outlives_it_once_it_is_in_a_block()
    {
        Sgd<double> optimizer;
        TestModule<double> module;
        using (TensorScope.Enter())
        {
            module = TestModule<double>.Of(Tensor<double>.Full(2, 3));
            optimizer = new(module) { LearningRate = 1 };
        }

        module.SetGradients([1, 1, 1]);
        optimizer.Step();
        Assert.Equal([1, 1, 1], module.Values);
    }

    [Fact]
    public void Parameters_that_share_memory_are_refused()
    {
        var first = new TestModule<double>([1, 2]);
        var second = TestModule<double>.Of(first.Parameters.Single().Value.Detach());
        var error = Assert.Throws<ArgumentException>(() => new Sgd<double>().Attach(new ParameterGroup<double>(first), new ParameterGroup<double>(second)));
        Assert.Contains("shares its memory with another", error.Message);
    }

    [Fact]
    public void A_loss_reaches_the_block_and_a_step_changes_the_parameters()
    {
        var module = new TestModule<double>([1, -2], [3]);
        var optimizer = new Sgd<double> { LearningRate = 0.5 };
        optimizer.Attach(module);
        var (a, b) = (module.Parameters.First(), module.Parameters.Last());
        var version = a.Value.Version;
        (a.Value * a.Value * b.Value).Sum().Backward();
        Assert.Equal([6, -12, 5], module.Gradients);
        optimizer.Step();
        Assert.Equal([-2, 4, 0.5], module.Values);
        Assert.NotEqual(version, a.Value.Version);
    }

    [Fact]
    public void A_frozen_parameter_stays_and_joins_later_as_new()
    {
        var module = new TestModule<double>([1], [1], [1]);
        var parameters = module.Parameters.ToArray();
        parameters[1].Frozen = true;
        var optimizer = new Adam<double>(module) { LearningRate = 0.1, WeightDecay = 0.5 };
        for (var step = 0; step < 3; step++)
        {
            module.SetGradients([0.3, 0.3, 0.3]);
            optimizer.Step();
        }

        Assert.Equal(1, module.Values[1]);
        Assert.Equal(module.Values[0], module.Values[2]);

        // A bias correction of its own: the first step of Adam goes as far as the learning rate, whatever the gradient.
        parameters[1].Frozen = false;
        module.SetGradients([0.3, 0.3, 0.3]);
        optimizer.Step();
        Assert.Equal(0.9, module.Values[1], 1e-8);
        Assert.Equal(module.Values[0], module.Values[2]);
    }

    [Fact]
    public void A_shared_parameter_is_updated_once()
    {
        var first = new TestModule<double>([2]);
        var parameter = first.Parameters.Single();
        var optimizer = new Sgd<double>([parameter, parameter]) { LearningRate = 1 };
        first.SetGradients([0.25]);
        optimizer.Step();
        Assert.Equal([1.75], first.Values);

        var both = new Two<double>(first, new TestModule<double>([parameter]));
        var other = new Sgd<double>(both) { LearningRate = 1 };
        Assert.Single(other.Block.Slots);
        other.Step();
        Assert.Equal([1.5], first.Values);
    }

    [Fact]
    public void Mistakes_are_named()
    {
        var module = new TestModule<float>([1], [2]);
        var parameters = module.Parameters.ToArray();
        Assert.Contains("Adam has no parameters yet; call Attach(model)", Assert.Throws<InvalidOperationException>(() => new Adam<float>().Step()).Message);
        var optimizer = new Sgd<float>(module);
        Assert.True(optimizer.IsAttached);
        Assert.Contains("has its parameters already", Assert.Throws<InvalidOperationException>(() => optimizer.Attach(module)).Message);
        var twice = Assert.Throws<ArgumentException>(() => new Sgd<float>().Attach(new ParameterGroup<float>(module), new ParameterGroup<float>([parameters[1]])));
        Assert.Contains("the parameter p1 [1] is in two groups", twice.Message);
        var thief = new Sgd<float>([parameters[1]]);
        Assert.Contains("'p1' was attached to another optimiser", Assert.Throws<InvalidOperationException>(optimizer.Step).Message);
        thief.Step();
    }

    [Fact]
    public void Options_out_of_range_are_named()
    {
        Assert.Contains("LearningRate: expected a finite number of zero or more but got -1", Assert.Throws<ArgumentOutOfRangeException>(() => new Sgd<float> { LearningRate = -1 }).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sgd<float> { LearningRate = double.NaN });
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sgd<float> { WeightDecay = double.PositiveInfinity });
        Assert.Throws<ArgumentOutOfRangeException>(() => new Sgd<float> { LearningRateFactor = -0.1 });
        Assert.Contains("Beta1: expected a number from 0 up to but not including 1 but got 1", Assert.Throws<ArgumentOutOfRangeException>(() => new Adam<float> { Beta1 = 1 }).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new Adam<float> { Epsilon = -1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new RmsProp<float> { Momentum = 1.5 });
        var nesterov = new Sgd<float>(new TestModule<float>([1])) { Nesterov = true };
        Assert.Contains("Momentum above zero", Assert.Throws<InvalidOperationException>(nesterov.Step).Message);
    }

    // A network with no parameters at all, and one of empty parameters: nothing to do is not an error.
    [Fact]
    public void No_parameters_are_fine()
    {
        var empty = new Adam<double>(new TestModule<double>());
        empty.Step();
        Assert.Equal(0, GradientClipping.GlobalNorm(empty));
        var hollow = new Adam<double>(new TestModule<double>([], []));
        hollow.Step();
        hollow.ZeroGradients();
    }

    [Fact]
    public void The_fused_step_is_scale_step_and_clear()
    {
        var values = Numbers(1, 129);
        var (one, two) = (new TestModule<float>(values[..37], values[37..]), new TestModule<float>(values[..37], values[37..]));
        var (plain, fused) = (new AdamW<float>(one), new AdamW<float>(two));
        for (var step = 0; step < 5; step++)
        {
            var gradients = Numbers(step + 2, 129);
            one.SetGradients(gradients);
            two.SetGradients(gradients);
            var scale = GradientClipping.ScaleFor(GradientClipping.ByGlobalNorm(plain, 0.5), 0.5);
            plain.Step();
            fused.Step(scale, clearGradients: true);
        }

        Assert.Equal(one.Values, two.Values);
        Assert.All(two.Gradients, gradient => Assert.Equal(0, gradient));
    }

    [Fact]
    public void A_step_allocates_nothing()
    {
        var module = new TestModule<float>(Numbers(1, 129), Numbers(2, 17));
        var optimizer = new Adam<float>(module);
        double norm = 0;
        for (var warm = 0; warm < 3; warm++)
        {
            Run();
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        Run();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Run()
        {
            norm += GradientClipping.ByGlobalNorm(optimizer, 1);
            GradientClipping.ByValue(optimizer, 1);
            optimizer.Step();
            optimizer.ZeroGradients();
        }
    }

    private static double[] Numbers(int seed, int count)
    {
        var random = new RandomSource((ulong)seed);
        return [.. Enumerable.Range(0, count).Select(_ => (double)(float)random.NextNormal())];
    }

    private sealed class Two<T> : Module<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public Two(Module<T> first, Module<T> second)
        {
            AddModule("first", first);
            AddModule("second", second);
        }
    }
}
