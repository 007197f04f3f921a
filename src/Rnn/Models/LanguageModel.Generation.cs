using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Models;

public sealed partial class LanguageModel<T>
{
    /// <summary>A stream that reads one text token by token, from the initial state.</summary>
    public LanguageModelStream<T> CreateStream() => new(this);

    /// <summary>
    /// Writes on from a prompt, one token at a time as they are asked for: each is drawn from the model's scores and read by the model
    /// before the next. Dropout is off, whatever the modes of the model and its parts. Any number of threads may write with one model; it may not be
    /// trained meanwhile.
    /// </summary>
    /// <param name="prompt">The tokens to go on from. Empty only where <see cref="Vocabulary"/> has a token that begins sequences: that is the start then.</param>
    /// <param name="count">The most tokens to write.</param>
    /// <param name="options">
    /// How tokens are drawn, or null for the defaults. Without a seed each call takes the next one of the process; every enumeration of what one call
    /// gave starts at its seed anew.
    /// </param>
    /// <param name="cancellationToken">Ends the writing.</param>
    /// <returns>The new tokens without the prompt and without the stop token.</returns>
    /// <exception cref="ArgumentException">The prompt is empty, a token is out of range or the count negative.</exception>
    public IEnumerable<int> Generate(IReadOnlyList<int> prompt, int count, SamplingOptions? options = null, CancellationToken cancellationToken = default)
    {
        options = Seeded(options);
        return Write(CheckGeneration(prompt, count, options), count, options, cancellationToken);
    }

    /// <summary>
    /// Writes on from a text: as <see cref="Generate(IReadOnlyList{int}, int, SamplingOptions, CancellationToken)"/>, with the tokens of <see cref="Vocabulary"/>.
    /// </summary>
    /// <param name="prompt">The text to go on from. Empty only where the vocabulary has a token that begins sequences.</param>
    /// <param name="count">The most tokens to write.</param>
    /// <param name="options">How tokens are drawn, or null for the defaults.</param>
    /// <param name="cancellationToken">Ends the writing.</param>
    /// <returns>The text that was written, without the prompt.</returns>
    /// <exception cref="ArgumentException">The prompt is empty or has characters or words that the vocabulary does not have, or the count is negative.</exception>
    /// <exception cref="InvalidOperationException">The model has no vocabulary.</exception>
    public string Generate(string prompt, int count, SamplingOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        var vocabulary = RequireVocabulary(nameof(Generate));
        return vocabulary.Decode(Generate(vocabulary.Encode(prompt), count, options, cancellationToken));
    }

    /// <summary>
    /// As <see cref="Generate(IReadOnlyList{int}, int, SamplingOptions, CancellationToken)"/>, with each token computed on a thread of the pool, so that a program with a user interface or a server can
    /// show tokens as they come.
    /// </summary>
    /// <param name="prompt">The tokens to go on from.</param>
    /// <param name="count">The most tokens to write.</param>
    /// <param name="options">How tokens are drawn, or null for the defaults.</param>
    /// <param name="cancellationToken">Ends the writing; <c>WithCancellation</c> does too.</param>
    /// <returns>The new tokens without the prompt and without the stop token.</returns>
    /// <exception cref="ArgumentException">The prompt is empty, a token is out of range or the count negative.</exception>
    public IAsyncEnumerable<int> GenerateAsync(IReadOnlyList<int> prompt, int count, SamplingOptions? options = null, CancellationToken cancellationToken = default)
    {
        options = Seeded(options);
        var tokens = CheckGeneration(prompt, count, options);
        return OnPool(token => Write(tokens, count, options, token), cancellationToken);
    }

