using Rnn.Layers;
using Rnn.Sequences;
using Rnn.Tensors;
using Rnn.Training;

namespace Rnn.Models;

public sealed partial class MemoryNetwork<T>
{
    /// <summary>Answers a question about a story.</summary>
    /// <param name="story">The sentences, the oldest first; may be empty.</param>
    /// <param name="question">The question.</param>
    /// <exception cref="ArgumentException">A word is not in the vocabulary, and there is no token for unknown ones.</exception>
    public StoryAnswer Answer(IReadOnlyList<string> story, string question) => Answer(StoryBatch.Of(new[] { Encode(story, question) }))[0];

    /// <summary>Answers the questions of a batch, in evaluation mode and without a graph. Right answers, where the batch has them, are not looked at.</summary>
    /// <param name="batch">The questions.</param>
    /// <returns>An answer for each row.</returns>
    /// <exception cref="ArgumentException">A token is out of range.</exception>
    public StoryAnswer[] Answer(StoryBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var evaluation = Evaluation.Enter();
        using var noGradient = NoGradient.Enter();
        using var scope = TensorScope.Enter();
        var (plan, hops) = (Plan(batch), new List<Tensor<T>>());
        var probabilities = Forward(batch, plan, hops).Softmax();
        var answers = new StoryAnswer[batch.Rows];
        for (var row = 0; row < answers.Length; row++)
        {
            var sentences = batch.StoryStarts[row + 1] - batch.StoryStarts[row];
            var attention = new double[hops.Count][];
            for (var hop = 0; hop < attention.Length; hop++)
            {
                // Sentences before those that are remembered get none.
                var weights = hops[hop].AsReadOnlySpan()[plan.Starts[row]..plan.Starts[row + 1]];
                var own = attention[hop] = new double[sentences];
                for (var i = 0; i < weights.Length; i++)
                {
                    own[sentences - weights.Length + i] = double.CreateTruncating(weights[i]);
                }
            }

            var all = new double[Vocabulary.Count];
            for (var token = 0; token < all.Length; token++)
            {
                all[token] = double.CreateTruncating(probabilities.AsReadOnlySpan()[(row * all.Length) + token]);
            }

            var best = all.AsSpan().IndexOf(all.Max());
            answers[row] = new(best, Vocabulary.TokenText(best), all, attention);
        }

        return answers;
    }

    /// <summary>Answers questions whose answers are known and counts what is right.</summary>
    /// <param name="batches">The batches; questions whose answer is not known do not count.</param>
    /// <param name="cancellationToken">Asks to stop.</param>
    /// <exception cref="ArgumentException">A token or an answer is out of range.</exception>
    public AnswerScore Score(IEnumerable<StoryBatch> batches, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batches);
        var score = new AnswerScore();
        using var evaluation = Evaluation.Enter();
        using var noGradient = NoGradient.Enter();
        foreach (var batch in batches)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var scope = TensorScope.Enter();
            var scores = Forward(batch);
            var loss = Training.Loss.CrossEntropy(scores, batch.Answers, options: new() { Reduction = LossReduction.Sum, IgnoreIndex = StoryBatch.Ignored });
            score.Add(scores.ArgMax(-1), batch.Answers, Vocabulary.Unknown, double.CreateTruncating(loss.Item()));
        }

        return score;
    }
}
