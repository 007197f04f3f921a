using System.Numerics;
using Rnn.Kernels;

namespace Rnn.Sequences;

/// <summary>
/// Beam search: finds likely sequences of tokens by following the best few beginnings (hypotheses) at once. Any number of sequences are searched side by side; the hypotheses of all are
/// rows of one stepper.
/// </summary>
/// <remarks>
/// A search ends when no hypothesis that still goes on can rank before those that have ended, so a greater length or a length penalty loses nothing. Among equally likely tokens the lower one comes
/// first; of width 1 the search is greedy decoding.
/// </remarks>
/// <example>
/// <code>
/// var found = BeamSearch.Run(model.CreateTokenStepper(rows: 1), [start], new() { Width = 5, EndToken = end, MaximumLength = 40, LengthPenalty = 0.6 });
/// int[] best = found[0][0].Tokens;
/// </code>
/// </example>
public static class BeamSearch
{
    /// <summary>Searches from one token on in each row of a stepper.</summary>
    /// <param name="stepper">The model, as far as it has read; it is left where the search has ended, with other rows.</param>
    /// <param name="start">The token that each sequence begins with [N], such as that of a beginning of sentence; it is not part of what is found.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <param name="cancellationToken">Asks to stop.</param>
    /// <returns>For each sequence up to <see cref="BeamSearchOptions.Width"/> hypotheses, the best first.</returns>
    /// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
    /// <exception cref="ArgumentException">The number of tokens is not that of the rows, or a token, also of the options, is none of the model's.</exception>
    /// <exception cref="InvalidOperationException">The model's scores are not numbers.</exception>
    /// <exception cref="OperationCanceledException">The search was cancelled.</exception>
    public static BeamHypothesis[][] Run<T>(
        ITokenStepper<T> stepper, ReadOnlySpan<int> start, BeamSearchOptions? options = null, CancellationToken cancellationToken = default)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ArgumentNullException.ThrowIfNull(stepper);
        options ??= new();
        if (start.Length != stepper.Rows)
        {
            throw new ArgumentException($"start: expected {stepper.Rows} tokens, one for each row of the stepper, but got {start.Length}.", nameof(start));
        }

        Check(start, stepper.VocabularySize, nameof(start));
        if (options.EndToken is { } end)
        {
            Check([end], stepper.VocabularySize, nameof(options.EndToken));
        }

        Check(options.ExcludedTokens.ToArray(), stepper.VocabularySize, nameof(options.ExcludedTokens));
        if (options.ExcludedTokens.Distinct().Count() == stepper.VocabularySize)
        {
            throw new ArgumentException($"ExcludedTokens: all {stepper.VocabularySize} tokens are excluded, so that nothing could be written; leave one or more.", nameof(options));
        }