    /// <summary>
    /// Writes on from a text, piece by piece as <see cref="GenerateAsync(IReadOnlyList{int}, int, SamplingOptions, CancellationToken)"/> gives its tokens. Put together the pieces are the text that
    /// <see cref="Generate(string, int, SamplingOptions, CancellationToken)"/> returns.
    /// </summary>
    /// <param name="prompt">The text to go on from. Empty only where the vocabulary has a token that begins sequences.</param>
    /// <param name="count">The most tokens to write.</param>
    /// <param name="options">How tokens are drawn, or null for the defaults.</param>
    /// <param name="cancellationToken">Ends the writing; <c>WithCancellation</c> does too.</param>
    /// <returns>What each token adds to the text, a space before a word included.</returns>
    /// <exception cref="ArgumentException">The prompt is empty or has symbols that the vocabulary does not know, or the count is negative.</exception>
    /// <exception cref="InvalidOperationException">The model has no vocabulary.</exception>
    public IAsyncEnumerable<string> GenerateAsync(string prompt, int count, SamplingOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        var vocabulary = RequireVocabulary(nameof(GenerateAsync));
        options = Seeded(options);
        var tokens = CheckGeneration(vocabulary.Encode(prompt), count, options);
        return OnPool(token => Pieces(Write(tokens, count, options, token), vocabulary), cancellationToken);
    }

    /// <summary>A stepper that reads N texts side by side, one token of each at a time: for <see cref="BeamSearch"/> and for generation in batches. It begins at the initial state and has read nothing.</summary>
    /// <param name="rows">The number of texts N.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is not positive.</exception>
    public ITokenStepper<T> CreateTokenStepper(int rows = 1) => new LanguageModelStepper<T>(this, rows);

    private IVocabulary RequireVocabulary(string method) =>
        Vocabulary ?? throw new InvalidOperationException($"{method}: this model has no Vocabulary to read a text with; set it, or give tokens.");

    // What each token adds to the text. All of it is decoded each time, since what a token adds depends on those before; a character that is not complete yet (U+FFFD at the end) waits for its other tokens.
    private static IEnumerable<string> Pieces(IEnumerable<int> tokens, IVocabulary vocabulary)
    {
        var written = new List<int>();
        var (text, length) = (string.Empty, 0);
        foreach (var token in tokens)
        {
            written.Add(token);
            text = vocabulary.Decode(CollectionsMarshal.AsSpan(written));
            var complete = Math.Max(length, text.AsSpan().TrimEnd('\uFFFD').Length);
            yield return text[length..complete];
            length = complete;
        }

        if (text.Length > length)
        {
            yield return text[length..];
        }
    }

    // The seed is taken once a call, so that what it gives is the same each time it is enumerated.
    private static SamplingOptions Seeded(SamplingOptions? options)
    {
        options ??= new();
        return options with { Seed = RandomSource.ChooseSeed(options.Seed, options.Random), Random = null };
    }

    private IEnumerable<int> Write(int[] prompt, int count, SamplingOptions options, CancellationToken cancellationToken)
    {
        if (count == 0)
        {
            yield break;
        }

        var sampler = new Sampler(options);
        var stream = CreateStream();
        for (var i = 0; i < prompt.Length - 1; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            stream.Step(prompt[i]);
        }

        var token = prompt[^1];
        for (var i = 0; i < count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            token = sampler.Sample(stream.Step(token));
            if (token == options.StopToken)
            {
                yield break;
            }

            yield return token;
        }
    }

    // What is written, each step of it on a thread of the pool.
    private static async IAsyncEnumerable<TItem> OnPool<TItem>(
        Func<CancellationToken, IEnumerable<TItem>> write, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var items = write(cancellationToken).GetEnumerator();
        while (await Task.Run(items.MoveNext, cancellationToken).ConfigureAwait(false))
        {
            yield return items.Current;
        }
    }

    private int[] CheckGeneration(IReadOnlyList<int> prompt, int count, SamplingOptions options)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        if (count < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(count), count, $"count: expected 0 or more but got {count}.");
        }

        if (options.StopToken >= VocabularySize)
        {
            throw new ArgumentException($"StopToken: expected a token from 0 to {VocabularySize - 1} or null but got {options.StopToken}.", nameof(options));
        }

        // A copy: the caller may change the list while tokens are drawn.
        int[] tokens = [.. prompt];
        if (tokens.Length == 0)
        {
            return Vocabulary?.BeginOfSequence is { } begin
                ? [begin]
                : throw new ArgumentException("prompt: expected at least one token to go on from; an empty prompt needs a Vocabulary with a token that begins sequences.", nameof(prompt));
        }

        foreach (var token in tokens)
        {
            if ((uint)token >= (uint)VocabularySize)
            {
                throw new ArgumentException($"prompt: expected tokens from 0 to {VocabularySize - 1} but got {token}.", nameof(prompt));
            }
        }

        return tokens;
    }
}
