namespace Rnn.Tests.Learning;

/// <summary>
/// The adding problem: numbers uniform in [0, 1) and beside them a marker that is 1 at two steps and 0 elsewhere; the answer after the
/// last step is the sum of the two marked numbers. Whoever always answers 1 has a mean squared error of 1/6, the variance of the sum of
/// two uniform numbers.
/// </summary>
internal static class AddingProblem
{
    public const double Baseline = 1.0 / 6;

    /// <summary>Writes <paramref name="batch"/> sequences as [batch, steps, 2] and their sums as [batch, 1].</summary>
    public static (float[] Inputs, float[] Sums) Generate(Random random, int batch, int steps)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 2);
        var inputs = new float[batch * steps * 2];
        var sums = new float[batch];
        for (var row = 0; row < batch; row++)
        {
            var sequence = inputs.AsSpan(row * steps * 2, steps * 2);
            for (var t = 0; t < steps; t++)
            {
                sequence[t * 2] = random.NextSingle();
            }

            var first = random.Next(steps);
            var second = random.Next(steps - 1);
            second += second >= first ? 1 : 0;
            sequence[(first * 2) + 1] = 1;
            sequence[(second * 2) + 1] = 1;
            sums[row] = sequence[first * 2] + sequence[second * 2];
        }

        return (inputs, sums);
    }
}
