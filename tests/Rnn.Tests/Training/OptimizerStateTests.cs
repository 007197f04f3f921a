using Rnn.Formats;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Tests.Training;

public class OptimizerStateTests
{
    public static TheoryData<string> Names() => ["Sgd", "RmsProp", "Adam", "AdamW", "Adagrad", "Adadelta", "NAdam", "AveragedSgd"];

    // Six steps in one go, or three, then the rest by a new optimiser and model from what was saved: the same bits.
    [Theory]
    [MemberData(nameof(Names))]
    public void Training_goes_on_from_a_saved_state(string name)
    {
        var straight = new TestModule<float>(Numbers(0, 37), Numbers(1, 3));
        var optimizer = Make(name);
        optimizer.Attach(straight);
        Run(straight, optimizer, 0, 6);

        var first = new TestModule<float>(Numbers(0, 37), Numbers(1, 3));
        var before = Make(name);
        before.Attach(first);
        Run(first, before, 0, 3);
        var saved = ThroughAFile(before.SavedState());

        var values = first.Values;
        var second = new TestModule<float>(values[..37], values[37..]);
        var after = Make(name);
        after.Attach(second);
        after.RestoreState(saved);
        Run(second, after, 3, 6);
        Assert.Equal(straight.Values, second.Values);
        Assert.Equal(optimizer.SavedState().Values, after.SavedState().Values);
    }

    [Fact]
    public void States_are_named_after_their_parameters()
    {
        var module = new TestModule<float>([1, 2], [3]);
        var optimizer = new Adam<float>(module);
        Assert.Empty(optimizer.SavedState().Tensors);
        optimizer.Step();
        Assert.Equal(
            ["first_moment.p0", "first_moment.p1", "second_moment.p0", "second_moment.p1"],
            optimizer.SavedState().Tensors.Keys.Order());
        Assert.Equal(new Shape(2), optimizer.SavedState().Tensors["second_moment.p0"].Shape);
        Assert.Equal("1,1", optimizer.SavedState().Values["optimizer_steps"]);
    }

    [Fact]
    public void A_foreign_state_is_refused_and_changes_nothing()
    {
        var module = new TestModule<float>([1, 2], [3]);
        var optimizer = new Adam<float>(module);
        module.SetGradients([1, 2, 3]);
        optimizer.Step();
        var good = optimizer.SavedState();
        var before = good.Tensors["first_moment.p0"].ToArray();

        var other = new Sgd<float>(new TestModule<float>([1]));
        Assert.Contains("expected the state of Sgd but got that of Adam", Assert.Throws<ArgumentException>(() => other.RestoreState(good)).Message);
        Assert.Contains("no optimiser", Assert.Throws<ArgumentException>(() => optimizer.RestoreState(Without(good, good.Values.Keys))).Message);
        var larger = new Adam<float>(new TestModule<float>([1, 2], [3], [4]));
        Assert.Contains("expected 3 step counts", Assert.Throws<ArgumentException>(() => larger.RestoreState(good)).Message);
        var reshaped = new Adam<float>(new TestModule<float>([1, 2, 3], [3]));
        Assert.Contains("expected 'first_moment.p0' of shape [3] but it is [2]", Assert.Throws<ArgumentException>(() => reshaped.RestoreState(good)).Message);
        Assert.Contains("'second_moment.p1' of shape [1] but it is missing", Assert.Throws<ArgumentException>(() => optimizer.RestoreState(Without(good, ["second_moment.p1"]))).Message);
        Assert.Equal(before, optimizer.SavedState().Tensors["first_moment.p0"].ToArray());
        Assert.Equal("1,1", optimizer.SavedState().Values["optimizer_steps"]);
    }

