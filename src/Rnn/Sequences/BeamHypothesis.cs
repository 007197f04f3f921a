namespace Rnn.Sequences;

/// <summary>A sequence that <see cref="BeamSearch"/> has found.</summary>
/// <param name="Tokens">Its tokens, without the token it began with and without the end token.</param>
/// <param name="LogProbability">The logarithm of its probability under the model, the end token included, in nats.</param>
/// <param name="Score">What hypotheses are ranked by: the logarithm of the probability with the penalty of its length.</param>
/// <param name="IsComplete">Whether it ended with the end token; false where it was cut off at the greatest length.</param>
public sealed record BeamHypothesis(int[] Tokens, double LogProbability, double Score, bool IsComplete);
