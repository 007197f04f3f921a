using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;

namespace Rnn.Models;

public sealed partial class EncoderDecoder<T>
{
    /// <summary>Writes what belongs to a text, by beam search.</summary>
    /// <param name="text">The text to read.</param>
    /// <param name="options">Width, length penalty and greatest length of the search; null for the defaults. Its end token is the model's.</param>
    /// <param name="cancellationToken">Asks to stop.</param>
    /// <returns>The best hypothesis.</returns>
    /// <exception cref="ArgumentException">The vocabulary does not know a symbol of the text.</exception>
    public string Translate(string text, BeamSearchOptions? options = null, CancellationToken cancellationToken = default) => Translate(new[] { text }, options, cancellationToken)[0];

    /// <summary>Writes what belongs to each of several texts, side by side.</summary>
    /// <param name="texts">The texts to read.</param>
    /// <param name="options">Width, length penalty and greatest length of the search; null for the defaults. Its end token is the model's.</param>
    /// <param name="cancellationToken">Asks to stop.</param>
    /// <returns>The best hypothesis of each.</returns>
    /// <exception cref="ArgumentException">The vocabulary does not know a symbol of a text.</exception>
    public string[] Translate(IReadOnlyList<string> texts, BeamSearchOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        if (texts.Count == 0)
        {
            return [];
        }

        var found = Best(texts.Select(text => SourceVocabulary.Encode(text)).ToArray(), options ?? new(), cancellationToken);
        return Array.ConvertAll(found, hypothesis => TargetVocabulary.Decode(hypothesis.Tokens));
    }

    /// <summary>Writes what belongs to each sequence of a batch, by beam search, in evaluation mode and without a graph.</summary>
    /// <param name="source">The sequences to read.</param>
    /// <param name="options">Width, length penalty and greatest length of the search; null for the defaults. Its end token is the model's.</param>
    /// <param name="cancellationToken">Asks to stop.</param>
    /// <returns>For each row up to <see cref="BeamSearchOptions.Width"/> hypotheses, the best first.</returns>
    /// <exception cref="ArgumentException">A token is out of range.</exception>
    public BeamHypothesis[][] Generate(SequenceBatch source, BeamSearchOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        using var scope = TensorScope.Enter();
        var start = new int[source.Rows];
        Array.Fill(start, Begin);
        return BeamSearch.Run(CreateTokenStepper(source), start, (options ?? new()) with { EndToken = End }, cancellationToken);
    }

    /// <summary>A decoder that has read a batch and writes one token of each row at a time: for a search of one's own.</summary>
    /// <param name="source">The sequences to read.</param>
    /// <exception cref="ArgumentException">A token is out of range.</exception>
    public ITokenStepper<T> CreateTokenStepper(SequenceBatch source)
    {
        ArgumentNullException.ThrowIfNull(source);
        using var evaluation = Evaluation.Enter();
        using var noGradient = NoGradient.Enter();
        var (state, memory) = Encode(source);
        return new EncoderDecoderStepper<T>(this, state, memory);
    }
}
