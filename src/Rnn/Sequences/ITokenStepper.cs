using System.Numerics;

namespace Rnn.Sequences;

/// <summary>
/// A model that reads tokens one at a time for N sequences side by side and scores the next one of each: what beam search and batched generation run. Language models and decoders give one.
/// </summary>
/// <typeparam name="T">The element type, <see cref="float"/> or <see cref="double"/>.</typeparam>
public interface ITokenStepper<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The number of sequences N.</summary>
    int Rows { get; }

    /// <summary>The number of tokens V.</summary>
    int VocabularySize { get; }

    /// <summary>Reads one token of each sequence.</summary>
    /// <param name="tokens">The tokens [N], 0 to V − 1.</param>
    /// <param name="logits">Receives the scores of the token that follows each, [N, V] row-major: logarithms of probabilities up to a constant for each row.</param>
    void Step(ReadOnlySpan<int> tokens, Span<T> logits);

    /// <summary>Goes on with chosen rows in a chosen order; a row may come several times, and their number may be another.</summary>
    /// <param name="rows">One row or more from 0 to N − 1.</param>
    void SelectRows(ReadOnlySpan<int> rows);
}
