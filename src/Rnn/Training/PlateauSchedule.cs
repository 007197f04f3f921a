using System.Globalization;
using Rnn.Formats;
using Rnn.Sequences;

namespace Rnn.Training;

/// <summary>
/// Multiplies the learning rate when a validation loss has not improved for a while. Unlike the other schedules it has a state, which <see cref="Observe"/> changes:
/// make one for each training. A schedule that was used before keeps the factor that it has reached.
/// </summary>
public sealed class PlateauSchedule : Schedule
{
    private double _factor = 1;
    private double _best = double.PositiveInfinity;
    private int _bad;
    private int _cooling;

    /// <summary>γ, the factor of one fall, from 0 up to but not including 1; 0.1 by default.</summary>
    public double Gamma
    {
        get;
        init => field = OptionRange.BelowOne(value, nameof(Gamma));
    } = 0.1;

    /// <summary>How many losses in a row may fail to improve before the fall; 10 by default.</summary>
    public int Patience
    {
        get;
        init => field = OptionRange.AtLeast(0, value, nameof(Patience));
    } = 10;

    /// <summary>What counts as an improvement: a loss below best·(1 − threshold), or below best − threshold if <see cref="IsAbsolute"/>; 1e-4 by default.</summary>
    public double Threshold
    {
        get;
        init => field = OptionRange.NotNegative(value, nameof(Threshold));
    } = 1e-4;

    /// <summary>Whether the threshold is an absolute difference.</summary>
    public bool IsAbsolute { get; init; }

    /// <summary>How many losses after a fall do not count; 0 by default.</summary>
    public int Cooldown
    {
        get;
        init => field = OptionRange.AtLeast(0, value, nameof(Cooldown));
    }

    /// <summary>The factor that it does not fall below, from 0 (the default) to 1.</summary>
    public double MinFactor
    {
        get;
        init => field = OptionRange.Within(value, 0, 1, nameof(MinFactor));
    }

    /// <summary>Takes the next validation loss.</summary>
    /// <param name="loss">The loss; NaN counts as no improvement.</param>
    /// <returns>Whether the learning rate falls by it.</returns>
    public bool Observe(double loss)
    {
        var limit = IsAbsolute ? _best - Threshold : _best - (Math.Abs(_best) * Threshold);
        if (double.IsInfinity(_best) ? loss < _best : loss < limit)
        {
            _best = loss;
            _bad = 0;
        }
        else
        {
            _bad++;
        }

        if (_cooling > 0)
        {
            _cooling--;
            _bad = 0;
        }

        if (_bad <= Patience)
        {
            return false;
        }

        var before = _factor;
        _factor = Math.Max(_factor * Gamma, MinFactor);
        _cooling = Cooldown;
        _bad = 0;
        return _factor < before;
    }

    /// <inheritdoc/>
    public override double Factor(double step) => _factor;

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{nameof(PlateauSchedule)} {{ Gamma = {Gamma}, Patience = {Patience}, Threshold = {Threshold}, IsAbsolute = {IsAbsolute}, Cooldown = {Cooldown}, MinFactor = {MinFactor} }}");

    /// <inheritdoc/>
    public override void SaveState(StateValues state)
    {
        ArgumentNullException.ThrowIfNull(state);
        state.Set("factor", _factor);
        state.Set("best", _best);
        state.Set("bad", _bad);
        state.Set("cooling", _cooling);
    }

    /// <inheritdoc/>
    public override void RestoreState(StateValues state)
    {
        ArgumentNullException.ThrowIfNull(state);
        (_factor, _best) = (state.GetDouble("factor"), state.GetDouble("best"));
        (_bad, _cooling) = ((int)state.GetInt64("bad"), (int)state.GetInt64("cooling"));
    }
}
