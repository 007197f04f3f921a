using Rnn.Sequences;

namespace Rnn.Tests.Sequences;

public sealed class ForecastErrorsTests
{
    [Fact]
    public void Errors_are_those_worked_by_hand()
    {
        double[] actual = [1, 2, 4], forecast = [2, 2, 1];
        Assert.Equal(4.0 / 3, ForecastErrors.MeanAbsolute<double>(actual, forecast), 12);
        Assert.Equal(10.0 / 3, ForecastErrors.MeanSquared<double>(actual, forecast), 12);
        Assert.Equal(Math.Sqrt(10.0 / 3), ForecastErrors.RootMeanSquared<double>(actual, forecast), 12);
    }

    [Fact]
    public void Scaled_errors_divide_by_the_seasonal_naive_forecast_of_the_training_data()
    {
        double[] training = [1, 10, 3, 14], actual = [5, 6], forecast = [4, 8];
        Assert.Equal(1.5 / ((2 + 4) / 2.0), ForecastErrors.MeanAbsoluteScaled<double>(actual, forecast, training, season: 2), 12);
        Assert.Equal(1.5 / ((9 + 7 + 11) / 3.0), ForecastErrors.MeanAbsoluteScaled<double>(actual, forecast, training), 12);
        Assert.Contains("repeats itself", Assert.Throws<ArgumentException>(() => ForecastErrors.MeanAbsoluteScaled<double>(actual, forecast, [1, 2, 1, 2], season: 2)).Message);
        Assert.Contains("more than 4 values", Assert.Throws<ArgumentException>(() => ForecastErrors.MeanAbsoluteScaled<double>(actual, forecast, training, season: 4)).Message);
    }

    [Fact]
    public void The_quantile_loss_weighs_both_sides_and_is_least_at_the_quantile()
    {
        Assert.Equal(((0.9 * 2) + (0.1 * 3)) / 2, ForecastErrors.Quantile<double>([5, 5], [3, 8], 0.9), 12);
        var values = Enumerable.Range(1, 100).Select(i => (double)i).ToArray();
        var best = values.MinBy(value => ForecastErrors.Quantile<double>(values, [.. values.Select(_ => value)], 0.8));
        Assert.InRange(best, 80, 81);
        Assert.Throws<ArgumentOutOfRangeException>(() => ForecastErrors.Quantile<double>([1], [1], 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => ForecastErrors.Quantile<double>([1], [1], double.NaN));
    }

    [Fact]
    public void Coverage_counts_both_ends() =>
        Assert.Equal(0.75, ForecastErrors.Coverage<float>([1, 2, 3, 9], [1, 1, 1, 1], [2, 2, 3, 3]), 12);

    [Fact]
    public void Wrong_inputs_are_named()
    {
        Assert.Contains("expected 2 values", Assert.Throws<ArgumentException>(() => ForecastErrors.MeanAbsolute<float>([1, 2], [1])).Message);
        Assert.Contains("got none", Assert.Throws<ArgumentException>(() => ForecastErrors.MeanSquared<float>([], [])).Message);
        Assert.Contains("upper", Assert.Throws<ArgumentException>(() => ForecastErrors.Coverage<float>([1], [1], [])).Message);
    }
}
