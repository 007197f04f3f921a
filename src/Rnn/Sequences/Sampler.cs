using System.Globalization;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using Rnn.Kernels;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>
/// Draws tokens from scores (logits), one after the other. After the first call nothing is allocated. Not for several threads at once.
/// </summary>
/// <remarks>
/// Among equal scores the lower token is taken for the likelier one. A score of −∞ is never drawn.
/// </remarks>
/// <example>
/// <code>
/// var sampler = new Sampler(new() { Temperature = 0.8, TopK = 40, Seed = 1 });
/// int token = sampler.Sample(logits);
/// </code>
/// </example>
public sealed class Sampler
{
    private readonly RandomSource _random;
    private double[] _weights = [];
    private int[] _tokens = [];

    /// <summary>A sampler at the start of its random numbers.</summary>
    /// <param name="options">Options, or null for the defaults; without a seed it takes the next one of the process.</param>
    /// <exception cref="ArgumentException">The options give both a seed and a source.</exception>
    public Sampler(SamplingOptions? options = null)
    {
        Options = options ?? new();
        _random = new(RandomSource.ChooseSeed(Options.Seed, Options.Random));
    }

    /// <summary>How tokens are drawn.</summary>
    public SamplingOptions Options { get; }

    /// <summary>Draws a token.</summary>
    /// <param name="logits">The scores of all tokens [V], the logarithms of their probabilities up to a common constant.</param>
    /// <returns>A token from 0 to V − 1.</returns>
    /// <exception cref="ArgumentException">There are no scores, one is NaN or +∞, all that are not excluded are −∞, or an excluded token is none of them.</exception>
    public int Sample<T>(ReadOnlySpan<T> logits)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (logits.IsEmpty)
        {
            throw new ArgumentException("logits: expected one score for each token but got none.", nameof(logits));
        }

        var excludes = Options.ExcludedTokens.Count > 0;
        if (excludes)
        {
            CopyAllowed(logits);
        }

        // TensorPrimitives gives the first NaN where there is one, and the first of several largest.
        var likeliest = excludes ? TensorPrimitives.IndexOfMax<double>(_weights.AsSpan(0, logits.Length)) : TensorPrimitives.IndexOfMax(logits);
        var largest = excludes ? _weights[likeliest] : double.CreateTruncating(logits[likeliest]);
        if (excludes && double.IsNegativeInfinity(largest))
        {
            throw new ArgumentException("logits: expected a token that may be drawn but the ExcludedTokens leave none with a finite score.", nameof(logits));
        }

        if (!double.IsFinite(largest))
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"logits: expected finite scores but the score of token {likeliest} is {largest}; has the model diverged?"), nameof(logits));
        }

        if (Options.Temperature == 0 || Options.TopK == 1)
        {
            return likeliest;
        }

        if (!excludes)
        {
            Copy(logits);
        }

        return Draw(logits.Length, largest);
    }

    private void Copy<T>(ReadOnlySpan<T> logits)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (_weights.Length < logits.Length)
        {
            _weights = new double[logits.Length];
            _tokens = new int[logits.Length];
        }

        TensorPrimitives.ConvertTruncating(logits, _weights.AsSpan(0, logits.Length));
    }

    private void CopyAllowed<T>(ReadOnlySpan<T> logits)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Copy(logits);
        for (var i = 0; i < Options.ExcludedTokens.Count; i++)
        {
            var token = Options.ExcludedTokens[i];
            _weights[token < logits.Length
                ? token
                : throw new ArgumentException($"ExcludedTokens: expected tokens from 0 to {logits.Length - 1} but got {token}.", nameof(logits))] = double.NegativeInfinity;
        }
    }

    private int Draw(int count, double largest)
    {
        var weights = _weights.AsSpan(0, count);
        var tokens = _tokens.AsSpan(0, count);
        Softmax.Run(weights, largest, Options.Temperature);
        for (var i = 0; i < count; i++)
        {
            tokens[i] = i;
        }

        if (Options.TopK > 0 && Options.TopK < count)
        {
            TopK.Select(weights, tokens, Options.TopK);
            weights = weights[..Options.TopK];
            tokens = tokens[..Options.TopK];
        }

        var total = Sum(weights);
        if (Options.TopP < 1)
        {
            TopK.SortDescending(weights, tokens);
            var kept = Nucleus(weights, Options.TopP * total);
            weights = weights[..kept];
            tokens = tokens[..kept];
            total = Sum(weights);
        }

        return tokens[Position(weights, _random.NextDouble() * total)];
    }

    private static int Nucleus(ReadOnlySpan<double> weights, double mass)
    {
        var sum = 0.0;
        for (var i = 0; i < weights.Length; i++)
        {
            sum += weights[i];
            if (sum >= mass)
            {
                return i + 1;
            }
        }

        return weights.Length;
    }

    // w ← e^((w − largest) / temperature), a softmax up to the constant that the draw divides by.
    private readonly unsafe struct Softmax(double* weights, double largest, double temperature) : IElementwise<double>
    {
        internal static void Run(Span<double> weights, double largest, double temperature)
        {
            fixed (double* pointer = weights)
            {
                Elementwise<double, Softmax>.Run(new(pointer, largest, temperature), weights.Length);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Run<V, TLanes>(TLanes lanes, nint i)
            where V : struct, IVector<V, double>
            where TLanes : struct, ILanes<V, double> =>
            lanes.Store(V.Exp((lanes.Load(weights + i) - V.Broadcast(largest)) / V.Broadcast(temperature)), weights + i);
    }

    // In the order of the draw, so that the last partial sum is the total to the bit.
    private static double Sum(ReadOnlySpan<double> weights)
    {
        var sum = 0.0;
        foreach (var weight in weights)
        {
            sum += weight;
        }

        return sum;
    }

    private static int Position(ReadOnlySpan<double> weights, double point)
    {
        var sum = 0.0;
        var last = 0;
        for (var i = 0; i < weights.Length; i++)
        {
            if (weights[i] > 0)
            {
                sum += weights[i];
                last = i;
                if (point < sum)
                {
                    break;
                }
            }
        }

        return last;
    }
}
