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
    public void Rates_are_those_of_PyTorch(string name, Schedule schedule)
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
    public void Plateaus_are_those_of_PyTorch(string name)
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
    public void NaN_is_no_improvement()
    {
        var schedule = new PlateauSchedule { Patience = 0 };
        Assert.False(schedule.Observe(1));
        Assert.True(schedule.Observe(double.NaN));
        Assert.Equal(0.1, schedule.Factor(0), 1e-15);
    }

    [Fact]
    public void Warm_up_rises_in_a_straight_line()
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
    public void A_hold_delays_the_fall()
    {
        // "Constant for four epochs, then halved every epoch."
        Assert.Equal([1, 1, 1, 1, 0.5, 0.25], Enumerable.Range(0, 6).Select(epoch => new StepSchedule(1, 0.5) { Hold = 3 }.Factor(epoch)));
        Assert.Equal([1, 1, 1, 0.97], Enumerable.Range(0, 4).Select(epoch => new ExponentialSchedule(0.97) { Hold = 2 }.Factor(epoch)));
        Assert.Equal(1, new ConstantSchedule().Factor(long.MaxValue));
    }

    [Fact]
    public void A_line_falls_to_its_end_and_stays_there()
    {
        var schedule = new LinearSchedule(30) { Hold = 10, FinalFactor = 0.5 };
        Assert.Equal([1, 1, 0.875, 0.75, 0.5, 0.5], new double[] { 0, 10, 15, 20, 30, 1000 }.Select(schedule.Factor));
        Assert.Equal(0, new LinearSchedule(1).Factor(1));
        Assert.Equal("LinearSchedule { TotalSteps = 30, Hold = 10, FinalFactor = 0.5 }", schedule.ToString());
        Assert.Contains("with a Hold of 40", Assert.Throws<InvalidOperationException>(() => new LinearSchedule(30) { Hold = 40 }.Factor(0)).Message);
    }

    [Fact]
    public void An_inverse_sigmoid_is_a_half_at_k_times_ln_k()
    {
        var schedule = new InverseSigmoidSchedule(100);
        Assert.Equal(100.0 / 101, schedule.Factor(0), 1e-15);
        Assert.Equal(0.5, schedule.Factor(100 * Math.Log(100)), 1e-12);
        Assert.Equal(100 / (100 + Math.Exp(7)), schedule.Factor(700), 1e-12);
        Assert.Equal(0, schedule.Factor(1e9));
        Assert.Equal("InverseSigmoidSchedule { K = 100 }", schedule.ToString());
    }

    [Fact]
    public void Impossible_options_are_named()
    {
        Refuses("Size: expected a number of steps above zero but got 0", () => new StepSchedule(0), () => new StepSchedule(1) { Size = 0 });
        Refuses("Size", () => new StepSchedule(double.NaN), () => new StepSchedule(double.PositiveInfinity));
        Refuses("Gamma", () => new StepSchedule(1, -1), () => new MultiStepSchedule([1], double.NaN), () => new ExponentialSchedule(-0.1), () => new ExponentialSchedule(1) { Gamma = -1 });
        Refuses("Hold", () => new StepSchedule(1) { Hold = -1 }, () => new ExponentialSchedule(1) { Hold = double.NaN });
        Refuses("Milestones", () => new MultiStepSchedule([1, double.NaN]), () => new MultiStepSchedule([-1]), () => new MultiStepSchedule([1]) { Milestones = [-2] });
        Refuses("TotalSteps", () => new CosineSchedule(0), () => new CosineSchedule(double.NaN), () => new CosineSchedule(5) { TotalSteps = -1 });
        Refuses("WarmupSteps", () => new CosineSchedule(5) { WarmupSteps = -1 }, () => new CosineSchedule(5) { WarmupSteps = double.NaN });
        Refuses("FinalFactor", () => new CosineSchedule(5) { FinalFactor = -0.1 });
        Refuses("TotalSteps", () => new LinearSchedule(0), () => new LinearSchedule(5) { TotalSteps = double.NaN });
        Refuses("Hold", () => new LinearSchedule(5) { Hold = -1 });
        Refuses("K: expected 1 or more but got 0.5", () => new InverseSigmoidSchedule(0.5), () => new InverseSigmoidSchedule(2) { K = 0.5 });
        Refuses("TotalSteps: expected two or more but got 1", () => new OneCycleSchedule(1), () => new OneCycleSchedule(5) { TotalSteps = 1 });
        Refuses("RiseFraction", () => new OneCycleSchedule(5) { RiseFraction = 1.1 }, () => new OneCycleSchedule(5) { RiseFraction = double.NaN });
        Refuses("InitialDivisor", () => new OneCycleSchedule(5) { InitialDivisor = 0 });
        Refuses("FinalDivisor", () => new OneCycleSchedule(5) { FinalDivisor = -1 });
        Refuses("Gamma", () => new PlateauSchedule { Gamma = 1 }, () => new PlateauSchedule { Gamma = -0.1 });
        Refuses("Patience", () => new PlateauSchedule { Patience = -1 });
        Refuses("Threshold", () => new PlateauSchedule { Threshold = -1 }, () => new PlateauSchedule { Threshold = double.NaN });
        Refuses("Cooldown", () => new PlateauSchedule { Cooldown = -1 });
        Refuses("MinFactor", () => new PlateauSchedule { MinFactor = 1.5 }, () => new PlateauSchedule { MinFactor = -1 });
        Refuses("Interval", () => new NonMonotoneTrigger { Interval = -1 });
        Refuses("Tolerance", () => new GradientCheckOptions { Tolerance = 0 });
        Refuses("Step", () => new GradientCheckOptions { Step = double.NaN });
        Refuses("MaximumEntries", () => new GradientCheckOptions { MaximumEntries = 0 });
        Assert.Contains("RiseFraction: expected at most 0.5 with ThreePhases", Assert.Throws<InvalidOperationException>(() => new OneCycleSchedule(5) { RiseFraction = 0.6, ThreePhases = true }.Factor(0)).Message);
        Assert.Contains("TotalSteps: expected more steps than the warm-up's but got 5", Assert.Throws<InvalidOperationException>(() => new CosineSchedule(5) { WarmupSteps = 5 }.Factor(1)).Message);

        static void Refuses(string message, params Func<object>[] makes) =>
            Assert.All(makes, make => Assert.Contains(message, Assert.Throws<ArgumentOutOfRangeException>(make).Message));
    }

    // Tiny lengths, both ends of every fraction, steps far past the end: never NaN, never below zero, never above the peak.
    [Fact]
    public void Every_factor_is_a_number()
    {
        var schedules = new List<Schedule>
        {
            new ConstantSchedule(), new StepSchedule(1e-3), new StepSchedule(2, 0) { Hold = 1 }, new MultiStepSchedule([]), new MultiStepSchedule([0, 0, 3], 0), new ExponentialSchedule(0),
            new ExponentialSchedule(1) { Hold = 5 }, new CosineSchedule(1e-3), new CosineSchedule(1), new CosineSchedule(2) { WarmupSteps = 1 }, new PlateauSchedule { Gamma = 0 },
        };
        foreach (var total in new[] { 2, 2.5, 3, 10, 40 })
        {
            foreach (var rise in new[] { 0, 0.05, 0.1, 0.25, 1.0 / 3, 0.4, 0.5, 0.9, 1 })
            {
                schedules.Add(new OneCycleSchedule(total) { RiseFraction = rise });
                schedules.Add(new OneCycleSchedule(total) { RiseFraction = rise, Linear = true });
                schedules.Add(new OneCycleSchedule(total) { RiseFraction = rise / 2, ThreePhases = true });
            }
        }

        foreach (var schedule in schedules)
        {
            foreach (var step in new[] { 0, 1e-3, 0.5, 1, 1.5, 2, 3, 9, 10, 11, 39, 40, 41, 1e6, 1e300, double.MaxValue, double.PositiveInfinity })
            {
                Assert.True(schedule.Factor(step) is >= 0 and <= 1, $"{schedule}: {schedule.Factor(step)} at step {step}");
            }

            if (schedule is not (ConstantSchedule or PlateauSchedule))
            {
                Assert.Throws<ArgumentOutOfRangeException>(() => schedule.Factor(-1));
                Assert.Throws<ArgumentOutOfRangeException>(() => schedule.Factor(double.NaN));
            }
        }
    }

    [Fact]
    public void One_cycle_is_at_its_peak_where_the_rise_ends()
    {
        Assert.Equal(1, new OneCycleSchedule(10) { RiseFraction = 0.1 }.Factor(0));
        Assert.Equal(1, new OneCycleSchedule(10) { RiseFraction = 0.5 }.Factor(4));
        Assert.Equal(1, new OneCycleSchedule(10) { RiseFraction = 1 }.Factor(9));
        Assert.Equal(0.04 / 1e4, new OneCycleSchedule(10) { RiseFraction = 0.1 }.Factor(9), 1e-15);
        Assert.Equal(0.04 / 1e4, new OneCycleSchedule(10) { RiseFraction = 0.1 }.Factor(1000), 1e-15);
    }

    // A step is in the interval that begins with it, a milestone counts from its own step on, a warm-up ends with its last.
    [Fact]
    public void Borders_belong_to_what_begins_there()
    {
        Assert.Equal([1, 1, 1, 0.5, 0.5, 0.5, 0.25], Enumerable.Range(0, 7).Select(step => new StepSchedule(3, 0.5).Factor(step)));
        Assert.Equal([1, 1, 0.5, 0.5, 0.25], Enumerable.Range(0, 5).Select(step => new MultiStepSchedule([2, 4], 0.5).Factor(step)));
        Assert.Equal([0.5, 1, 0], Enumerable.Range(0, 3).Select(step => new CosineSchedule(2) { WarmupSteps = 1 }.Factor(step)));
    }

    // Patience 2: the third loss in a row that does not improve makes it fall; the threshold itself is no improvement; a cool-down swallows its losses.
    [Fact]
    public void A_plateau_counts_exactly()
    {
        Assert.Equal([false, false, false, true, false, false, true], Falls(new PlateauSchedule { Patience = 2 }, 1, 1, 1, 1, 1, 1, 1));
        Assert.Equal([false, true, false], Falls(new PlateauSchedule { Patience = 0, Threshold = 0.25, IsAbsolute = true }, 1, 0.75, 0.5));
        Assert.Equal([false, true, false, false, true], Falls(new PlateauSchedule { Patience = 0, Cooldown = 2 }, 1, 1, 1, 1, 1));
        Assert.Equal([false, true, false], Falls(new PlateauSchedule { Patience = 0, Gamma = 0.5, MinFactor = 0.5 }, 1, 1, 1));
        Assert.Equal([true, false, true], Falls(new PlateauSchedule { Patience = 0 }, double.NaN, 1, double.NaN));

        static bool[] Falls(PlateauSchedule schedule, params double[] losses) => [.. losses.Select(schedule.Observe)];
    }

    [Fact]
    public void A_trigger_looks_behind_the_last_losses()
    {
        Assert.Equal([false, false, false, true, false, false], Fires(1, 5, double.NaN, 3, 9, 9, 9));
        Assert.Equal([false, false, false, false, true, false], Fires(1, 5, 5, 4, 4, 4.5, 9));
        Assert.Equal([false, false, false, true], Fires(2, 1, 5, 1, 5));
        Assert.Equal([false, true], Fires(0, 1, 2));
        Assert.Equal([false, false, false, true], Fires(1, double.NaN, 1, double.NaN, 2));

        static bool[] Fires(int interval, params double[] losses)
        {
            var trigger = new NonMonotoneTrigger { Interval = interval };
            var fires = losses.Select(trigger.Observe).ToArray();
            Assert.Equal(fires.Contains(true), trigger.HasFired);
            return fires;
        }
    }
}
