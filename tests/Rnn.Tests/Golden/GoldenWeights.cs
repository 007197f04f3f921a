namespace Rnn.Tests.Golden;

/// <summary>
/// Values in PyTorch's layout turned into this library's: one bias a gate where PyTorch has two, and for the GRU the biases r, z, n and
/// b′ of the candidate's recurrent part.
/// </summary>
internal static class GoldenWeights
{
    /// <summary>The parameters of a case, or with <paramref name="prefix"/> "grad." their gradients, by this library's names.</summary>
    public static IEnumerable<(string Name, int[] Shape, double[] Values)> Of(GoldenCase golden, string prefix = "")
    {
        foreach (var suffix in golden.Suffixes)
        {
            foreach (var name in new[] { "weight_ih", "weight_hh", "weight_hr" })
            {
                var tensor = $"{prefix}{name}_{suffix}";
                if (golden.Has(tensor))
                {
                    yield return ($"{name}_{suffix}", golden.Shape(tensor), golden.Values(tensor));
                }
            }

            var bias = Bias(golden, prefix, suffix);
            yield return ($"bias_{suffix}", [bias.Length], bias);
        }
    }

    private static double[] Bias(GoldenCase golden, string prefix, string suffix)
    {
        var first = golden.Values($"{prefix}bias_ih_{suffix}");
        if (prefix.Length > 0 && golden.Kind != "gru")
        {
            // Both biases of PyTorch have the gradient of their sum.
            return first;
        }

        var second = golden.Values($"{prefix}bias_hh_{suffix}");
        var together = golden.Kind == "gru" ? 2 * golden.Hidden : first.Length;
        var bias = new double[golden.Kind == "gru" ? 4 * golden.Hidden : first.Length];
        for (var i = 0; i < together; i++)
        {
            bias[i] = prefix.Length > 0 ? first[i] : first[i] + second[i];
        }

        first.AsSpan(together).CopyTo(bias.AsSpan(together));
        second.AsSpan(together).CopyTo(bias.AsSpan(first.Length));
        return bias;
    }
}
