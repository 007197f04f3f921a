using System.Globalization;

namespace Rnn.Models;

/// <summary>How well a language model predicted a text.</summary>
/// <param name="NegativeLogLikelihood">The sum over all predicted tokens of −ln of the probability that the model gave to the right one, in nats.</param>
/// <param name="Tokens">The number of predicted tokens: one less than the text has, since the first is given.</param>
/// <param name="Characters">The number of characters (Unicode scalar values) that the predicted tokens stand for; that of the tokens where it is not known.</param>
public readonly record struct TextScore(double NegativeLogLikelihood, long Tokens, long Characters)
{
    /// <summary>Nats per token.</summary>
    public double Loss => NegativeLogLikelihood / Tokens;

    /// <summary>e to the power of <see cref="Loss"/>: among how many equally likely tokens the model was undecided in the mean.</summary>
    public double Perplexity => Math.Exp(Loss);

    /// <summary>Bits per character.</summary>
    public double BitsPerCharacter => NegativeLogLikelihood / (Math.Log(2) * Characters);

    /// <summary>The figures in words: <c>1.25 nats a token over 37 tokens of 160 characters</c>, with a point in every culture.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Loss} nats a token over {Tokens} tokens of {Characters} characters");
}