        return new Search<T>(stepper, options).Run(start, cancellationToken);
    }

    private static void Check(ReadOnlySpan<int> tokens, int vocabularySize, string name)
    {
        foreach (var token in tokens)
        {
            if ((uint)token >= (uint)vocabularySize)
            {
                throw new ArgumentOutOfRangeException(name, token, $"{name}: expected tokens from 0 to {vocabularySize - 1} but got {token}.");
            }
        }
    }

    private sealed class Search<T>(ITokenStepper<T> stepper, BeamSearchOptions options)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly int _vocabulary = stepper.VocabularySize;
        private readonly Candidates _candidates = new();
        private T[] _logits = [];
        private double[] _totals = [];

        internal BeamHypothesis[][] Run(ReadOnlySpan<int> start, CancellationToken cancellationToken)
        {
            var groups = new Group[start.Length];
            for (var i = 0; i < groups.Length; i++)
            {
                groups[i] = new(options) { Active = [new(Before: null, start[i], 0, 0)] };
            }

            var tokens = start.ToArray();
            for (var length = 1; tokens.Length > 0; length++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Step(tokens);
                var (rows, next, first) = (new List<int>(), new List<int>(), 0);
                foreach (var group in groups)
                {
                    var count = group.Active.Length;
                    Rank(group, first);
                    foreach (var (row, token) in group.Advance(_candidates, _vocabulary, length))
                    {
                        rows.Add(first + row);
                        next.Add(token);
                    }

                    first += count;
                }

                tokens = [.. next];
                if (tokens.Length > 0)
                {
                    stepper.SelectRows([.. rows]);
                }
            }

            return Array.ConvertAll(groups, group => group.Found());
        }

        // The scores of all next tokens of all rows, and of each row what they exceed the logarithms of their probabilities by.
        private unsafe void Step(ReadOnlySpan<int> tokens)
        {
            var count = checked(tokens.Length * _vocabulary);
            if (_logits.Length < count)
            {
                (_logits, _totals) = (new T[count], new double[tokens.Length]);
            }

            stepper.Step(tokens, _logits.AsSpan(0, count));
            fixed (T* logits = _logits)
            {
                for (var row = 0; row < tokens.Length; row++)
                {
                    var (largest, sum) = RowKernels<T>.Current.SoftmaxStatistics(logits + ((nint)row * _vocabulary), _vocabulary);
                    _totals[row] = double.CreateTruncating(largest) + Math.Log(double.CreateTruncating(sum));
                    if (!double.IsFinite(_totals[row]))
                    {
                        throw new InvalidOperationException($"BeamSearch: expected finite scores but the largest one of a row is {largest}; has the model diverged?");
                    }

                    // What is −∞ is no candidate.
                    for (var i = 0; i < options.ExcludedTokens.Count; i++)
                    {
                        logits[((nint)row * _vocabulary) + options.ExcludedTokens[i]] = T.NegativeInfinity;
                    }
                }
            }
        }

        // The best continuations of a group. At most one of each row ends, so that twice the width leaves as many that go on.
        private void Rank(Group group, int first)
        {
            _candidates.Clear((int)Math.Min((long)_vocabulary * group.Active.Length, (long)options.Width + Math.Min(options.Width, group.Active.Length)));
            for (var row = 0; row < group.Active.Length; row++)
            {
                _candidates.Add<T>(_logits.AsSpan((first + row) * _vocabulary, _vocabulary), group.Active[row].LogProbability - _totals[first + row], (long)row * _vocabulary);
            }

            _candidates.Sort();
        }
    }

    /// <summary>A token of a hypothesis, which leads back to those before it.</summary>
    private sealed record Node(Node? Before, int Token, double LogProbability, int Length)
    {
        public int[] Tokens()
        {
            var tokens = new int[Length];
            for (var (node, i) = (this, Length - 1); i >= 0; (node, i) = (node.Before!, i - 1))
            {
                tokens[i] = node.Token;
            }

            return tokens;
        }
    }

    /// <summary>The hypotheses of one sequence: those that go on, one for each of its rows, and those that have ended, the best first.</summary>
    private sealed class Group(BeamSearchOptions options)
    {
        private readonly List<BeamHypothesis> _ended = [];

        public required Node[] Active { get; set; }

        /// <summary>Goes on by one token.</summary>
        /// <returns>For each hypothesis that goes on, its row among those of before and its new token.</returns>
        public (int Row, int Token)[] Advance(Candidates candidates, int vocabulary, int length)
        {
            var (next, rows) = (new List<Node>(), new List<(int Row, int Token)>());
            for (var rank = 0; rank < candidates.Count; rank++)
            {
                var (place, logProbability) = candidates[rank];
                var (row, token) = ((int)(place / vocabulary), (int)(place % vocabulary));
                var before = Active[row];
                if (token == options.EndToken)
                {
                    // An end among the best continuations; what ranks behind them does not go on either.
                    if (rank >= options.Width)
                    {
                        continue;
                    }

                    Add(new(before.Tokens(), logProbability, options.Score(logProbability, length), IsComplete: true));
                }
                else if (next.Count < options.Width)
                {
                    var node = new Node(before, token, logProbability, length);
                    if (length == options.MaximumLength)
                    {
                        Add(new(node.Tokens(), logProbability, options.Score(logProbability, length), IsComplete: false));
                    }
                    else
                    {
                        next.Add(node);
                        rows.Add((row, token));
                    }
                }
            }

            // What goes on can only become less likely; its rank is best with the longest length. Greedy decoding goes on from the likeliest token whatever the rank.
            if (_ended.Count >= options.Width && (options.Width == 1 || next.TrueForAll(node => options.Score(node.LogProbability, options.MaximumLength) <= _ended[^1].Score)))
            {
                (next, rows) = ([], []);
            }

            Active = [.. next];
            return [.. rows];
        }

        public BeamHypothesis[] Found() => [.. _ended];

        private void Add(BeamHypothesis hypothesis)
        {
            var index = _ended.FindIndex(other => other.Score < hypothesis.Score);
            _ended.Insert(index < 0 ? _ended.Count : index, hypothesis);
            if (_ended.Count > options.Width)
            {
                _ended.RemoveAt(options.Width);
            }
        }
    }
}
