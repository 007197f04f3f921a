using System.Globalization;
using Rnn.Formats;
using Rnn.Sequences;

namespace Rnn.Training;

/// <summary>
/// The non-monotone trigger of NT-ASGD: fires once, when a validation loss is worse than the best one before the last few, and so starts the averaging.
/// </summary>
/// <remarks>Merity, Keskar and Socher, "Regularizing and Optimizing LSTM Language Models" (2018).</remarks>
public sealed class NonMonotoneTrigger
{
    private readonly Queue<double> _recent = new();
    private double _bestBefore = double.PositiveInfinity;

    /// <summary>How many of the last losses do not count; 5 by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public int Interval
    {
        get;
        init => field = OptionRange.AtLeast(0, value, nameof(Interval));
    } = 5;

    /// <summary>Whether it has fired.</summary>
    public bool HasFired { get; private set; }

    /// <summary>Takes the next validation loss.</summary>
    /// <param name="loss">The loss; one that is NaN is neither a best one nor worse than one.</param>
    /// <returns>True once, when the loss is above the smallest one of those more than <see cref="Interval"/> validations ago.</returns>
    public bool Observe(double loss)
    {
        var fires = !HasFired && loss > _bestBefore;
        HasFired |= fires;
        _recent.Enqueue(loss);
        if (_recent.Count > Interval && _recent.Dequeue() is var old && old < _bestBefore)
        {
            _bestBefore = old;
        }

        return fires;
    }

    /// <summary>Saves what the trigger remembers of the losses.</summary>
    /// <param name="state">Where to.</param>
    public void SaveState(StateValues state)
    {
        ArgumentNullException.ThrowIfNull(state);
        state.Set("fired", HasFired ? 1 : 0);
        state.Set("best", _bestBefore);
        state.Set("count", _recent.Count);
        foreach (var (i, loss) in _recent.Index())
        {
            state.Set(string.Create(CultureInfo.InvariantCulture, $"loss{i}"), loss);
        }
    }

    /// <summary>Takes back what <see cref="SaveState"/> saved.</summary>
    /// <param name="state">Where from.</param>
    /// <exception cref="InvalidDataException">The state is damaged or of something else.</exception>
    public void RestoreState(StateValues state)
    {
        ArgumentNullException.ThrowIfNull(state);
        (HasFired, _bestBefore) = (state.GetInt64("fired") != 0, state.GetDouble("best"));
        _recent.Clear();
        for (var i = 0; i < state.GetInt64("count"); i++)
        {
            _recent.Enqueue(state.GetDouble(string.Create(CultureInfo.InvariantCulture, $"loss{i}")));
        }
    }
}
