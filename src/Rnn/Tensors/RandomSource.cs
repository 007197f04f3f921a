using System.Text;

namespace Rnn.Tensors;

/// <summary>
/// A seeded source of random numbers: the same numbers on every platform and for every vector width. Not for several threads at once:
/// give each its <see cref="Split(string)"/>.
/// </summary>
/// <remarks>
/// What is made without a seed, a source here, a layer, a sampler, takes the next seed of the process: two layers made one after the other
/// differ, and a program that makes them in the same order gives the same numbers at every run. <see cref="SetSeed"/> sets where these
/// seeds begin. The generator is xoshiro256** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021), its state filled from
/// the seed by SplitMix64. Not for cryptography.
/// </remarks>
public sealed partial class RandomSource
{
    private const double UnitOf53Bits = 1.0 / (1UL << 53);

    private ulong _seed;
    private Xoshiro256 _generator;

    /// <summary>A source that starts from the next seed of the process; see <see cref="SetSeed"/>.</summary>
    public RandomSource()
        : this(NextSeed())
    {
    }

    /// <summary>A source that starts from a seed.</summary>
    /// <param name="seed">Any number; equal seeds give equal streams.</param>
    public RandomSource(ulong seed)
    {
        _seed = seed;
        _generator = Xoshiro256.FromSeed(seed);
    }

    /// <summary>A source that goes on where <see cref="GetState"/> was called.</summary>
    /// <param name="state">The saved state.</param>
    /// <exception cref="ArgumentException">The state is all zeros, which no source ever has.</exception>
    public RandomSource(RandomState state)
    {
        if ((state.S0 | state.S1 | state.S2 | state.S3) == 0)
        {
            throw new ArgumentException("state: expected a state that RandomSource.GetState gave but got one of zeros.", nameof(state));
        }

        _seed = state.Seed;
        _generator = new(state.S0, state.S1, state.S2, state.S3);
    }

    /// <summary>The state to go on from later: <c>new RandomSource(state)</c>.</summary>
    public RandomState GetState() => new(_seed, _generator.S0, _generator.S1, _generator.S2, _generator.S3);

    /// <summary>Goes back, or forward, to a saved state.</summary>
    /// <param name="state">What <see cref="GetState"/> gave, of this source or of one that was made from the same seed.</param>
    /// <exception cref="ArgumentException">The state belongs to a source of another seed.</exception>
    public void SetState(RandomState state)
    {
        if (state.Seed != _seed)
        {
            throw new ArgumentException(
                $"state: expected a state of a source with the seed {_seed} but got one of {state.Seed}; use new RandomSource(state).", nameof(state));
        }

        _generator = new RandomSource(state)._generator;
    }

    /// <summary>Becomes the source that was saved, whatever the seed of this one.</summary>
    internal void Adopt(RandomState state) => (_seed, _generator) = (state.Seed, new RandomSource(state)._generator);

    /// <summary>
    /// An independent source for a purpose: depends on this source's seed and on the name only, not on how many numbers were drawn.
    /// </summary>
    /// <param name="name">What the numbers are for, such as <c>"dropout"</c>.</param>
    public RandomSource Split(string name)
    {
        ArgumentNullException.ThrowIfNull(name);

        // FNV-1a over the UTF-8 bytes: a stable hash, unlike string.GetHashCode.
        var hash = 0xCBF29CE484222325UL;
        foreach (var value in Encoding.UTF8.GetBytes(name))
        {
            hash = (hash ^ value) * 0x100000001B3UL;
        }

        return Split(hash);
    }

    /// <summary>An independent source by number, such as one a worker; see <see cref="Split(string)"/>.</summary>
    /// <param name="number">The number of the stream.</param>
    public RandomSource Split(ulong number)
    {
        // Two rounds, so that neighbouring seeds and numbers do not meet in the same child.
        var mixer = _seed;
        mixer = SplitMix64.Next(ref mixer) ^ number;
        return new(SplitMix64.Next(ref mixer));
    }

    /// <summary>64 random bits.</summary>
    public ulong NextUInt64() => _generator.Next();

    /// <summary>A number from [0, 1): a multiple of 2⁻⁵³.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * UnitOf53Bits;

    /// <summary>A number from the normal distribution with mean 0 and standard deviation 1.</summary>
    public double NextNormal() => NormalDistribution.Quantile(((NextUInt64() >> 11) + 0.5) * UnitOf53Bits);

    /// <summary>A whole number from 0 to <paramref name="end"/> − 1, all equally likely.</summary>
    /// <param name="end">One more than the largest.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="end"/> is not positive.</exception>
    public int Next(int end)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(end);

        // Lemire, "Fast random integer generation in an interval" (2019): the high half of a product, the few biased ones drawn again.
        var product = (UInt128)NextUInt64() * (ulong)end;
        var low = (ulong)product;
        if (low < (ulong)end)
        {
            var threshold = (0UL - (ulong)end) % (ulong)end;
            while (low < threshold)
            {
                product = (UInt128)NextUInt64() * (ulong)end;
                low = (ulong)product;
            }
        }

        return (int)(product >> 64);
    }

    /// <summary>A whole number from <paramref name="start"/> to <paramref name="end"/> − 1, all equally likely.</summary>
    /// <param name="start">The smallest.</param>
    /// <param name="end">One more than the largest.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range is empty or has more than 2³¹−1 numbers.</exception>
    public int Next(int start, int end)
    {
        var count = (long)end - start;
        if (count is <= 0 or > int.MaxValue)
        {
            throw new ArgumentOutOfRangeException(nameof(end), end, $"expected an end above the start {start} and at most {int.MaxValue} beyond it.");
        }

        return start + Next((int)count);
    }

    /// <summary>Puts the values into a random order, every order equally likely (Fisher–Yates).</summary>
    /// <param name="values">The values to shuffle in place.</param>
    public void Shuffle<TValue>(Span<TValue> values)
    {
        for (var i = values.Length - 1; i > 0; i--)
        {
            var j = Next(i + 1);
            (values[i], values[j]) = (values[j], values[i]);
        }
    }

    /// <summary>The numbers 0 to <paramref name="count"/> − 1 in a random order.</summary>
    /// <param name="count">How many.</param>
    public int[] Permutation(int count)
    {
        var order = new int[count];
        for (var i = 0; i < count; i++)
        {
            order[i] = i;
        }

        Shuffle(order.AsSpan());
        return order;
    }
}
