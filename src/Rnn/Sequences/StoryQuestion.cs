namespace Rnn.Sequences;

/// <summary>A question about a story, as tokens: what a memory network reads.</summary>
public sealed class StoryQuestion
{
    /// <summary>A question about a story.</summary>
    /// <param name="story">The tokens of its sentences, the oldest first; may be empty. Kept, not copied: questions about one story may share their sentences.</param>
    /// <param name="question">The tokens of the question.</param>
    /// <param name="answer">The token that is the right answer; null where it is not known.</param>
    /// <exception cref="ArgumentOutOfRangeException">The answer is negative.</exception>
    public StoryQuestion(IReadOnlyList<int[]> story, int[] question, int? answer = null)
    {
        ArgumentNullException.ThrowIfNull(story);
        ArgumentNullException.ThrowIfNull(question);
        for (var i = 0; i < story.Count; i++)
        {
            ArgumentNullException.ThrowIfNull(story[i], nameof(story));
        }

        (Story, Question, Answer) = (story, question, OptionRange.AtLeast(0, answer, nameof(answer)));
    }

    /// <summary>The tokens of the sentences, the oldest first.</summary>
    public IReadOnlyList<int[]> Story { get; }

    /// <summary>The tokens of the question.</summary>
    public IReadOnlyList<int> Question { get; }

    /// <summary>The token that is the right answer; null where it is not known.</summary>
    public int? Answer { get; }
}
