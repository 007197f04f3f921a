using System.Globalization;
using Rnn.Sequences;

namespace Rnn.Models;

/// <summary>What a <see cref="MemoryNetwork{T}"/> answers to one question.</summary>
public sealed class StoryAnswer
{
    internal StoryAnswer(int token, string text, double[] probabilities, double[][] attention) => (Token, Text, Probabilities, Attention) = (token, text, probabilities, attention);

    /// <summary>The likeliest answer as a token.</summary>
    public int Token { get; }

    /// <summary>The likeliest answer as text.</summary>
    public string Text { get; }

    /// <summary>The probability of each token of the vocabulary; they add to 1.</summary>
    public IReadOnlyList<double> Probabilities { get; }

    /// <summary>The probability of the likeliest answer.</summary>
    public double Probability => Probabilities[Token];

    /// <summary>
    /// For each hop how much of it went to each sentence of the story, the oldest first. Adds to 1, or with <see cref="MemoryNetworkOptions.EmptyPlaces"/> to less, where the rest went to none; is any number where attention is
    /// linear. Sentences beyond the size of the memory get 0.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<double>> Attention { get; }

    /// <summary>The answer and its probability: <c>kitchen (97.1 %)</c>, with a point in every culture.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Text} ({100 * Probability:F1} %)");
}

/// <summary>How well a <see cref="MemoryNetwork{T}"/> answers what is known: made by its <c>Score</c>.</summary>
public sealed class AnswerScore
{
    private double _loss;

    internal AnswerScore()
    {
    }

    /// <summary>The number of questions.</summary>
    public int Count { get; private set; }

    /// <summary>How many were answered right.</summary>
    public int Right { get; private set; }

    /// <summary>The part that was answered right; 0 without questions.</summary>
    public double Accuracy => Count == 0 ? 0 : (double)Right / Count;

    /// <summary>The part that was answered wrong; 0 without questions.</summary>
    public double ErrorRate => Count == 0 ? 0 : (double)(Count - Right) / Count;

    /// <summary>−log of the probability of the right answers, in nats a question.</summary>
    public double Loss => _loss / Math.Max(1, Count);

    /// <summary>The figures in words: <c>error 0.3 %, loss 0.012</c>, with a point in every culture.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"error {100 * ErrorRate:F1} %, loss {Loss:F3}");

    internal void Add(ReadOnlySpan<int> answers, ReadOnlySpan<int> right, int? unknown, double loss)
    {
        for (var i = 0; i < right.Length; i++)
        {
            Count += right[i] == StoryBatch.Ignored ? 0 : 1;
            Right += right[i] == answers[i] && right[i] != unknown ? 1 : 0;
        }

        _loss += loss;
    }
}
