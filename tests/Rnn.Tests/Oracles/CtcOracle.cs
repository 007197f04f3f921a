namespace Rnn.Tests.Oracles;

/// <summary>Connectionist temporal classification by its definition: every way through the steps, one after the other.</summary>
internal static class CtcOracle
{
    /// <summary>Every sequence of classes of some length.</summary>
    internal static IEnumerable<int[]> Paths(int steps, int classes)
    {
        var path = new int[steps];
        while (true)
        {
            yield return (int[])path.Clone();
            var t = 0;
            while (t < steps && ++path[t] == classes)
            {
                path[t++] = 0;
            }

            if (t == steps)
            {
                yield break;
            }
        }
    }

    /// <summary>The labels of a path as text: letters, so that equal labels are equal keys.</summary>
    internal static string Labels(int[] path, int blank)
    {
        var (labels, last) = (string.Empty, -1);
        foreach (var item in path)
        {
            if (item != last && item != blank)
            {
                labels += (char)('a' + item);
            }

            last = item;
        }

        return labels;
    }

    internal static string Text(int[] labels) => string.Concat(labels.Select(label => (char)('a' + label)));

    /// <summary>The probabilities of the classes at each step.</summary>
    internal static double[][] Softmax(double[][] scores) => [.. scores.Select(row =>
    {
        var sum = row.Sum(Math.Exp);
        return row.Select(score => Math.Exp(score) / sum).ToArray();
    })];

    /// <summary>The probability of every labelling.</summary>
    internal static Dictionary<string, double> Labellings(double[][] scores, int classes, int blank)
    {
        var (probabilities, all) = (Softmax(scores), new Dictionary<string, double>());
        foreach (var path in Paths(scores.Length, classes))
        {
            var labels = Labels(path, blank);
            all[labels] = all.GetValueOrDefault(labels) + Probability(probabilities, path);
        }

        return all;
    }

    /// <summary>−log p of labels, and its derivatives: softmax less the share of the ways to the labels that are in the class at the step.</summary>
    internal static (double Loss, double[][] Gradient) Loss(double[][] scores, int classes, int blank, int[] labels)
    {
        var (probabilities, total) = (Softmax(scores), 0.0);
        var shares = probabilities.Select(row => new double[row.Length]).ToArray();
        foreach (var path in Paths(scores.Length, classes).Where(path => Labels(path, blank) == Text(labels)))
        {
            var probability = Probability(probabilities, path);
            total += probability;
            for (var t = 0; t < path.Length; t++)
            {
                shares[t][path[t]] += probability;
            }
        }

        return (-Math.Log(total), [.. probabilities.Zip(shares, (row, share) => row.Zip(share, (p, s) => total == 0 ? 0 : p - (s / total)).ToArray())]);
    }

    private static double Probability(double[][] probabilities, int[] path)
    {
        var product = 1.0;
        for (var t = 0; t < path.Length; t++)
        {
            product *= probabilities[t][path[t]];
        }

        return product;
    }
}