    [Fact]
    public void Averages_take_the_place_of_parameters_until_disposed()
    {
        var module = new TestModule<double>([0], [5]);
        module.Parameters.Last().Frozen = true;
        var optimizer = new AveragedSgd<double>(module) { LearningRate = 1, Lambda = 0, AverageAfter = 1000 };
        using (optimizer.UseAverages())
        {
            Assert.Equal([0, 5], module.Values);
        }

        Step(-1);
        Step(-1);
        Assert.False(optimizer.IsAveraging);
        optimizer.StartAveraging();
        Step(-2);
        Step(-2);
        Step(-2);
        Assert.True(optimizer.IsAveraging);
        Assert.Equal([8, 5], module.Values);

        // After the start at step 2 the averages run over the values 6 and 8 and not over the 4 of the first step, as PyTorch counts.
        using (optimizer.UseAverages())
        {
            Assert.Equal([7, 5], module.Values);
            Assert.Contains("in the parameters' place", Assert.Throws<InvalidOperationException>(optimizer.UseAverages).Message);
            Assert.Contains("in the parameters' place", Assert.Throws<InvalidOperationException>(optimizer.Step).Message);
        }

        Assert.Equal([8, 5], module.Values);

        void Step(double gradient)
        {
            module.SetGradients([gradient, 1]);
            optimizer.Step();
        }
    }

    // By hand: with an interval of two, a loss is compared with the best of those at least three before it.
    [Fact]
    public void The_non_monotone_trigger_fires_once()
    {
        var trigger = new NonMonotoneTrigger { Interval = 2 };
        Assert.Equal([false, false, false, false, true, false], new double[] { 5, 4, 3, 4.5, 5.5, 9 }.Select(trigger.Observe));
        Assert.True(trigger.HasFired);
        var improving = new NonMonotoneTrigger();
        Assert.DoesNotContain(true, Enumerable.Range(0, 20).Select(i => improving.Observe(-i)));
    }

    private static StateTree<float> Without(StateTree<float> state, IEnumerable<string> names)
    {
        var copy = new StateTree<float>();
        foreach (var (name, tensor) in state.Tensors.Where(pair => !names.Contains(pair.Key)))
        {
            copy.Add(name, tensor);
        }

        foreach (var (name, text) in state.Values.Where(pair => !names.Contains(pair.Key)))
        {
            copy.Set(name, text);
        }

        return copy;
    }

    private static StateTree<float> ThroughAFile(StateTree<float> state)
    {
        using var stream = new MemoryStream();
        SafeTensors.Write(stream, state.Tensors, state.Values);
        stream.Position = 0;
        var file = SafeTensors.Read(stream);
        var read = new StateTree<float>();
        foreach (var entry in file.Entries)
        {
            read.Add(entry.Name, file.Get<float>(entry.Name));
        }

        foreach (var (name, text) in file.Metadata)
        {
            read.Set(name, text);
        }

        return read;
    }

    private static void Run(TestModule<float> module, Optimizer<float> optimizer, int from, int to)
    {
        for (var step = from; step < to; step++)
        {
            module.SetGradients(Numbers(step + 10, 40));
            optimizer.Step();
        }
    }

    private static Optimizer<float> Make(string name) => name switch
    {
        "Sgd" => new Sgd<float> { Momentum = 0.9, Dampening = 0.2 },
        "RmsProp" => new RmsProp<float> { Momentum = 0.5, Centered = true },
        "Adam" => new Adam<float>(),
        "AdamW" => new AdamW<float>(),
        "Adagrad" => new Adagrad<float> { LearningRateDecay = 0.1, InitialAccumulator = 0.1 },
        "Adadelta" => new Adadelta<float>(),
        "NAdam" => new NAdam<float>(),
        "AveragedSgd" => new AveragedSgd<float> { AverageAfter = 2 },
        _ => throw new ArgumentOutOfRangeException(nameof(name)),
    };

    private static double[] Numbers(int seed, int count)
    {
        var random = new RandomSource((ulong)seed);
        return [.. Enumerable.Range(0, count).Select(_ => (double)(float)random.NextNormal())];
    }
}
