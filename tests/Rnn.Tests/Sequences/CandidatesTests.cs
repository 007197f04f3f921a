using Rnn.Sequences;

namespace Rnn.Tests.Sequences;

public sealed class CandidatesTests
{
    [Theory]
    [InlineData(1, 7)]
    [InlineData(4, 300)]
    [InlineData(9, 1000)]
    [InlineData(2000, 1000)]
    public void The_best_come_first_and_of_equal_ones_the_first(int capacity, int length)
    {
        // Few different numbers, so that many are equal; some do not count.
        var (random, candidates) = (new Random(length), new Candidates());
        for (var run = 0; run < 5; run++)
        {
            candidates.Clear(capacity);
            var all = new List<(double Value, long Place)>();
            for (var row = 0; row < 3; row++)
            {
                float[] values = [.. Enumerable.Range(0, length).Select(_ => random.Next(10) == 0 ? float.NegativeInfinity : random.Next(20))];
                candidates.Add<float>(values, row, (long)row * length);
                all.AddRange(values.Select((value, i) => ((double)value + row, ((long)row * length) + i)));
            }

            candidates.Sort();
            var expected = all.Where(one => one.Value > double.NegativeInfinity).OrderByDescending(one => one.Value).ThenBy(one => one.Place).Take(capacity).ToArray();
            Assert.Equal(expected.Length, candidates.Count);
            Assert.Equal(expected, Enumerable.Range(0, candidates.Count).Select(i => (candidates[i].Value, candidates[i].Place)));
        }
    }
}
