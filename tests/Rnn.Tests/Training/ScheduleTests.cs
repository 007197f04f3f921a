using Rnn.Tests.Golden;
using Rnn.Training;

namespace Rnn.Tests.Training;

// PyTorch's rates from Golden/write_optimizers.py, there for a learning rate of 1.
public class ScheduleTests
{
    private static readonly GoldenFile Golden = GoldenFile.Open("optimizers.safetensors");

    public static TheoryData<string, Schedule> Schedules() => new()
    {
        { "step", new StepSchedule(7, 0.3) },
        { "multi_step", new MultiStepSchedule([4, 3, 20], 0.5) },
        { "exponential", new ExponentialSchedule(0.9) },
        { "cosine", new CosineSchedule(39) { FinalFactor = 0.1 } },
        { "one_cycle", new OneCycleSchedule(40) },
        { "one_cycle_linear", new OneCycleSchedule(40) { RiseFraction = 0.4, Linear = true, InitialDivisor = 10, FinalDivisor = 100 } },
        { "one_cycle_three", new OneCycleSchedule(40) { RiseFraction = 0.25, ThreePhases = true } },
    };

    [Theory]
    [MemberData(nameof(Schedules))]
    public void RatesAreThoseOfPyTorch(string name, Schedule schedule)
    {
        var expected = Golden.Values($"rates/{name}");
        for (var step = 0; step < 40; step++)
        {
            Assert.Equal(expected[step], schedule.Factor(step), 1e-12);
        }
    }

    [Theory]
    [InlineData("plateau")]
    [InlineData("plateau_options")]
    [InlineData("plateau_absolute")]
    public void PlateausAreThoseOfPyTorch(string name)
    {
        var schedule = name switch
        {
            "plateau" => new PlateauSchedule { Patience = 2 },
            "plateau_options" => new PlateauSchedule { Patience = 1, Gamma = 0.5, Threshold = 0.05, Cooldown = 2, MinFactor = 0.2 },
            _ => new PlateauSchedule { Patience = 1, Gamma = 0.5, Threshold = 0.02, IsAbsolute = true },
        };
        var (losses, expected) = (Golden.Values("plateau/losses"), Golden.Values($"rates/{name}"));
        Assert.Equal(1, schedule.Factor(0));
        var before = 1.0;
        for (var i = 0; i < losses.Length; i++)
        {
            Assert.Equal(expected[i] < before, schedule.Observe(losses[i]));
            Assert.Equal(expected[i], schedule.Factor(i), 1e-12);
            before = expected[i];
        }

        Assert.True(before < 1);
    }

    [Fact]
    public void NaNIsNoImprovement()
    {
        var schedule = new PlateauSchedule { Patience = 0 };
        Assert.False(schedule.Observe(1));
        Assert.True(schedule.Observe(double.NaN));
        Assert.Equal(0.1, schedule.Factor(0), 1e-15);
    }

    [Fact]
    public void WarmUpRisesInAStraightLine()
    {
        var schedule = new CosineSchedule(110) { WarmupSteps = 10, FinalFactor = 0.2 };
        Assert.Equal(1.0 / 11, schedule.Factor(0), 1e-15);
        Assert.Equal(10.0 / 11, schedule.Factor(9), 1e-15);
        Assert.Equal(1, schedule.Factor(10));
        Assert.Equal(0.6, schedule.Factor(60), 1e-15);
        Assert.Equal(0.2, schedule.Factor(110), 1e-15);
        Assert.Equal(0.2, schedule.Factor(100_000), 1e-15);
    }

    [Fact]
    public void AHoldDelaysTheFall()
    {
        // "Constant for four epochs, then halved every epoch."
        Assert.Equal([1, 1, 1, 1, 0.5, 0.25], Enumerable.Range(0, 6).Select(epoch => new StepSchedule(1, 0.5) { Hold = 3 }.Factor(epoch)));
        Assert.Equal([1, 1, 1, 0.97], Enumerable.Range(0, 4).Select(epoch => new ExponentialSchedule(0.97) { Hold = 2 }.Factor(epoch)));
        Assert.Equal(1, new ConstantSchedule().Factor(long.MaxValue));
    }

    [Fact]
    public void ImpossibleOptionsAreNamed()
    {
        Assert.Contains("Size: expected a number of steps above zero but got 0", Assert.Throws<InvalidOperationException>(() => new StepSchedule(0).Factor(1)).Message);
        Assert.Contains("TotalSteps: expected more steps than the warm-up's but got 5", Assert.Throws<InvalidOperationException>(() => new CosineSchedule(5) { WarmupSteps = 5 }.Factor(1)).Message);
        Assert.Contains("two or more TotalSteps", Assert.Throws<InvalidOperationException>(() => new OneCycleSchedule(1).Factor(1)).Message);
    }
}
