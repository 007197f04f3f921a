using Rnn.Layers;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Models;

public sealed partial class LanguageModel<T>
{
    private static readonly CrossEntropyOptions SumOfLosses = new() { Reduction = LossReduction.Sum, IgnoreIndex = -1 };

    /// <summary>
    /// How well the model predicts a text of tokens, each from all before it: the state starts at the initial one and is carried over the
    /// whole text. Dropout is off for it, whatever the modes of the model and its parts, which stay as they are. Memory does not grow with the text.
    /// Any number of threads may score with one model.
    /// </summary>
    /// <param name="tokens">Two tokens or more; the first is given and not predicted.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <param name="cancellationToken">Ends the scoring.</param>
    /// <exception cref="ArgumentException">There are fewer than two tokens, or one is out of range.</exception>
    public TextScore Evaluate(ReadOnlySpan<int> tokens, TextScoreOptions? options = null, CancellationToken cancellationToken = default)
    {
        if (tokens.Length < 2)
        {
            throw new ArgumentException($"tokens: expected 2 tokens or more, since the first is given and the others predicted, but got {tokens.Length}.", nameof(tokens));
        }

        using var evaluation = Evaluation.Enter();
        using var scope = NoGradient.Enter();
        return new(Score(tokens, options ?? new(), cancellationToken), tokens.Length - 1, tokens.Length - 1);
    }

    /// <summary>How well the model predicts a text; see <see cref="Evaluate(ReadOnlySpan{int}, TextScoreOptions, CancellationToken)"/>.</summary>
    /// <param name="text">A text of two tokens or more of <see cref="Vocabulary"/>.</param>
    /// <param name="options">Options, or null for the defaults.</param>
    /// <param name="cancellationToken">Ends the scoring.</param>
    /// <returns>The score; its characters are those of the text behind the part that its first token stands for, to the end of the text.</returns>
    /// <exception cref="ArgumentException">The text has fewer than two tokens, or symbols that the vocabulary does not have.</exception>
    /// <exception cref="InvalidOperationException">The model has no vocabulary.</exception>
    public TextScore Evaluate(string text, TextScoreOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        var vocabulary = Vocabulary ?? throw new InvalidOperationException("Evaluate: this model has no Vocabulary to read the text with; set it, or give tokens.");
        var tokens = vocabulary.Encode(text);
        var score = Evaluate(tokens, options, cancellationToken);
        return score with { Characters = CountCharacters(text.AsSpan(Sequences.Vocabulary.EndOfFirst(vocabulary, text, tokens[0]))) };
    }

    private double Score(ReadOnlySpan<int> tokens, TextScoreOptions options, CancellationToken cancellationToken)
    {
        // Each stream predicts its part of the tokens behind the first and begins a little earlier to find its state.
        var predictions = tokens.Length - 1;
        var streams = Math.Min(options.Streams, predictions);
        var (first, begin, end) = (new int[streams], new int[streams], new int[streams]);
        var longest = 0;
        for (var row = 0; row < streams; row++)
        {
            first[row] = (int)((long)predictions * row / streams);
            begin[row] = Math.Max(0, first[row] - options.WarmUp);
            end[row] = (int)((long)predictions * (row + 1) / streams);
            longest = Math.Max(longest, end[row] - begin[row]);
        }

        // The result does not depend on the steps at once: very many streams take fewer, so that an array holds a window.
        var steps = Math.Min(options.Steps, Math.Min(longest, Math.Max(1, Array.MaxLength / streams)));
        var (inputs, targets, lengths) = (new int[streams * steps], new int[streams * steps], new int[streams]);
        var state = Recurrent.ZeroState(streams);
        var sum = 0.0;
        for (var at = 0; at < longest; at += steps)
        {
            cancellationToken.ThrowIfCancellationRequested();
            targets.AsSpan().Fill(-1);
            for (var row = 0; row < streams; row++)
            {
                var from = begin[row] + at;
                lengths[row] = Math.Clamp(end[row] - from, 0, steps);
                if (lengths[row] == 0)
                {
                    continue;
                }

                tokens.Slice(from, lengths[row]).CopyTo(inputs.AsSpan(row * steps));
                var unscored = Math.Clamp(first[row] - from, 0, lengths[row]);
                tokens.Slice(from + 1 + unscored, lengths[row] - unscored).CopyTo(targets.AsSpan((row * steps) + unscored));
            }

            // What the model makes is taken back at the end of the scope; the state lives on in memory of its own.
            using var memory = TensorScope.Enter();
            var (loss, next) = ForwardLoss(inputs, streams, lengths, at == 0 ? null : state, targets, SumOfLosses);
            sum += double.CreateTruncating(loss.Item());
            state.CopyFrom(next);
        }

        return sum;
    }

    private static long CountCharacters(ReadOnlySpan<char> text)
    {
        var count = 0L;
        foreach (var _ in text.EnumerateRunes())
        {
            count++;
        }

        return count;
    }
}
