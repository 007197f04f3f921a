using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Training;

/// <summary>
/// All ways in which the labels of one row can be spread over its steps. There are S = 2U + 1 states: a blank, the first label, a blank, …, the last label, a blank. A way begins in one of the first two states, goes
/// on in the same state, the next one, or from a label to the next label where the two differ, and ends in one of the last two.
/// </summary>
/// <remarks>
/// α[t, s] is the logarithm of the probability of all ways up to step t that end in state s; β[t, s] that of all ways from there on, without step t itself. Where nothing leads, both are −∞.
/// </remarks>
internal readonly unsafe struct CtcLattice<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const double Impossible = double.NegativeInfinity;

    private readonly T* _x;
    private readonly int _steps;
    private readonly int _classes;
    private readonly int[] _labels;
    private readonly int _blank;
    private readonly bool _keep;
    private readonly int _states;

    // Of each step the largest logit and Σ e^(x − largest).
    private readonly double* _statistics;

    private readonly double* _alphas;

    internal CtcLattice(T* x, int steps, int classes, int[] labels, int blank, double* scratch, bool keep)
    {
        _x = x;
        (_steps, _classes, _labels, _blank, _keep) = (steps, classes, labels, blank, keep);
        _states = (2 * labels.Length) + 1;
        _statistics = scratch;
        _alphas = scratch + (2 * (nint)steps);
    }

    /// <summary>S.</summary>
    internal static long States(int[] labels) => (2L * labels.Length) + 1;

    /// <summary>The scratch memory of a row: statistics, then α of two steps, or of all and two steps of β and the share of each state.</summary>
    internal static long ScratchLength(int steps, int[] labels, bool keep) => (2L * steps) + (States(labels) * (keep ? steps + 3L : 2));

    /// <summary>log p of the labels: the sum over all ways.</summary>
    internal double Forward()
    {
        if (_steps == 0)
        {
            return _labels.Length == 0 ? 0 : Impossible;
        }

        for (var t = 0; t < _steps; t++)
        {
            var (largest, sum) = RowKernels<T>.Current.SoftmaxStatistics(_x + ((nint)t * _classes), _classes);
            _statistics[2 * t] = double.CreateTruncating(largest);
            _statistics[(2 * t) + 1] = double.CreateTruncating(sum);
            var now = Alphas(t);
            new Span<double>(now, _states).Fill(Impossible);
            var y = new StepLogarithms(this, t);
            var (low, high) = (Low(t), High(t));
            if (t == 0)
            {
                for (var s = low; s <= high; s++)
                {
                    now[s] = y.Of(s);
                }

                continue;
            }

            var before = Alphas(t - 1);
            for (var s = low; s <= high; s++)
            {
                now[s] = y.Of(s) + Sum(before[s], s > 0 ? before[s - 1] : Impossible, Skips(s) ? before[s - 2] : Impossible);
            }
        }

        var last = Alphas(_steps - 1);
        return Sum(last[_states - 1], _states > 1 ? last[_states - 2] : Impossible, Impossible);
    }

    /// <summary>Writes or adds scale·(softmax(x) − share of the ways that are in each class at each step), the gradient of scale·loss. To be called after <see cref="Forward"/> that keeps α.</summary>
    internal void Backward(double loss, double scale, T* gradient, bool overwrite)
    {
        // What lies ahead of a state: β and its own step, of the step that was done last and of this one.
        var ahead = _alphas + ((nint)_steps * _states);
        var next = ahead + _states;
        var shares = next + _states;
        for (var t = _steps - 1; t >= 0; t--)
        {
            var g = gradient + ((nint)t * _classes);
            RowKernels<T>.Current.SoftmaxGradient(
                _x + ((nint)t * _classes), null, T.CreateTruncating(_statistics[2 * t]), T.CreateTruncating(scale / _statistics[(2 * t) + 1]), T.Zero, g, _classes, !overwrite);
            new Span<double>(next, _states).Fill(Impossible);
            new Span<double>(shares, _states).Clear();
            var y = new StepLogarithms(this, t);
            var alphas = Alphas(t);
            var (low, high) = (Low(t), High(t));
            for (var s = low; s <= high; s++)
            {
                double beta;
                if (t == _steps - 1)
                {
                    beta = s >= _states - 2 ? 0 : Impossible;
                }
                else
                {
                    beta = Sum(ahead[s], s + 1 < _states ? ahead[s + 1] : Impossible, s + 2 < _states && Skips(s + 2) ? ahead[s + 2] : Impossible);
                }

                next[s] = y.Of(s) + beta;
                shares[s] = Math.Exp(alphas[s] + beta + loss);
            }

            Subtract(shares, low, high, scale, g);
            var done = ahead;
            ahead = next;
            next = done;
        }
    }

    // The blank stands in every other state: its shares are added before they are rounded to the element type.
    private void Subtract(double* shares, int low, int high, double scale, T* gradient)
    {
        var blank = 0.0;
        for (var s = low; s <= high; s++)
        {
            if (s % 2 == 0)
            {
                blank += shares[s];
            }
            else
            {
                gradient[_labels[s / 2]] -= T.CreateTruncating(scale * shares[s]);
            }
        }

        gradient[_blank] -= T.CreateTruncating(scale * blank);
    }

    private double* Alphas(int t) => _alphas + ((nint)(_keep ? t : t & 1) * _states);

    // The states from which the end can still be reached, and those that can be reached from the start.
    private int Low(int t) => Math.Max(0, _states - (2 * Math.Min(_states, _steps - t)));

    private int High(int t) => Math.Min(_states - 1, t < _states ? (2 * t) + 1 : _states);

    private bool Skips(int s) => s % 2 == 1 && s > 1 && _labels[s / 2] != _labels[(s / 2) - 1];

    // log(eᵃ + eᵇ + eᶜ), with the largest outside of the logarithm; NaN where one of them is, since a comparison with it is false.
    private static double Sum(double a, double b, double c)
    {
        if (c == Impossible)
        {
            var (largest, other) = a > b ? (a, b) : (b, a);
            return other == Impossible ? largest : largest + Math.Log(1 + Math.Exp(other - largest));
        }

        if (a >= b && a >= c)
        {
            return a + Math.Log(1 + Math.Exp(b - a) + Math.Exp(c - a));
        }

        return b >= c ? b + Math.Log(1 + Math.Exp(a - b) + Math.Exp(c - b)) : c + Math.Log(1 + Math.Exp(a - c) + Math.Exp(b - c));
    }

    /// <summary>The logarithm of the probability of each state's class at one step.</summary>
    private readonly ref struct StepLogarithms
    {
        private readonly T* _x;
        private readonly int[] _labels;
        private readonly double _largest;
        private readonly double _logarithm;
        private readonly double _ofBlank;

        internal StepLogarithms(in CtcLattice<T> lattice, int t)
        {
            _x = lattice._x + ((nint)t * lattice._classes);
            _labels = lattice._labels;
            (_largest, _logarithm) = (lattice._statistics[2 * t], Math.Log(lattice._statistics[(2 * t) + 1]));
            _ofBlank = double.CreateTruncating(_x[lattice._blank]) - _largest - _logarithm;
        }

        internal double Of(int s) => s % 2 == 0 ? _ofBlank : double.CreateTruncating(_x[_labels[s / 2]]) - _largest - _logarithm;
    }
}
