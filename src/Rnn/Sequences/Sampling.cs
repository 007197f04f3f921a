using System.Numerics;
using Rnn.Tensors;

namespace Rnn.Sequences;

/// <summary>Draws sequences of tokens from a model, any number side by side.</summary>
/// <example>
/// <code>
/// int[][] texts = Sampling.Run(model.CreateTokenStepper(rows: 8), [begin, begin, …], count: 100, new() { Temperature = 0.8, StopToken = end });
/// </code>
/// </example>
public static class Sampling
{
    /// <summary>Draws from one token on in each row of a stepper. A row that has ended is not computed any further.</summary>
    /// <param name="stepper">The model, as far as it has read; it is left where the last row has ended, with other rows.</param>
    /// <param name="start">The token that each sequence begins with [N], such as that of a beginning of sentence; it is not part of what is drawn.</param>
    /// <param name="count">The most tokens of a sequence.</param>
    /// <param name="options">
    /// How tokens are drawn, or null for the defaults. Each row draws random numbers of its own, which follow from the seed and its place, so that no row depends on the others.
    /// </param>
    /// <param name="cancellationToken">Asks to stop.</param>
    /// <returns>The tokens of each sequence, without the stop token.</returns>
    /// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
    /// <exception cref="ArgumentException">The number of tokens is not that of the rows, a token is none of the model's, or the options give both a seed and a source.</exception>
    /// <exception cref="OperationCanceledException">The drawing was cancelled.</exception>
    public static int[][] Run<T>(ITokenStepper<T> stepper, ReadOnlySpan<int> start, int count, SamplingOptions? options = null, CancellationToken cancellationToken = default)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(stepper);
        OptionRange.AtLeast(0, count, nameof(count));
        options ??= new();
        var vocabulary = stepper.VocabularySize;
        if (start.Length != stepper.Rows)
        {
            throw new ArgumentException($"start: expected {stepper.Rows} tokens, one for each row of the stepper, but got {start.Length}.", nameof(start));
        }

        foreach (var token in start)
        {
            if ((uint)token >= (uint)vocabulary)
            {
                throw new ArgumentOutOfRangeException(nameof(start), token, $"start: expected tokens from 0 to {vocabulary - 1} but got {token}.");
            }
        }

        if (options.StopToken >= vocabulary)
        {
            throw new ArgumentException($"StopToken: expected a token from 0 to {vocabulary - 1} or null but got {options.StopToken}.", nameof(options));
        }

        var random = new RandomSource(RandomSource.ChooseSeed(options.Seed, options.Random));
        var rows = new Row[start.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i] = new(start[i], new(options with { Seed = random.Split((ulong)i).NextUInt64(), Random = null }));
        }

        var (active, logits) = (rows, new T[start.Length * vocabulary]);
        for (var length = 0; length < count && active.Length > 0; length++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            stepper.Step(Array.ConvertAll(active, row => row.Last), logits.AsSpan(0, active.Length * vocabulary));
            var goesOn = new List<int>();
            for (var i = 0; i < active.Length; i++)
            {
                if (active[i].Draw(logits.AsSpan(i * vocabulary, vocabulary)))
                {
                    goesOn.Add(i);
                }
            }

            if (goesOn.Count < active.Length && goesOn.Count > 0)
            {
                stepper.SelectRows([.. goesOn]);
            }

            active = [.. goesOn.Select(i => active[i])];
        }

        return Array.ConvertAll(rows, row => row.Tokens);
    }

    /// <summary>One sequence that is being drawn.</summary>
    private sealed class Row(int start, Sampler sampler)
    {
        private readonly List<int> _tokens = [];

        internal int Last => _tokens.Count > 0 ? _tokens[^1] : start;

        internal int[] Tokens => [.. _tokens];

        /// <summary>Draws the next token.</summary>
        /// <returns>Whether the sequence goes on.</returns>
        internal bool Draw<T>(ReadOnlySpan<T> logits)
            where T : unmanaged, IFloatingPointIeee754<T>
        {
            var token = sampler.Sample(logits);
            if (token == sampler.Options.StopToken)
            {
                return false;
            }

            _tokens.Add(token);
            return true;
        }
    }
}
