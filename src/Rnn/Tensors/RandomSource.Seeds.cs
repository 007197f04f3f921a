namespace Rnn.Tensors;

/// <content>The seeds of the process: everything that is made without a seed takes the next one.</content>
public sealed partial class RandomSource
{
    // A counter of SplitMix64, so that one atomic addition gives each thread a seed of its own.
    private static ulong _process = Start(0);

    /// <summary>
    /// Sets the seed of the process. Everything that is made without a seed from here on, such as layers, models and samplers, takes a seed that
    /// follows from this one and from the order in which things are made. A program that never calls this has the seed 0, so it too gives the same
    /// numbers at every run.
    /// </summary>
    /// <remarks>
    /// For all threads. Where several threads make layers at once, their order is not definite: give them seeds, or a
    /// source each. Sources that exist already go on as they were.
    /// </remarks>
    /// <param name="seed">Any number.</param>
    public static void SetSeed(ulong seed) => Interlocked.Exchange(ref _process, Start(seed));

    /// <summary>The next seed of the process. Any number of threads may ask.</summary>
    internal static ulong NextSeed()
    {
        var state = Interlocked.Add(ref _process, SplitMix64.Increment) - SplitMix64.Increment;
        return SplitMix64.Next(ref state);
    }

    /// <summary>The seed that options choose: the one given, else one number of the source given, else the next one of the process.</summary>
    /// <exception cref="ArgumentException">Both a seed and a source are given.</exception>
    internal static ulong ChooseSeed(ulong? seed, RandomSource? random) => (seed, random) switch
    {
        ({ } given, null) => given,
        (null, { } source) => source.NextUInt64(),
        (null, null) => NextSeed(),
        _ => throw new ArgumentException($"Random: expected a Seed or a Random but got both (Seed {seed}); leave one out.", nameof(random)),
    };

    // Mixed, so that neighbouring seeds do not give sequences that overlap.
    private static ulong Start(ulong seed)
    {
        var state = seed;
        return SplitMix64.Next(ref state);
    }
}
