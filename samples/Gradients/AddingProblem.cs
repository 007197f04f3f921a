using System.Globalization;
using Rnn.Tensors;
using Samples;

namespace Gradients;

/// <summary>Sequences and what is to be said of each.</summary>
/// <param name="Inputs">[N, T, 2].</param>
/// <param name="Sums">[N, 1].</param>
internal sealed record AddingBatch(Tensor<float> Inputs, Tensor<float> Sums);

/// <summary>
/// The adding problem (Hochreiter and Schmidhuber 1997): at each step comes a number from 0 to 1 and a mark, which stands at two steps, one in each half. At the end the network is to say the sum of the two marked
/// numbers. Who always says 1 has an error of 1/6.
/// </summary>
/// <param name="steps">T.</param>
/// <param name="numbers">The numbers, drawn in any order; null for random ones.</param>
internal sealed class AddingProblem(int steps, float[]? numbers)
{
    internal static AddingProblem Read(int steps, string? path) => new(steps, path is null ? null : InputFiles.Guard("--data", path, () => ReadNumbers(path)));

    internal AddingBatch Make(RandomSource random, int rows)
    {
        var (inputs, sums) = (Tensor<float>.Zeros(rows, steps, 2), Tensor<float>.Zeros(rows, 1));
        for (var row = 0; row < rows; row++)
        {
            int[] marked = [random.Next(steps / 2), random.Next(steps / 2, steps)];
            for (var t = 0; t < steps; t++)
            {
                inputs[row, t, 0] = numbers is null ? (float)random.NextDouble() : numbers[random.Next(numbers.Length)];
                inputs[row, t, 1] = marked.Contains(t) ? 1 : 0;
                sums[row, 0] += inputs[row, t, 0] * inputs[row, t, 1];
            }
        }

        return new(inputs, sums);
    }

    internal IEnumerable<AddingBatch> MakeMany(RandomSource random, int rows)
    {
        while (true)
        {
            yield return Make(random, rows);
        }
    }

    private static float[] ReadNumbers(string path)
    {
        float[] read = [.. File.ReadLines(path).Where(line => line.Length > 0).Select(line => float.Parse(line, CultureInfo.InvariantCulture))];
        return read.Length > 0 && Array.TrueForAll(read, number => number is >= 0 and <= 1) ? read : throw new FormatException($"{path}: expected numbers from 0 to 1, one on each line.");
    }
}
