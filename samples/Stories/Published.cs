namespace Stories;

/// <summary>Errors in per cent that others have published for the bAbI tasks 1 to 20 with 1,000 questions each.</summary>
internal static class Published
{
    /// <summary>The memory network with 3 hops, position encoding, linear start and random noise, best of 10 starts by training error: mean 13.8 (benchmarks of vinhkhuc/MemN2N-babi-python).</summary>
    internal static double[] MemoryNetwork { get; } = [0.1, 8.2, 41.8, 4.4, 13.7, 7.9, 20.3, 11.7, 13.6, 9.7, 0.7, 0.0, 0.3, 0.9, 0.0, 0.4, 51.0, 10.5, 81.4, 0.0];

    /// <summary>An LSTM over the words of story and question (Weston et al. 2015, arXiv:1502.05698, table 2): mean 50.8.</summary>
    internal static double[] Lstm { get; } = [50, 80, 80, 39, 30, 52, 51, 55, 36, 56, 28, 26, 6, 73, 79, 77, 49, 48, 92, 9];
}
