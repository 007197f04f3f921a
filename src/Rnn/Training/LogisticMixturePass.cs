using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Training;

/// <summary>
/// The loss of a mixture of logistics over the rows of a batch, cut into pieces of a fixed size among the threads, whose sums are added in order. The backward pass computes the probabilities anew, so that
/// nothing is stored.
/// </summary>
internal sealed unsafe class LogisticMixturePass<T>(int[] targets, int components, int levels, int ignored, bool isMean) : WorkItem
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const int Piece = 128;

    private readonly double[] _sums = new double[(targets.Length + Piece - 1) / Piece];
    private T* _parameters;
    private T* _gradient;
    private double _scale;
    private bool _overwrite;

    private int Counted { get; } = targets.Length - targets.AsSpan().Count(ignored);

    /// <summary>The loss.</summary>
    internal double Forward(ReadOnlySpan<T> parameters)
    {
        fixed (T* x = parameters)
        {
            _parameters = x;
            _gradient = null;
            Workers.Run(this, _sums.Length);
        }

        var sum = 0.0;
        foreach (var part in _sums)
        {
            sum += part;
        }

        return Counted == 0 || !isMean ? sum : sum / Counted;
    }

    /// <summary>Writes or adds the gradient of the parameters.</summary>
    internal void Backward(ReadOnlySpan<T> parameters, T outputGradient, Span<T> gradient, bool overwrite)
    {
        (_scale, _overwrite) = (double.CreateTruncating(outputGradient) / (isMean ? Math.Max(1, Counted) : 1), overwrite);
        fixed (T* x = parameters, g = gradient)
        {
            _parameters = x;
            _gradient = g;
            Workers.Run(this, _sums.Length);
        }
    }

    internal override void Execute(int part)
    {
        var (size, sum) = (3 * components, 0.0);
        for (var row = part * Piece; row < Math.Min(targets.Length, (part + 1) * Piece); row++)
        {
            var parameters = new ReadOnlySpan<T>(_parameters + ((nint)row * size), size);
            if (_gradient == null)
            {
                sum -= targets[row] == ignored ? 0 : LogisticComponents<T>.LogProbability(parameters, targets[row], levels);
                continue;
            }

            var gradient = new Span<T>(_gradient + ((nint)row * size), size);
            if (targets[row] != ignored)
            {
                LogisticComponents<T>.Gradient(parameters, targets[row], levels, _scale, gradient, _overwrite);
            }
            else if (_overwrite)
            {
                gradient.Clear();
            }
        }

        if (_gradient == null)
        {
            _sums[part] = sum;
        }
    }
}
