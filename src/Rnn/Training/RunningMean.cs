using Rnn.Formats;

namespace Rnn.Training;

/// <summary>An exponentially weighted mean of losses; the first losses count in full.</summary>
internal struct RunningMean(double keep)
{
    private double _sum;
    private double _weight;

    /// <summary>The mean; NaN before the first loss.</summary>
    internal readonly double Value => _weight > 0 ? _sum / _weight : double.NaN;

    /// <summary>Takes the next loss.</summary>
    internal void Add(double loss)
    {
        _sum = (keep * _sum) + ((1 - keep) * loss);
        _weight = (keep * _weight) + (1 - keep);
    }

    internal readonly void SaveState(StateValues state)
    {
        state.Set("loss_sum", _sum);
        state.Set("loss_weight", _weight);
    }

    internal void RestoreState(StateValues state) => (_sum, _weight) = (state.GetDouble("loss_sum"), state.GetDouble("loss_weight"));
}
